"""Reading a request before any model is asked: its pictures, what its prompts say, and where they allow an edit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.frame import Frame, pixel_centres
from x2x_core.anatomy.sites import MIDLINE
from x2x_core.common.errors import InputError
from x2x_core.imaging.inputs import ImageBatch, is_image_latents, read_images
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import listed_names
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.given import as_guidance_mask, as_pseudomask

from .composition import is_grey
from .request import EditRequest

logger = logging.getLogger(__name__)

# A picture whose channels differ by less than this on average is taken for a radiograph.
COLOUR_TOLERANCE = 0.02


@dataclass(frozen=True)
class Reading:
    """What a request says, before any model is asked: P pairs of picture and prompt."""

    images: ImageBatch | None  # N pictures; None where the caller gives image latents
    size: tuple[int, int]  # of the pictures
    pairs: list[tuple[int, int]]  # P: numbers of picture and prompt
    instructions: list[Instruction]  # P
    restricted: bool  # whether the edit is held to a region

    @property
    def owners(self) -> list[int]:
        """The picture of each pair."""
        return [picture for picture, _ in self.pairs]


def read_request(request: EditRequest, latent_channels: int, cell: int, reference: bool) -> Reading:
    """Read the pictures and understand the prompts.

    Args:
        request: the caller's.
        latent_channels: of the VAE.
        cell: pixels to a side of a latent cell.
        reference: whether the published rules hold: colour, and free text edits the whole image.

    Raises:
        InputError: a picture or a prompt that can't be used.
    """
    latents = is_image_latents(request.image, latent_channels)
    images = None if latents else read_images(request.image)
    radiographs = [False] * len(request.image) if latents else _look_like_radiographs(images.pixels)
    if reference and images is not None:
        images = images.in_colour()
    pairs = request.pairs(len(radiographs))
    given = request.pseudomask is not None or request.guidance_mask is not None
    instructions = []
    for picture, prompt in pairs:
        region = "thorax" if radiographs[picture] and not reference else "image"
        text = None if request.prompt is None else request.prompts[prompt]
        instructions.append(_understand(text, region, given))
    everywhere = all(one.region == "image" for one in instructions)
    size = images.size if images else tuple(side * cell for side in request.image.shape[-2:])
    return Reading(images, size, pairs, instructions, restricted=reference or given or not everywhere)


def warn_of_untrained(instructions: Sequence[Instruction], trained: str | None) -> None:
    """Say so where an instruction names findings that the model was not trained on.

    `trained` holds names, separated by commas; ``None``: not known.
    """
    if trained is None:
        return
    known = listed_names(trained)
    unknown = dict.fromkeys(finding for one in instructions for finding in one.findings if finding not in known)
    if unknown:
        logger.warning(
            "This model was not trained on %s: the region is the finding's, but what it changes there is a guess. It was "
            "trained on %s.",
            ", ".join(unknown), trained,
        )  # fmt: skip


def align_pictures(
    request: EditRequest, reading: Reading, atlas: PseudomaskAtlas, align: bool
) -> list[Alignment | None] | None:
    """Where the anatomical frame lies in the picture of each pair, one for each pair.

    ``None`` for a pair whose region does not follow the lungs, and in place of the list where none does: without
    `align`, with the caller's own pseudomask or published masks, or where there are latents instead of pictures.
    """
    if not align or request.pseudomask is not None or atlas.published or reading.images is None:
        return None
    follows = [one.region != "image" for one in reading.instructions]
    pictures = {picture for picture, wanted in zip(reading.owners, follows) if wanted}
    known = {picture: atlas.align(reading.images.pixels[[picture]]) for picture in sorted(pictures)}
    return [known[picture] if wanted else None for picture, wanted in zip(reading.owners, follows)]


def region_of(
    request: EditRequest,
    reading: Reading,
    atlas: PseudomaskAtlas,
    localise: bool,
    alignments: list[Alignment | None] | None = None,
) -> torch.Tensor:
    """P `(B, 1, H, W)` in [0, 1]: the caller's pseudomask, or the atlas's for each instruction.

    Args:
        request, reading: the caller's.
        atlas: the pseudomasks of all findings.
        localise: cut to the sides and zones that are named; the published code does not.
        alignments: of the pairs, see `align_pictures`; ``None``: every picture is the typical radiograph.

    Raises:
        InputError: a pseudomask that does not fit, or that the atlas lacks.
    """
    copies, given = request.num_images_per_prompt, request.pseudomask
    if given is not None:
        outputs = copies * len(reading.pairs)
        leading = given.shape[0] if getattr(given, "ndim", 2) > 2 else 1
        if leading == outputs:
            return as_pseudomask(given, reading.size, outputs)
        return as_pseudomask(given, reading.size, len(reading.pairs)).repeat_interleave(copies, dim=0)
    wanted = list(zip(reading.instructions, _frames(reading, alignments)))
    known = {
        (one, frame): atlas.for_instruction(one, reading.size, frame, localise=localise)
        for one, frame in dict.fromkeys(wanted)
    }
    return torch.cat([known[pair] for pair in wanted]).repeat_interleave(copies, dim=0)


def _frames(reading: Reading, alignments: list[Alignment | None] | None) -> list[Frame | None]:
    """The frame of each pair; ``None``: the picture is the typical radiograph."""
    known = alignments or [None] * len(reading.pairs)
    return [one.frame if one and not one.frame.is_identity else None for one in known]


def parts_of(
    request: EditRequest,
    reading: Reading,
    atlas: PseudomaskAtlas,
    alignments: list[Alignment | None] | None = None,
) -> list[torch.Tensor | None]:
    """For each output `(N, H, W)` bool: the place of each clause, on each of its sides; ``None``: no place of its own.

    A mask keeps a piece in each of these. With the caller's own pseudomask, clauses have no place of their own.
    `alignments` are those of the pairs, see `align_pictures`.
    """
    wanted, known = list(zip(reading.instructions, _frames(reading, alignments))), {}
    for one, frame in dict.fromkeys(wanted):
        clauses = () if request.pseudomask is not None else one.clauses
        places = []
        for clause in clauses:
            place = atlas.for_instruction(Instruction((clause,)), reading.size, frame)[0, 0] > 0
            places += _sides(clause, place, frame)
        known[one, frame] = torch.stack(places) if places else None
    return [known[pair] for pair in wanted for _ in range(request.num_images_per_prompt)]


def _sides(clause: Clause, place: torch.Tensor, frame: Frame | None) -> list[torch.Tensor]:
    """A clause's place `(H, W)` bool, parted at the midline where it is to be edited on both sides."""
    if clause.side != "bilateral":
        return [place]
    right = (frame or Frame()).to_frame(pixel_centres(tuple(place.shape)))[..., 0] < MIDLINE
    return [place & right, place & ~right]


