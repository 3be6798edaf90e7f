"""Reading pictures and prompts before any network runs: which picture goes with which prompt, and what is asked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.batch import ImageBatch
from x2x_core.imaging.inputs import is_image_latents, read_images
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import listed_names

from .composition import is_grey

logger = logging.getLogger(__name__)

# A picture whose channels differ by less than this on average is taken for a radiograph.
COLOUR_TOLERANCE = 0.02


@dataclass(frozen=True)
class Pictures:
    """N pictures to edit, or their image latents."""

    images: ImageBatch | None
    latents: torch.Tensor | None  # (N, C, h, w), unscaled, instead of `images`
    size: tuple[int, int]  # in pixels
    radiographs: list[bool]  # N: True for pictures that can be radiographs

    def __len__(self) -> int:
        return len(self.radiographs)

    @property
    def pixels(self) -> torch.Tensor | None:
        """`(N, C, H, W)` in [0, 1]; ``None`` for image latents."""
        return None if self.images is None else self.images.pixels


@dataclass(frozen=True)
class Subject:
    """P pairs of picture and instruction, each edited a number of times."""

    pairs: list[tuple[int, int]]  # P: indices of picture and prompt
    instructions: list[Instruction]  # P
    copies: int  # outputs of each pair

    @property
    def pair_images(self) -> list[int]:
        """The picture of each pair, P."""
        return [picture for picture, _ in self.pairs]

    @property
    def image_index(self) -> list[int]:
        """The picture of each output, B."""
        return [picture for picture, _ in self.pairs for _ in range(self.copies)]

    @property
    def output_instructions(self) -> list[Instruction]:
        """The instruction of each output, B."""
        return [instruction for instruction in self.instructions for _ in range(self.copies)]

    @property
    def names_no_region(self) -> bool:
        """True if no instruction restricts its edit to a region."""
        return all(instruction.region == "image" for instruction in self.instructions)


def read_pictures(image: Any, latent_channels: int, cell: int, reference: bool) -> Pictures:
    """Read the caller's pictures or image latents.

    Args:
        image: the argument.
        latent_channels: of the VAE.
        cell: pixels to a side of a latent cell.
        reference: convert to colour, as the published code does.

    Raises:
        InputError: pictures that can't be used; no latents, or latents that are not finite.
    """
    if is_image_latents(image, latent_channels):
        if 0 in image.shape:
            raise InputError(f"`image` must hold at least one set of image latents, got shape {tuple(image.shape)}.")
        if not torch.isfinite(image).all():
            raise InputError("`image` must hold finite numbers, got latents with NaN or infinity.")
        height, width = image.shape[-2:]
        return Pictures(None, image, (height * cell, width * cell), [False] * len(image))
    images = read_images(image)
    radiographs = _look_like_radiographs(images.pixels)
    return Pictures(images.in_colour() if reference else images, None, images.size, radiographs)


def _look_like_radiographs(pixels: torch.Tensor) -> list[bool]:
    """Return True for each of `(N, C, H, W)` pictures that is grey and not uniform."""
    varied = pixels.flatten(1).amax(dim=1) > pixels.flatten(1).amin(dim=1)
    return (is_grey(pixels, COLOUR_TOLERANCE) & varied).tolist()


def pair_up(image_count: int, prompt_count: int) -> list[tuple[int, int]]:
    """Pair pictures with prompts, by index: one of either goes with all of the other, else the first with the first.

    Raises:
        InputError: their numbers don't match.
    """
    if image_count != prompt_count and 1 not in (image_count, prompt_count):
        raise InputError(f"`prompt` must be one, or one for each of the {image_count} images, got {prompt_count}.")
    total = max(image_count, prompt_count)
    return [(n if image_count > 1 else 0, n if prompt_count > 1 else 0) for n in range(total)]


def read_subject(
    texts: Sequence[str | None],
    radiographs: Sequence[bool],
    copies: int,
    *,
    reference: bool,
    region_given: bool,
    strict: bool = True,
    parsed: bool = True,
) -> Subject:
    """Pair pictures with prompts and parse the instructions.

    Args:
        texts: the prompts; ``None`` for prompt embeddings.
        radiographs: for each picture, True if it can be a radiograph.
        copies: outputs of each pair.
        reference: free text edits the whole image, as in the published code.
        region_given: True if the caller gives a pseudomask or guidance mask, or wants the whole image edited.
        strict: refuse places, levels and verbs that were not understood where the atlas decides on the region: for
            radiographs, without the caller's own mask.
        parsed: read findings, places and levels; ``False``: all text is free, and about the whole image.

    Raises:
        InputError: an instruction that can't be used, or numbers of pictures and prompts that don't match.
    """
    pairs = pair_up(len(radiographs), len(texts))
    instructions = []
    for picture, prompt in pairs:
        if not parsed:
            instructions.append(_free(texts[prompt]))
            continue
        free_region = "thorax" if radiographs[picture] and not reference else "image"
        instructions.append(_parse(texts[prompt], free_region, region_given, strict))
    return Subject(pairs, instructions, copies)


def _parse(text: str | None, free_region: str, region_given: bool, strict: bool) -> Instruction:
    """Return the instruction of one prompt; embeddings (`text` is ``None``) count as free text."""
    if text is not None:
        by_atlas = free_region == "thorax" and not region_given
        return Instruction.parse(text, free_region=free_region, strict=strict and by_atlas)
    if not region_given:
        logger.warning(
            "`prompt_embeds` do not say where to edit: the whole %s is the region. Give `pseudomask` (for example from "
            "`pipe.pseudomasks.for_instruction`) or `guidance_mask` to restrict the edit to a part of it.",
            free_region,
        )
    return Instruction(text="(prompt embeddings)", region=free_region)


def _free(text: str | None) -> Instruction:
    """Return one prompt as free text about the whole image."""
    if text is not None and not text.strip():
        raise InputError('`prompt` must say what to edit, got no words. An example: "Make the car red."')
    return Instruction(text="(prompt embeddings)" if text is None else text, region="image")


def warn_of_untrained(instructions: Sequence[Instruction], trained: str | None) -> None:
    """Warn if an instruction names findings that the model was not trained on.

    Args:
        instructions: of the call.
        trained: names of findings, separated by commas; ``None``: not known.
    """
    if trained is None:
        return
    known = listed_names(trained)
    findings = [finding for instruction in instructions for finding in instruction.findings]
    unknown = dict.fromkeys(finding for finding in findings if finding not in known)
    if unknown:
        logger.warning(
            "This model was not trained on %s: the region is the finding's, but the change within it is unreliable. It "
            "was trained on %s.",
            ", ".join(unknown),
            trained,
        )
