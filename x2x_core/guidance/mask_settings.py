"""Settings of the rules in `x2x_core.guidance.mask_rules`, without the heavy imports of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from x2x_core.common.values import number, one_of, switch

from .setting import check_settings, setting

MASK_RULES = ("threshold", "adaptive")


@dataclass(frozen=True)
class MaskSettings:
    """The settings that turn a guidance map into a mask.

    Args:
        mask_rule: "threshold" (the published rule) or "adaptive", which finds the level in the guidance map; see
            `x2x_core.guidance.mask_rules`.
        mask_threshold: tau, the level of the guidance map from which the image may change, [0, 1]; 0 selects the whole
            pseudomask (unless `limit_area` raises the level). Giving it selects the rule "threshold".
        remove_islands: remove small islands of the mask.
        close_holes: fill holes of the mask, within the pseudomask.
        limit_area: adjust the level until the mask's area is one that the finding can have
            (`x2x_core.anatomy.areas`); not with the caller's own `pseudomask`.

    Raises:
        InputError: a value out of range.
    """

    mask_rule: str = setting("threshold", one_of(MASK_RULES), recommendable=True, fixed="uses a threshold")
    mask_threshold: float = setting(0.1, number(0, 1), recommendable=True)
    remove_islands: bool = setting(
        True, switch, recommendable=True, published=False, fixed="does not clean up the mask"
    )
    close_holes: bool = setting(True, switch, recommendable=True, published=False, fixed="does not clean up the mask")
    limit_area: bool = setting(True, switch, recommendable=True, published=False, fixed="does not clean up the mask")

    def __post_init__(self) -> None:
        check_settings(self)


class MaskSettingsKwargs(TypedDict, total=False):
    """The settings of a mask; ``None``: the checkpoint's recommendation, or the default."""

    mask_rule: str | None
    mask_threshold: float | None
    remove_islands: bool | None
    close_holes: bool | None
    limit_area: bool | None
