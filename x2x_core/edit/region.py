"""The region of an edit: the pseudomask of each output, aligned to the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.frame import Frame, pixel_centres
from x2x_core.anatomy.sites import MIDLINE
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.extents import Extent, ExtentDrawer, ShownExtents, region_of_extent
from x2x_core.pseudomasks.regions import clause_region, frame_of
from x2x_core.simulation.films.extents import MOVING_FINDINGS

from .drawn import Drawn


@dataclass(frozen=True)
class RegionInputs:
    """Inputs of the region: P pairs of N pictures and instructions."""

    pixels: torch.Tensor | None  # (N, C, H, W) in [0, 1]; None for image latents
    size: tuple[int, int]  # of the pictures
    image_index: list[int]  # P: the picture of each pair
    instructions: list[Instruction]  # P
    copies: int = 1  # outputs of each pair
    align: bool = True  # fit the atlas to the patients' lungs
    localise: bool = True  # use sides and zones; the published code does not
    pseudomask: torch.Tensor | None = None  # the caller's, (B, 1, H, W) in [0, 1]
    alignments: Sequence[Alignment | None] | None = None  # N, those that were found before
    drawers: Sequence[ExtentDrawer | None] | None = None  # N, of extents, those that were made before
    shown: Sequence[ShownExtents | None] | None = None  # N, the extents of what the pictures show, like `drawers`
    keep: torch.Tensor | None = None  # (B, 1, H, W) bool, what must stay as it is
    streams: list[torch.Generator] | None = None  # B, of extents; None: none are drawn
    find_extents: bool = False  # find the extents of findings to remove


@dataclass(frozen=True)
class Region:
    """The pseudomask P of each output.

    Args:
        pseudomask: `(B, 1, H, W)` in [0, 1].
        parts: for each output `(N, H, W)` bool, the region of each clause on each of its sides, each of which keeps a
            component of the mask; ``None`` for free text, and instead of the list with the caller's pseudomask and
            without `localise`.
        alignments: for each pair, how the atlas was fitted to the lungs; ``None`` if the region does not depend on
            them, and instead of the list if no region does.
        drawn: extents of the findings that are added or removed; ``None`` if none was drawn or found.
    """

    pseudomask: torch.Tensor
    parts: list[torch.Tensor | None] | None = None
    alignments: list[Alignment | None] | None = None
    drawn: Drawn | None = None


def find_region(atlas: PseudomaskAtlas, inputs: RegionInputs) -> Region:
    """Return the caller's pseudomask, or the atlas's for each instruction, both without what must stay as it is.

    Raises:
        InputError: the atlas lacks a mask.
    """
    region = _find_region(atlas, inputs)
    if inputs.keep is None:
        return region
    return replace(
        region,
        pseudomask=region.pseudomask.masked_fill(inputs.keep, 0),
        drawn=region.drawn and region.drawn.without(inputs.keep),
    )


def _find_region(atlas: PseudomaskAtlas, inputs: RegionInputs) -> Region:
    if inputs.pseudomask is not None:
        return Region(inputs.pseudomask)
    alignments = _align(atlas, inputs)
    if alignments is not None and (inputs.streams is not None or inputs.find_extents):
        return _regions_of_extents(atlas, inputs, alignments)
    by_pair = alignments or [None] * len(inputs.instructions)
    pairs = [(instruction, id(alignment)) for instruction, alignment in zip(inputs.instructions, by_pair)]
    known = {
        pair: _find_one(atlas, pair[0], alignment, inputs, {}) for pair, alignment in dict(zip(pairs, by_pair)).items()
    }
    masks = torch.cat([known[pair][0] for pair in pairs]).repeat_interleave(inputs.copies, dim=0)
    parts = [known[pair][1] for pair in pairs for _ in range(inputs.copies)]
    return Region(masks, parts if inputs.localise else None, alignments)


def _regions_of_extents(atlas: PseudomaskAtlas, inputs: RegionInputs, alignments: list[Alignment | None]) -> Region:
    """Return the region of each output, with the extents of the findings that it adds or removes."""
    pictures: dict[int, _PictureExtents] = {}
    masks, parts = [], []
    each: list[list[Extent]] = []
    for output in range(len(inputs.instructions) * inputs.copies):
        pair = output // inputs.copies
        instruction, picture, alignment = inputs.instructions[pair], inputs.image_index[pair], alignments[pair]
        known: dict[Clause, Extent] = {}
        if alignment is not None and alignment.sure and inputs.pixels is not None:
            if picture not in pictures:
                pictures[picture] = _PictureExtents(atlas, inputs, picture, alignment)
            stream = None if inputs.streams is None else inputs.streams[output]
            known = pictures[picture].of(instruction, stream)
        mask, own_parts = _find_one(atlas, instruction, alignment, inputs, known)
        masks.append(mask)
        parts.append(own_parts)
        each.append(list(known.values()))
    pseudomask = torch.cat(masks)
    parts_known = parts if inputs.localise else None
    return Region(pseudomask, parts_known, alignments, Drawn.of(each, pseudomask))


class _PictureExtents:
    """The extents of findings on one picture, drawn or found; what they share is computed once."""

    def __init__(self, atlas: PseudomaskAtlas, inputs: RegionInputs, picture: int, alignment: Alignment) -> None:
        assert inputs.pixels is not None
        self.atlas, self.inputs, self.alignment = atlas, inputs, alignment
        self.pixels = inputs.pixels[[picture]]
        self.prepared = None if inputs.drawers is None else inputs.drawers[picture]
        self.prepared_shown = None if inputs.shown is None else inputs.shown[picture]

    @cached_property
    def drawer(self) -> ExtentDrawer:
        return self.prepared or ExtentDrawer(self.pixels, self.alignment)

    @cached_property
    def shown(self) -> ShownExtents:
        return self.prepared_shown or ShownExtents(self.pixels, self.alignment.lungs)

    def of(self, instruction: Instruction, stream: torch.Generator | None) -> dict[Clause, Extent]:
        """Return the extents of the clauses that have one; those of findings to add with a stream to draw from."""
        known = {}
        if all(clause.operation is not Operation.ADD for clause in instruction.clauses):
            stream = None
        for clause in instruction.clauses:
            extent = None if stream is None else self.drawer.draw(clause, stream)
            if clause.operation is Operation.REMOVE and self.inputs.find_extents:
                moves = clause.finding in MOVING_FINDINGS and self.drawer.suitable
                extent = self.drawer.without(clause) if moves else self._shown(clause)
            if extent is not None:
                known[clause] = extent
        return known

    def _shown(self, clause: Clause) -> Extent | None:
        """Return the extent of a finding to remove where the picture shows it."""
        region = clause_region(self.atlas, clause, self.inputs.size, self.alignment, self.inputs.localise)
        return self.shown.of(clause, region)


def _align(atlas: PseudomaskAtlas, inputs: RegionInputs) -> list[Alignment | None] | None:
    """Fit the atlas to the lungs of each picture whose region depends on them."""
    if not inputs.align or atlas.published or not atlas.names or inputs.pixels is None:
        return None
    aligned = [instruction.region != "image" for instruction in inputs.instructions]
    pictures = sorted({picture for picture, needed in zip(inputs.image_index, aligned) if needed})
    ready = inputs.alignments
    known = {n: (ready and ready[n]) or atlas.align(inputs.pixels[[n]]) for n in pictures}
    return [known[picture] if needed else None for picture, needed in zip(inputs.image_index, aligned)]


def _find_one(
    atlas: PseudomaskAtlas,
    instruction: Instruction,
    alignment: Alignment | None,
    inputs: RegionInputs,
    extents: Mapping[Clause, Extent],
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the pseudomask `(1, 1, H, W)` of an instruction, and its parts `(N, H, W)` bool.

    A clause whose extent is known has that for its region.
    """
    frame = frame_of(alignment)
    if instruction.region != "findings":
        return atlas.for_instruction(instruction, inputs.size, frame, localise=inputs.localise), None
    masks, parts = [], []
    for clause in instruction.clauses:
        extent = extents.get(clause)
        if extent is None:
            mask = clause_region(atlas, clause, inputs.size, alignment, inputs.localise)
        else:
            mask = region_of_extent(extent)
        masks.append(mask)
        parts += _sides(clause, mask[0, 0] > 0, frame)
    return torch.stack(masks).amax(dim=0), torch.stack(parts)


def _sides(clause: Clause, place: torch.Tensor, frame: Frame | None) -> list[torch.Tensor]:
    """Split a clause's region `(H, W)` bool at the midline if it is to be edited on both sides."""
    if clause.side != "bilateral":
        return [place]
    height, width = place.shape
    right = (frame or Frame()).to_frame(pixel_centres((height, width)))[..., 0] < MIDLINE
    return [place & right, place & ~right]
