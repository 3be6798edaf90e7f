"""Scores of an atlas: honest about patients it has not seen, tighter after alignment, and reproducible."""

import numpy as np
import pytest
import torch

from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.building.boxes import Box
from x2x_core.pseudomasks.building.evaluation import ALIGNED, BASELINE, CASES, evaluate_boxes, move_box, named_places
from x2x_core.pseudomasks.building.smoothing import Smoothing
from x2x_core.pseudomasks.building.union_masks import save_union_masks, union_masks

QUICK = {"smoothing": Smoothing("kernel", 0.04), "resolution": 48}


class Shift:
    """An image whose anatomy lies lower and to one side, and is smaller."""

    def __init__(self, x, y, scale=1.0):
        self.offset, self.scale = torch.tensor([x, y], dtype=torch.float64), scale

    def to_frame(self, points):
        return (points - self.offset.to(points.dtype)) / self.scale


def patients(count=60, seed=0):
    """Boxes in one place of the anatomy, on images that are shifted; and their frames."""
    draws = np.random.default_rng(seed)
    boxes, frames = [], {}
    for n in range(count):
        x, y = draws.uniform(-0.12, 0.12, 2)
        side = 0.3 if n % 2 else 0.7
        boxes.append(Box("Effusion", side + x, 0.6 + y, 0.15, 0.15, f"{n}", f"{n}"))
        frames[f"{n}"] = Shift(x, y)
    return boxes, frames


def test_each_case_is_measured_and_alignment_helps_where_patients_differ():
    boxes, frames = patients()
    cases = evaluate_boxes(boxes, frames=frames, **QUICK)["Effusion"]
    assert list(cases) == [*CASES, *ALIGNED]
    for case, aligned in zip(CASES, ALIGNED):
        assert cases[case]["boxes"] == cases[aligned]["boxes"] == 60
        assert cases[case]["coverage"] > 0.93 and cases[aligned]["coverage"] > 0.93
        assert cases[aligned]["editable_share"] < 0.8 * cases[case]["editable_share"]
    assert cases[CASES[1]]["editable_share"] < 0.7 * cases[CASES[0]]["editable_share"]
    assert 0 < cases[CASES[0]]["floor"] <= cases[CASES[0]]["editable_share"]


def test_without_frames_no_aligned_case_is_reported():
    assert list(evaluate_boxes(patients(20)[0], folds=2, **QUICK)["Effusion"]) == list(CASES)


def test_an_image_without_a_frame_is_named():
    boxes, frames = patients(20)
    del frames["7"]
    with pytest.raises(ValueError, match="`frames` must hold every image, but 1 are missing, such as 7"):
        evaluate_boxes(boxes, folds=2, frames=frames, **QUICK)


def test_a_patient_is_never_in_both_training_and_test_fold():
    """Held out, a patient's own place is not known: their far box can't be covered by having been seen."""
    boxes = patients(40)[0] + [Box("Effusion", 0.1, 0.1, 0.1, 0.1, "odd", "odd")] * 3
    cases = evaluate_boxes(boxes, **QUICK)["Effusion"]
    without = evaluate_boxes(boxes[:40], **QUICK)["Effusion"]
    assert cases["finding"]["boxes"] == 43 and cases["finding"]["coverage"] < without["finding"]["coverage"]


def test_a_box_is_queried_by_every_place_that_names_it():
    box = Box("Effusion", 0.3, 0.31, 0.1, 0.1, "i", "p")
    assert named_places(box, CASES[0]) == [(None, None)]
    assert named_places(box, CASES[1]) == [("right", None)]
    assert named_places(box, CASES[2]) == [("right", "upper"), ("right", "middle")]
    across = Box("Pneumonia", 0.5, 0.7, 0.6, 0.4, "i", "p")
    assert named_places(across, CASES[2]) == [("bilateral", "lower")]
    assert named_places(Box("Cardiomegaly", 0.6, 0.7, 0.2, 0.2, "i", "p"), CASES[2]) == [(None, "lower")]


def test_a_box_moves_with_its_frame():
    moved = move_box(Box("Mass", 0.5, 0.6, 0.2, 0.1, "i", "p"), Shift(0.1, 0.2, 0.5))
    assert (moved.cx, moved.cy, moved.width, moved.height) == pytest.approx((0.8, 0.8, 0.4, 0.2))


def test_a_baseline_is_measured_on_the_same_boxes(tmp_path):
    boxes = patients(30)[0]
    save_union_masks(boxes, tmp_path)
    cases = evaluate_boxes(boxes, folds=3, baseline=PseudomaskAtlas.load(tmp_path), **QUICK)["Effusion"]
    assert cases[BASELINE]["boxes"] == 30 and cases[BASELINE]["coverage"] > 0.99
    assert cases[BASELINE]["editable_share"] == pytest.approx(union_masks(boxes)["Effusion"].mean(), abs=0.02)
