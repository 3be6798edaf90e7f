"""Order of the edits of one finding at several levels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise


def level_order(doses: Sequence[float]) -> dict[str, float]:
    """Score whether the edits at several levels increase with the level.

    Args:
        doses: amount of change (or score) of each edit, from the weakest level to the strongest; at least two.

    Returns:
        "monotone": 1 if each is larger than the one before, else 0 (chance: 1/6 for three levels, 1/24 for four).
        "ordered": share of the pairs of levels of which the stronger is larger (chance: 1/2). Equal doses count as out
        of order.
    """
    pairs = [weak < strong for weak, strong in combinations(doses, 2)]
    monotone = all(weak < strong for weak, strong in pairwise(doses))
    return {"monotone": float(monotone), "ordered": sum(pairs) / len(pairs)}
