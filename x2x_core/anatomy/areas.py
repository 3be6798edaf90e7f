"""Expected areas of findings on a frontal radiograph: limits for the size of a guidance mask.

For findings with expert boxes in NIH ChestX-ray14 (one box per lesion; `Finding.box_areas`), the upper limit is the
97.5th percentile of the boxes' areas, and twice that for a bilateral finding. The lower limit is a quarter of the
ellipse inscribed in a box at the 2.5th percentile, since an instruction may change only a part of a finding (its level,
the border of a heart). For other findings the limits are the area of the anatomic site and a fiftieth of it. Areas are
shares of an image that shows the chest from border to border. They are wide on purpose: they reject impossible masks
and do not shape plausible ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS, Finding

from .outlines import SHAPES
from .sites import EDGE_LEVEL, site_mask

SMALLEST_BOX_SHARE = math.pi / 4 / 4
SMALLEST_SITE_SHARE = 0.02


@dataclass(frozen=True)
class AreaLimits:
    """The smallest and the largest area that a mask may cover, as shares of the image."""

    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not 0 <= self.lowest <= self.highest <= 1:
            raise InputError(f"`lowest` and `highest` must be 0 <= lowest <= highest <= 1, got {self}.")


def expected_area(clause: Clause) -> AreaLimits:
    """Return the expected area of one clause's finding, given its side."""
    finding = FINDINGS[clause.finding]
    sides = 2 if finding.lateral else 1
    lowest, highest = _one_side(finding, sides)
    if sides == 1 or clause.side in ("left", "right"):
        return AreaLimits(lowest, min(1.0, highest))
    if clause.side == "bilateral":
        return AreaLimits(min(1.0, 2 * lowest), min(1.0, 2 * highest))
    return AreaLimits(lowest, min(1.0, 2 * highest))  # no side is named: one side or both


def area_limits(instruction: Instruction) -> AreaLimits | None:
    """Return the limits for the mask of an instruction, over all of its clauses; ``None`` for free text.

    The union of several regions is at least as large as the largest of them and at most as large as their sum.
    """
    if not instruction.clauses:
        return None
    areas = [expected_area(clause) for clause in instruction.clauses]
    return AreaLimits(max(area.lowest for area in areas), min(1.0, sum(area.highest for area in areas)))


def _one_side(finding: Finding, sides: int) -> tuple[float, float]:
    if finding.box_areas is not None:
        lowest, highest = finding.box_areas
        return SMALLEST_BOX_SHARE * lowest, highest
    if finding.site not in SHAPES:
        raise InputError(f"`site` of {finding.name!r} must be one of {', '.join(SHAPES)}, got {finding.site!r}.")
    area = float((site_mask(finding.site) >= EDGE_LEVEL).float().mean()) / sides
    return SMALLEST_SITE_SHARE * area, area
