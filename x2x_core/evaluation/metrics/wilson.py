"""Wilson's score interval of a share.

Method: Wilson, *Probable inference, the law of succession, and statistical inference*, JASA 1927.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from x2x_core.common.errors import InputError
from x2x_core.evaluation.results import Metric

from .bootstrap import LEVEL


def wilson(hits: int, count: int) -> Metric:
    """Return a share with its 95 % interval; independent trials are assumed.

    Args:
        hits: trials of the kind that is counted.
        count: all trials; 0 gives an undefined share.

    Raises:
        InputError: `hits` outside 0 to `count`.
    """
    if not 0 <= hits <= count:
        raise InputError(f"`hits` must lie between 0 and `count`, {count}, got {hits}.")
    if not count:
        return Metric(None, note="nothing was counted")
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    share, spread = hits / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    low, high = (0.0 if hits == 0 else centre - half), (1.0 if hits == count else centre + half)
    return Metric(share, low, high, count)
