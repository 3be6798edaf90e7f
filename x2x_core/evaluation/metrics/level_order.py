"""Order of the edits of one finding at three levels."""

from __future__ import annotations

from collections.abc import Sequence


def level_order(doses: Sequence[float]) -> dict[str, float]:
    """Score whether the edits at three levels increase with the level.

    Args:
        doses: amount of change (or score) of the weak, the moderate and the strong edit.

    Returns:
        "monotone": 1 if each is larger than the one before, else 0 (chance: 1/6). "ordered": share of the three pairs
        of levels of which the stronger is larger (chance: 1/2). Equal doses count as out of order.
    """
    weak, moderate, strong = doses
    pairs = [weak < moderate, moderate < strong, weak < strong]
    return {"monotone": float(weak < moderate < strong), "ordered": sum(pairs) / len(pairs)}
