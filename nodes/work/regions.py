"""Pseudomasks and guidance masks for the nodes that look before an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from x2x_core.anatomy.areas import area_limits
from x2x_core.common.checkpoint_layout import LATENT_CHANNELS
from x2x_core.common.errors import InputError
from x2x_core.common.notes import Notes
from x2x_core.edit.reading import align_pictures, parts_of, read_request, region_of
from x2x_core.edit.request import EditRequest
from x2x_core.edit.settings import EditSettings
from x2x_core.guidance.maps import guidance_map
from x2x_core.guidance.mask_rules import find_mask
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.soft import soft_edges
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .sentences import as_page_says, explain, page_words
from .tensors import as_maps, to_map


@dataclass(frozen=True, eq=False)
class Places:
    """Where the clauses of an instruction are at home in each of several radiographs."""

    text: str  # the instruction
    parts: list[torch.Tensor | None]  # for each image `(N, H, W)` bool, see `x2x_core.edit.reading.parts_of`

    def at(self, size: tuple[int, int], batch: int) -> list[torch.Tensor | None]:
        """The parts at the size of a map, one for each map of a batch.

        Raises:
            InputError: places of another number of images.
        """
        if len(self.parts) not in (1, batch):
            raise InputError(
                f"`places` must be of one image, or of each of the {batch} maps, got {len(self.parts)}. Connect it from "
                "the Pseudomask node that `pseudomask` comes from."
            )
        scaled = [None if one is None else _at_size(one, size) for one in self.parts]
        return scaled * (batch // len(scaled))


def _at_size(parts: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(parts.shape[-2:]) == size:
        return parts
    return resize(parts[:, None].float(), size)[:, 0] >= 0.5


@lru_cache(maxsize=1)
def _bundled() -> PseudomaskAtlas:
    return PseudomaskAtlas.bundled()


def pseudomask_of(
    pixels: torch.Tensor, text: str, atlas: PseudomaskAtlas | None, align: bool
) -> tuple[torch.Tensor, str, Places]:
    """P of an instruction for each of several radiographs, as the pipeline finds it.

    Args:
        pixels: `(B, C, H, W)` in [0, 1].
        text: the instruction.
        atlas: the masks; ``None``: those that ship.
        align: lay them over the patients' lungs.

    Returns:
        `(B, 1, H, W)` in [0, 1]; what was understood and done, in lines; and the places of the clauses.

    Raises:
        InputError: an instruction that can't be used, or a mask that the atlas lacks.
    """
    request, masks = EditRequest(pixels, text), atlas or _bundled()
    with page_words(), Notes() as notes:
        reading = read_request(request, LATENT_CHANNELS, 1, reference=False)
        alignments = align_pictures(request, reading, masks, align)
        region = region_of(request, reading, masks, True, alignments)
        places = Places(text, parts_of(request, reading, masks, alignments))
    lines = [explain(text), *alignment_lines(alignments)]
    sources = dict.fromkeys(f"{one.finding}: {one.name} ({one.kind})" for one in masks.sources(reading.instructions[0]))
    return region, "\n".join([*lines, *sources, *map(as_page_says, notes.lines)]), places


def alignment_lines(alignments: list | None) -> list[str]:
    """A line for each image that the masks were aligned to."""
    notes = [one.note for one in alignments or () if one is not None]
    if len(notes) == 1:
        return notes
    return [f"Image {number}: {note}" for number, note in enumerate(notes)]


def guidance_of(
    pseudomask: torch.Tensor,
    relevance: torch.Tensor,
    rules: Mapping[str, Any],
    soft_edge: float,
    instruction: str | None,
    places: Places | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """G = P * R and the mask M.

    Args:
        pseudomask: MASK, P; of any size; one, or one for each relevance map.
        relevance: MASK, R; its size is taken.
        rules: fields of `EditSettings` that say how the mask is cut.
        soft_edge: width of the mask's soft inner edge, share of the longer side.
        instruction: holds the mask to a size that its findings can have; ``None``: any size.
        places: the mask keeps a piece in each of them, and is held to a size as by `instruction`.

    Returns:
        Both `(B, 1, H, W)` in [0, 1].

    Raises:
        InputError: masks that don't fit each other, or an instruction that can't be used.
    """
    r, p = as_maps(relevance, "relevance"), as_maps(pseudomask, "pseudomask")
    batch, size = max(len(r), len(p)), tuple(r.shape[-2:])
    r, p = to_map(r, size, batch, "relevance"), to_map(p, size, batch, "pseudomask")
    with page_words():
        text = _one_text(instruction, places)
        limits = None if text is None else [area_limits(Instruction.parse(text))] * batch
    guidance = guidance_map(r, p)
    mask = find_mask(
        guidance, p, EditSettings(**rules).mask_settings, limits, None if places is None else places.at(size, batch)
    )
    return guidance, soft_edges(mask, soft_edge * max(size))


def _one_text(instruction: str | None, places: Places | None) -> str | None:
    """The instruction that a mask is for; ``None``: none is known."""
    if places is None:
        return instruction or None
    if instruction and Instruction.parse(instruction).clauses != Instruction.parse(places.text).clauses:
        raise InputError(
            f"`instruction` must be the one that `places` were found for, {places.text!r}, got {instruction!r}. "
            "Disconnect `instruction`: `places` know theirs."
        )
    return places.text
