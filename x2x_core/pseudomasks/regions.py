"""The pseudomask of a clause in one patient: the atlas's region, within what bounds the finding in this chest."""

from __future__ import annotations

import logging

import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.bounds import finding_bounds
from x2x_core.anatomy.frame import Frame
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

from .atlas import PseudomaskAtlas
from .placing import SMALLEST_SHARE

logger = logging.getLogger(__name__)


def frame_of(alignment: Alignment | None) -> Frame | None:
    """Return the frame of a picture; ``None`` for the typical radiograph's."""
    return None if alignment is None or alignment.frame.is_identity else alignment.frame


def clause_region(
    atlas: PseudomaskAtlas,
    clause: Clause,
    size: tuple[int, int],
    alignment: Alignment | None,
    localise: bool = True,
) -> torch.Tensor:
    """Return the pseudomask of one clause, `(1, 1, H, W)` float32 in [0, 1].

    Where the lungs were found with confidence, it is the minimum of the atlas's region and of
    `x2x_core.anatomy.bounds.finding_bounds`; a finding of the lungs then reaches the pleura on both sides, where
    the atlas's boxes end before it and would leave a dark strip. Else it is the atlas's region, as `Alignment.note`
    says.

    Args:
        atlas: the pseudomasks.
        clause: of an instruction.
        size: `(height, width)` of the picture.
        alignment: of the picture; ``None``: the picture is the typical radiograph.
        localise: use side and zone; the published code does not.

    Raises:
        InputError: the atlas lacks a mask.
    """
    mask = atlas.for_instruction(Instruction((clause,)), size, frame_of(alignment), localise=localise)
    if alignment is None or not alignment.sure or alignment.chest is None:
        return mask
    bounds = finding_bounds(alignment.chest, clause)
    if bounds is None:
        return mask
    bounded = torch.minimum(mask, bounds)
    if FINDINGS[clause.finding].bounds == "lungs":
        bounded = torch.minimum(spread_sideways(bounded), bounds)
    if bounded.mean() >= min(SMALLEST_SHARE, float(mask.mean()) / 2):
        return bounded
    logger.warning(
        "The atlas's region of %s lies outside the lungs found: it is not bounded by them. Check it with "
        "`x2x masks show`.",
        clause.finding,
    )
    return mask


def spread_sideways(mask: torch.Tensor) -> torch.Tensor:
    """Return a mask `(1, 1, H, W)` in which each row has its largest value throughout."""
    return mask.amax(dim=-1, keepdim=True).expand_as(mask)


def instruction_region(
    atlas: PseudomaskAtlas, instruction: Instruction, size: tuple[int, int], alignment: Alignment | None
) -> torch.Tensor:
    """Return the pseudomask of an instruction: the union (maximum) of its clauses'; arguments as `clause_region`."""
    if instruction.region != "findings":
        return atlas.for_instruction(instruction, size, frame_of(alignment))
    masks = [clause_region(atlas, clause, size, alignment) for clause in instruction.clauses]
    return torch.stack(masks).amax(dim=0)
