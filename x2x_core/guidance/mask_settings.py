"""Settings of the rules in `x2x_core.guidance.mask_rules`, without the heavy imports of these."""

from __future__ import annotations

from dataclasses import dataclass

MASK_RULES = ("threshold", "adaptive")


@dataclass(frozen=True)
class MaskSettings:
    """The settings that turn a guidance map into a mask; see `mask_rules` and `x2x_core.edit.settings.EditSettings`."""

    mask_rule: str  # one of `MASK_RULES`
    mask_threshold: float  # tau, [0, 1]; for the rule "threshold"
    remove_islands: bool
    close_holes: bool
    limit_area: bool
