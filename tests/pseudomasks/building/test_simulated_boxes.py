"""Boxes of simulated pairs: around the change of one finding."""

import json

import cv2
import numpy as np
import pytest

from x2x_core.pseudomasks.building.simulated_boxes import simulated_boxes

ADD = {"operation": "add", "finding": "pleural effusion", "side": None, "zone": None}


LESION = {"finding": "pleural effusion", "side": "right", "zone": None}


def simulated(folder, clauses, lesions, change=None):
    if change is None:
        change = np.zeros((64, 64))
        change[40:56, 8:24] = -0.5
        change[0, 0] = 0.04  # under a tenth of the largest
    (folder / "change").mkdir()
    cv2.imwrite(str(folder / "change" / "000007-2.png"), ((change * 32767).round() + 32768).astype(np.uint16))
    row = {"file": "000007-2.png", "clauses": clauses, "before": [], "after": lesions}
    (folder / "attributes.jsonl").write_text(json.dumps(row) + "\n")


def test_a_simulated_pair_gives_the_box_of_its_change(tmp_path):
    simulated(tmp_path, [ADD], [LESION])
    (box,) = simulated_boxes(tmp_path)
    assert box.category == "Effusion" and (box.image_id, box.patient_id) == ("000007-2.png", "000007")
    assert box.edges == pytest.approx((8 / 64, 40 / 64, 24 / 64, 56 / 64))
    assert box.known_side == "right" and box.known_zone is None and box.zones == ("lower", "basal")


@pytest.mark.parametrize(
    ("clauses", "change"),
    [([ADD, ADD], None), ([{**ADD, "operation": "change"}], None), ([{**ADD, "finding": "scoliosis"}], None),
     ([ADD], np.zeros((8, 8)))],
)  # fmt: skip
def test_pairs_without_a_box_of_a_single_finding_are_skipped(tmp_path, clauses, change):
    simulated(tmp_path, clauses, [LESION], change)
    with pytest.raises(ValueError, match="must hold pairs that add or remove one finding"):
        simulated_boxes(tmp_path)


def test_a_missing_dataset_and_a_missing_change_map_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no simulated dataset"):
        simulated_boxes(tmp_path)
    simulated(tmp_path, [ADD], [LESION])
    (tmp_path / "change" / "000007-2.png").unlink()
    with pytest.raises(FileNotFoundError, match="There is no change map"):
        simulated_boxes(tmp_path)
