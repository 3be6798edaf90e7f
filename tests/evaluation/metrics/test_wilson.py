"""Wilson's interval against published values and the equation that defines it."""

import math

import pytest

from x2x_core.evaluation.metrics.wilson import wilson


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 1998, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_it_gives_the_published_intervals(hits, count, low, high):
    share = wilson(hits, count)
    assert share.value == hits / count and share.n == count
    assert (share.low, share.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(("hits", "count"), [(3, 16), (9, 16), (15, 16)])
def test_its_ends_are_1_96_standard_errors_from_the_share(hits, count):
    share = wilson(hits, count)
    for end in (share.low, share.high):
        assert abs(share.value - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / count), rel=1e-5)


def test_all_is_bounded_by_1_and_nothing_is_undefined():
    assert wilson(16, 16).high == 1 and wilson(16, 16).low == pytest.approx(1 - wilson(0, 16).high)
    assert wilson(0, 0).value is None and wilson(0, 0).note
    with pytest.raises(ValueError, match="`hits` must lie between 0 and `count`, 4, got 5"):
        wilson(5, 4)