def given_guidance_mask(request: EditRequest, reading: Reading) -> torch.Tensor | None:
    """The caller's own guidance mask `(B, 1, H, W)`: one for all, one for each pair or one for each output.

    Raises:
        InputError: one that does not fit.
    """
    if request.guidance_mask is None:
        return None
    mask = as_guidance_mask(request.guidance_mask, reading.size)
    pairs = len(reading.pairs)
    outputs = pairs * request.num_images_per_prompt
    if len(mask) not in (1, pairs, outputs):
        raise InputError(f"`guidance_mask` must be one, or one for each of {outputs} images, got {len(mask)}.")
    if not mask.any():
        logger.warning("`guidance_mask` is empty: the image is given back unchanged.")
    return mask.repeat_interleave(outputs // len(mask), dim=0)


def _look_like_radiographs(pixels: torch.Tensor) -> list[bool]:
    """Which of `(N, C, H, W)` pictures can be radiographs: grey, and not of one grey throughout."""
    varied = pixels.flatten(1).amax(dim=1) > pixels.flatten(1).amin(dim=1)
    return (is_grey(pixels, COLOUR_TOLERANCE) & varied).tolist()


def _understand(text: str | None, free_region: str, region_given: bool) -> Instruction:
    """The instruction of one prompt; embeddings (`text` is ``None``) count as free text."""
    if text is not None:
        return Instruction.parse(text, free_region=free_region)
    if not region_given:
        logger.warning(
            "`prompt_embeds` do not say where to edit: the whole %s is the region. Give `pseudomask` (for example from "
            "`pipe.pseudomasks.for_instruction`) or `guidance_mask` to hold the edit to a part of it.",
            free_region,
        )
    return Instruction(text="(prompt embeddings)", region=free_region)
