"""Pseudomasks and guidance masks for the nodes that inspect regions before an edit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.anatomy.areas import area_limits
from x2x_core.common.checkpoint_layout import CELL_PIXELS, LATENT_CHANNELS
from x2x_core.common.errors import InputError
from x2x_core.common.notes import Notes
from x2x_core.common.seeds import EXTENT
from x2x_core.edit.backbones.protocol import Generators
from x2x_core.edit.drawn import Drawn
from x2x_core.edit.motion import as_a_whole
from x2x_core.edit.places import draw_places, place_streams
from x2x_core.edit.reading import read_pictures, read_subject
from x2x_core.edit.region import RegionInputs, find_region
from x2x_core.guidance.maps import guidance_map
from x2x_core.guidance.mask_rules import find_mask
from x2x_core.guidance.mask_settings import MaskSettings
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.soft import soft_edges
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .batches import seeded_generators
from .reports import alignment_lines
from .sentences import as_page_says, explain_instruction, page_words
from .tensors import as_maps, size_of, to_map

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Places:
    """The regions of an instruction's clauses in each of several radiographs."""

    text: str  # the user's instruction
    parts: list[torch.Tensor | None]  # per image `(N, H, W)` bool, see `x2x_core.edit.region.Region`
    placed: Instruction | None = None  # the instruction with its place, if one was drawn
    drawn: Drawn | None = None  # extents of the findings, one for each image

    @property
    def instruction(self) -> Instruction:
        """The instruction as understood."""
        return self.placed or _read(self.text)

    @property
    def told(self) -> str:
        """The instruction that the model receives."""
        return self.text if self.placed is None else str(self.placed)

    def at(self, size: tuple[int, int], batch: int) -> list[torch.Tensor | None]:
        """Return the regions at the size of a map, one entry per map of a batch.

        Raises:
            InputError: the number of images differs.
        """
        if len(self.parts) not in (1, batch):
            raise InputError(
                f"`places` must be of one image, or of each of the {batch} maps, got {len(self.parts)}. Connect it to "
                "the Pseudomask node that `pseudomask` comes from."
            )
        scaled = [None if parts is None else _at_size(parts, size) for parts in self.parts]
        return scaled * (batch // len(scaled))

    def drawn_at(self, size: tuple[int, int], batch: int) -> Drawn | None:
        """Return the extents at the size of a picture or map, for a batch; ``None`` if none was drawn.

        Raises:
            InputError: the number of images differs.
        """
        if self.drawn is None or not self.drawn.known.any():
            return None
        count = len(self.drawn.extents)
        if count not in (1, batch):
            raise InputError(f"`places` must be of one image, or of each of {batch} images, got {count}.")
        return self.drawn.at(size, batch)


def _at_size(parts: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if size_of(parts) == size:
        return parts
    return resize(parts[:, None].float(), size)[:, 0] >= 0.5


@dataclass(frozen=True)
class Draws:
    """Places that the instruction leaves open, which are drawn, and their seed."""

    seed: int
    place: bool = True  # side and zone of a finding to add
    extent: bool = False  # how far a finding to add reaches; that of one to remove is found


def pseudomask_of(
    pixels: torch.Tensor, text: str, atlas: PseudomaskAtlas | None, align: bool, draws: Draws
) -> tuple[torch.Tensor, str, Places]:
    """Find P of an instruction for each radiograph of a batch, as the pipeline does.

    Args:
        pixels: `(B, C, H, W)` in [0, 1].
        text: the instruction.
        atlas: the masks; ``None``: the bundled atlas.
        align: align the masks to the patients' lungs.
        draws: what is drawn if the instruction leaves it open, and the seed.

    Returns:
        `(B, 1, H, W)` in [0, 1]; a report, one fact per line; and the regions of the clauses.

    Raises:
        InputError: an invalid instruction, a finding that the atlas lacks, or extents that cannot be drawn.
    """
    masks = atlas or PseudomaskAtlas.bundled()
    if draws.extent and not (draws.place and align and not masks.published):
        raise InputError(
            "`draw_extent` needs `draw_place`, `align` and an atlas that is aligned, because extents are drawn on the "
            "patient's lungs. Switch them on, or `draw_extent` off."
        )
    with page_words(), Notes() as notes:
        pictures = read_pictures(pixels, LATENT_CHANNELS, 1, reference=False)
        subject = read_subject([text], pictures.radiographs, 1, reference=False, region_given=False)
        outputs = len(subject.image_index)
        generators: Generators = seeded_generators(draws.seed, outputs)
        if draws.place:
            subject = draw_places(subject, masks, generators)
        inputs = RegionInputs(
            pictures.pixels, pictures.size, subject.pair_images, subject.instructions, align=align,
            streams=place_streams(generators, outputs, EXTENT) if draws.extent else None, find_extents=draws.extent,
        )  # fmt: skip
        region = find_region(masks, inputs)
    sources = {
        f"{source.finding}: {source.name} ({source.kind})": None for source in masks.sources(subject.instructions[0])
    }
    instruction = subject.instructions[0]
    lines = [
        explain_instruction(instruction),
        *alignment_lines(region.alignments),
        *sources,
        *map(as_page_says, notes.lines),
    ]
    placed = instruction if instruction.drawn else None
    places = Places(text, region.parts or [], placed, region.drawn)
    return region.pseudomask, "\n".join(lines), places


def guidance_of(
    pseudomask: torch.Tensor,
    relevance: torch.Tensor,
    rules: Mapping[str, Any],
    soft_edge: float,
    instruction: str | None,
    places: Places | None = None,
    keep_mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute G = P * R and the mask M.

    Args:
        pseudomask: MASK, P; of any size, one or one per relevance map.
        relevance: MASK, R; the results have its size.
        rules: fields of `MaskSettings`.
        soft_edge: width of the soft edge inside the mask, as a fraction of the longer side.
        instruction: limits the mask to the expected size of its findings; ``None``: no limit.
        places: the mask keeps a component in each of these regions, and is limited as by `instruction`.
        keep_mask: MASK of any size; both results are 0 where it is above 0.

    Returns:
        Both `(B, 1, H, W)` in [0, 1].

    Raises:
        InputError: masks that do not match, or an invalid instruction.
    """
    r, p = as_maps(relevance, "relevance"), as_maps(pseudomask, "pseudomask")
    _warn_of_crop(size_of(p), size_of(r))
    batch, size = max(len(r), len(p)), size_of(r)
    r, p = to_map(r, size, batch, "relevance"), to_map(p, size, batch, "pseudomask")
    with page_words():
        limiting = _limiting_instruction(instruction, places)
        limits = None if limiting is None else [area_limits(limiting)] * batch
        settings = MaskSettings(**rules)
    keep = None if keep_mask is None else to_map(keep_mask, size, batch, "keep_mask") > 0
    p = p if keep is None else p.masked_fill(keep, 0)
    parts = None if places is None else places.at(size, batch)
    drawn = None if places is None else places.drawn_at(size, batch)
    wholes = None if drawn is None else drawn.wholes
    r = r if wholes is None else as_a_whole(r, wholes)
    guidance = guidance_map(r, p)
    mask = find_mask(guidance, p, settings, limits, parts)
    mask = mask if keep is None else mask & ~keep  # at a threshold of 0, P does not restrict it
    return guidance, soft_edges(mask, soft_edge * max(size))


def _warn_of_crop(image: tuple[int, int], relevance: tuple[int, int]) -> None:
    """Warn if a relevance map looks like that of an image cropped by VAE Encode."""
    cropped = [side // CELL_PIXELS * CELL_PIXELS for side in image]
    if image != relevance and list(relevance) == cropped:
        logger.warning(
            "`relevance` is %dx%d pixels (height x width) and `pseudomask` %dx%d: `pseudomask` is scaled to the size "
            "of `relevance`. If VAE Encode cropped the image, connect the image to Relevance Map (Native) to align "
            "them.",
            *relevance, *image,
        )  # fmt: skip


def _limiting_instruction(text: str | None, places: Places | None) -> Instruction | None:
    """Return the instruction that the mask is for, or ``None`` if it is unknown."""
    own = _read(text) if text else None
    if places is None:
        return own
    if own and own.clauses not in (places.instruction.clauses, _read(places.text).clauses):
        raise InputError(
            f"`instruction` must be the one that `places` was computed for, {places.text!r}, got {text!r}. "
            "Disconnect `instruction`: `places` includes it."
        )
    return places.instruction


def _read(text: str) -> Instruction:
    """Return the instruction of a text that may say more: the maps are given, so nothing is refused."""
    return Instruction.parse(text, strict=False)
