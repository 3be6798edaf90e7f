"""Learnt maps: valid places, mirrored sides, and sides learnt apart."""

import pytest
import torch
from atlas_cases import probabilities

from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.maps import Place


def test_the_probability_behind_a_mask(bundled):
    right = bundled.probability("Effusion", "right", "lower")
    assert 0.3 < right.max() <= 1 and right.min() >= 0
    assert torch.equal(bundled.probability("Effusion", "left", "lower"), right.flip(-1))
    assert right.argmax() // right.shape[1] > right.shape[0] / 2  # likeliest in the lower half
    with pytest.raises(ValueError, match="must name a probability map of the atlas, got 'Mole'"):
        bundled.probability("Mole")


@pytest.mark.parametrize("names", [("Edema/right",), ("Edema", "Edema/above"), ("Edema", "Edema/lower/right")])
def test_maps_of_invalid_places_are_refused(names):
    with pytest.raises(ValueError, match="`maps` must name a finding that has a map of its own"):
        PseudomaskAtlas(probabilities(*names))


def test_where_sides_are_learnt_apart_neither_stands_for_the_other():
    atlas = PseudomaskAtlas(probabilities("Edema", "Edema/right", "Edema/left", "Edema/right/upper"))
    assert atlas.probability("Edema", "right", "upper").shape == (16, 16)
    with pytest.raises(ValueError, match="'left' and 'upper'"):
        atlas.probability("Edema", "left", "upper")
    assert Place("left", "upper").mirrored == Place("right", "upper")
