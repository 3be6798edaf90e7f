"""Choice of the pairs that a report shows."""

from __future__ import annotations

from collections.abc import Sequence

RANKS = ("best", "median", "worst")  # in the order in which they are shown
CASES_PER_RANK = 3  # of a report
RANKING = "mse_ratio"  # measure that ranks the pairs; the lowest value is best


def choose_cases(ratios: Sequence[float], count: int) -> dict[int, str]:
    """Choose the best, median and worst pairs.

    Args:
        ratios: one for each pair, nan for pairs that are not ranked; the lowest is best.
        count: pairs of each rank. If there are fewer pairs than places, the best are filled first, then the worst.

    Returns:
        Pair index to rank, in the order in which they are shown.
    """
    ranked = [index for ratio, index in sorted((ratio, index) for index, ratio in enumerate(ratios) if ratio == ratio)]
    middle = max(0, (len(ranked) - count) // 2)
    members = {"best": ranked[:count], "worst": ranked[-count:], "median": ranked[middle : middle + count]}
    chosen: dict[int, str] = {}
    for rank, indices in members.items():
        for index in indices:
            chosen.setdefault(index, rank)
    return dict(sorted(chosen.items(), key=lambda item: (RANKS.index(item[1]), ratios[item[0]])))
