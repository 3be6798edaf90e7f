"""CMIG from its components, worked by hand."""

import math

import pytest
import torch

from x2x_core.evaluation.metrics.cmig import cmig, is_clipped


def of(pathology, race, age):
    return float(cmig(*(torch.tensor([x], dtype=torch.float64) for x in (pathology, race, age))))


def test_it_is_the_root_of_pathology_times_the_root_of_race_times_age():
    assert of(0.81, 0.64, 1.0) == pytest.approx(math.sqrt(0.81 * 0.8))
    assert of(0.5, 0.9, 0.4) == pytest.approx(math.sqrt(0.5 * math.sqrt(0.36)))  # sqrt(0.5 * 0.6)
    assert of(1, 1, 1) == 1 and of(0, 1, 1) == 0 and of(1, 0, 1) == 0


def test_a_negative_correlation_counts_as_none_and_is_flagged():
    assert of(0.9, 0.9, -0.3) == of(0.9, 0.9, 0) == 0
    assert is_clipped(-0.3) and not is_clipped(0.0)


def test_an_undefined_component_leaves_it_undefined():
    assert math.isnan(of(float("nan"), 0.9, 0.5)) and math.isnan(of(0.9, 0.9, float("nan")))


@pytest.mark.parametrize(("values", "name"), [((1.2, 1, 1), "pathology"), ((1, -0.1, 1), "race"), ((1, 1, 90), "age")])
def test_percentages_and_the_like_are_refused(values, name):
    with pytest.raises(ValueError, match=f"`{name}` must lie in"):
        of(*values)
