"""Calibration: folds by patient, cuts that cover held-out boxes, and the choice of the smoothing."""

import numpy as np
import pytest
from box_cases import PLAIN, make_boxes

from x2x_core.pseudomasks.building.calibration import (
    CrossValidation,
    calibrate,
    choose_smoothing,
    held_out,
    split_patients,
    weighted_quantile,
)
from x2x_core.pseudomasks.building.model import BoxGroup
from x2x_core.pseudomasks.building.smoothing import Smoothing
from x2x_core.pseudomasks.maps import Place


def test_the_weighted_quantile():
    values, weights = np.array([0.3, 0.1, 0.2]), np.array([1.0, 1.0, 2.0])
    assert [weighted_quantile(values, weights, share) for share in (0.25, 0.26, 0.75, 1.0)] == [0.1, 0.2, 0.2, 0.3]


def test_patients_are_dealt_evenly_and_never_split():
    fold_of = split_patients([box.patient_id for box in make_boxes(40)], 5, seed=0)
    assert np.bincount(list(fold_of.values())).tolist() == [4] * 5
    with pytest.raises(ValueError, match="`folds` must lie between 2"):
        split_patients(["a", "b"], 3, seed=0)


def test_a_cut_covers_more_than_required_where_boxes_are_few():
    groups = {"Effusion": BoxGroup.of(make_boxes(60, spread=0.08))}
    asked = held_out(groups, PLAIN, CrossValidation(48, ["Effusion"], 5, 0))
    levels = asked["Effusion", Place()]
    assert levels.boxes == 60
    cut = calibrate(asked, 0.9)["Effusion", Place()]
    inside = levels.weights[levels.mass <= cut].sum() / levels.weights.sum()
    assert 0.9 < inside < 0.93


def test_the_smoothing_with_the_smallest_regions_is_chosen():
    groups = {"Effusion": BoxGroup.of(make_boxes(60, spread=0.05))}
    good, bad = PLAIN, Smoothing("kernel", 0.3)
    chosen, table = choose_smoothing(groups, CrossValidation(48, ["Effusion"], 5, 0), 0.97, (bad, good))
    assert chosen == good
    assert table[1]["editable_share"]["mean"] < table[0]["editable_share"]["mean"] and table[0]["bandwidth"] == 0.3
