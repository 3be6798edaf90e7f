"""Scores of localisation: against brute force over thresholds, in closed forms, with ties and without a region."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.evaluation.metrics.average_precision import average_precision
from x2x_core.evaluation.metrics.best_iou import best_iou
from x2x_core.evaluation.metrics.energy_inside import energy_inside
from x2x_core.evaluation.metrics.pointing import pointing

SCORES = (average_precision, energy_inside, pointing, best_iou)
CASES = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 8), st.integers(0, 999))


def random_case(height, width, levels, seed):
    """A map of few values, so that many are equal, and a region."""
    draws = torch.rand(2, height, width, generator=seeded(seed))
    return (draws[0] * levels).floor() / levels, draws[1] < 0.4


def at_thresholds(found, region):
    """For each distinct value: hits, pixels taken."""
    for threshold in sorted(set(found.flatten().tolist()), reverse=True):
        taken = found >= threshold
        yield int((taken & region).sum()), int(taken.sum())


@given(CASES)
def test_average_precision_is_the_sum_over_all_thresholds(case):
    found, region = random_case(*case)
    assume(region.any())
    expected, before = 0.0, 0
    for hits, taken in at_thresholds(found, region):
        expected += (hits - before) / int(region.sum()) * hits / taken
        before = hits
    assert average_precision(found, region) == pytest.approx(expected)


@given(CASES)
def test_the_best_iou_is_that_of_some_threshold_and_of_none_more(case):
    found, region = random_case(*case)
    assume(region.any())
    ious = [hits / (taken + int(region.sum()) - hits) for hits, taken in at_thresholds(found, region)]
    assert best_iou(found, region) == pytest.approx(max(ious))


@given(CASES)
def test_energy_and_pointing_by_hand(case):
    found, region = random_case(*case)
    assume(region.any())
    pairs = list(zip(found.flatten().tolist(), region.flatten().tolist()))
    total = sum(value**2 for value, _ in pairs)
    inside = sum(value**2 for value, there in pairs if there)
    assert energy_inside(found, region) == pytest.approx(inside / total if total else 0)
    highest = [there for value, there in pairs if value == max(value for value, _ in pairs)]
    assert pointing(found, region) == pytest.approx(sum(highest) / len(highest))


@given(CASES)
def test_scores_lie_in_zero_to_one_and_ignore_the_order_of_pixels(case):
    found, region = random_case(*case)
    assume(region.any())
    order = torch.randperm(found.numel(), generator=seeded(case[3]))
    for score in SCORES:
        value = score(found, region)
        assert 0 <= value <= 1 + 1e-12
        shuffled = [values.flatten()[order].reshape(values.shape) for values in (found, region)]
        assert score(*shuffled) == pytest.approx(value)
        assert score(found[None], region[None]) == value


@given(CASES)
def test_only_the_ranks_count_for_precision_and_iou(case):
    found, region = random_case(*case)
    assume(region.any())
    assert average_precision(torch.exp(3 * found) - 40, region) == pytest.approx(average_precision(found, region))
    assert best_iou(torch.exp(3 * found) - 40, region) == pytest.approx(best_iou(found, region))


def test_a_map_that_is_the_region_is_perfect_and_its_opposite_the_worst():
    region = torch.zeros(4, 5, dtype=torch.bool)
    region[1:3, 2:4] = True  # 4 of 20
    assert [score(region.float(), region) for score in SCORES] == [1, 1, 1, 1]
    worst = 1 - region.float()
    assert average_precision(worst, region) == pytest.approx(4 / 20)
    assert (energy_inside(worst, region), pointing(worst, region)) == (0, 0)
    assert best_iou(worst, region) == pytest.approx(4 / 20)  # the whole image


def test_a_flat_map_scores_what_chance_does():
    region = torch.zeros(4, 5, dtype=torch.bool)
    region[0] = True
    flat = torch.full((4, 5), 0.3)
    assert [score(flat, region) for score in SCORES] == pytest.approx([0.25] * 4)
    assert energy_inside(torch.zeros(4, 5), region) == 0


def test_energy_counts_signed_changes_by_their_squares():
    change, region = torch.tensor([[3.0, -4.0]]), torch.tensor([[False, True]])
    assert energy_inside(change, region) == pytest.approx(16 / 25)


@pytest.mark.parametrize("score", SCORES)
def test_scores_are_nan_for_an_empty_region(score):
    assert math.isnan(score(torch.rand(3, 3, generator=seeded()), torch.zeros(3, 3, dtype=torch.bool)))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("found", "region", "message"),
    [
        (torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2, dtype=torch.bool), r"`map` must be \(H, W\) or \(1, H, W\)"),
        (torch.zeros(2, 2, 2), torch.ones(2, 2, 2, dtype=torch.bool), r"`map` must be \(H, W\) or \(1, H, W\)"),
        (torch.zeros(2, 2), torch.ones(2, 3, dtype=torch.bool), r"of the map's shape \(2, 2\), got .* \(2, 3\)"),
        (torch.zeros(2, 2), torch.ones(2, 2), "`region` must be bool"),
        (torch.tensor([[float("nan")]]), torch.ones(1, 1, dtype=torch.bool), "finite"),
    ],
)
def test_what_is_no_map_or_region_is_refused(score, found, region, message):
    with pytest.raises(ValueError, match=message):
        score(found, region)
