"""Readers of other people's layouts, on small copies in their formats."""

import json
import math

import pytest
import torch
from bench_cases import BOX, SIZE, picture, tensor, write_med_banana, write_medebench, write_miedb

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.benches.cases import check_files, of_groups
from x2x_core.evaluation.benches.med_banana import failed_share, read_med_banana
from x2x_core.evaluation.benches.medebench import METADATA, read_medebench
from x2x_core.evaluation.benches.miedb import painted_region, read_miedb
from x2x_core.evaluation.metrics.attention_iou import attention_iou
from x2x_core.evaluation.metrics.best_iou import best_iou


def test_medebench_is_read_with_its_regions_and_captions(tmp_path):
    cases = check_files(read_medebench(write_medebench(tmp_path)))
    assert [case.id for case in cases] == ["1", "2", "3"] and [case.group for case in cases][2] == "Teeth"
    first = cases[0]
    assert first.before == tmp_path / "editing/previous/1.png" and first.mask.parent.name == "previous_mask"
    assert first.instruction.startswith("Add the finding") and first.caption.startswith("A radiograph")
    assert [case.id for case in of_groups(cases, ["Teeth"])] == ["3"]


def test_miedb_is_read_with_its_painted_targets(tmp_path):
    cases = check_files(read_miedb(write_miedb(tmp_path)))
    assert [case.group for case in cases] == ["Perception", "Modification", "Transformation"]
    assert [case.painted for case in cases] == [True, False, False] and cases[1].id == "1"


@pytest.mark.parametrize("kind", ["edit", "remove"])
def test_med_banana_is_read_without_what_its_judge_refused(tmp_path, kind):
    folder = write_med_banana(tmp_path, tmp_path / "inputs", kind)
    (case,) = check_files(read_med_banana(folder, tmp_path / "inputs"))
    assert case.group == "Pleural Effusion" and case.before == tmp_path / "inputs" / "s0.jpg"
    assert case.target.name == f"s0-Pleural_Effusion-{kind}.jpeg" and failed_share(folder) == 0.5


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255)])
def test_paint_is_found_in_each_colour_and_a_grey_change_is_none(colour):
    before, painted = tensor(picture()), tensor(picture(0, BOX, colour))
    expected = torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    expected[:, BOX[0], BOX[1]] = True
    assert torch.equal(painted_region(painted, before), expected)
    assert not painted_region(before, before).any()


def test_missing_and_broken_copies_are_refused(tmp_path):
    with pytest.raises(InputNotFoundError, match="no copy of MedEBench"):
        read_medebench(tmp_path)
    with pytest.raises(InputNotFoundError, match="no copy of MieDB"):
        read_miedb(tmp_path)
    with pytest.raises(InputNotFoundError, match="no folder of inputs"):
        read_med_banana(tmp_path, tmp_path / "none")
    folder = write_medebench(tmp_path / "med")
    with pytest.raises(InputError, match="`groups` must be among Chest, Teeth, got 'Hand'"):
        of_groups(read_medebench(folder), ["Hand"])
    (folder / "editing/changed/3.png").unlink()
    with pytest.raises(InputNotFoundError, match="of case 3 is missing"):
        check_files(read_medebench(folder))
    record = json.loads((folder / METADATA).read_text())
    del record["samples"][1]["prompt"]
    (folder / METADATA).write_text(json.dumps(record))
    with pytest.raises(InputError, match="sample 2` must have an entry `prompt`"):
        read_medebench(folder)
    (folder / METADATA).write_text("[]")
    with pytest.raises(InputError, match="must have an entry `samples`"):
        read_medebench(folder)
    (folder / METADATA).write_text("{")
    with pytest.raises(InputError, match="must be JSON"):
        read_medebench(folder)
    with pytest.raises(InputError, match="at least one case"):
        check_files([])


def test_attention_overlap_by_hand():
    attention = torch.tensor([[0.0, 1.0, 2.0], [0.0, 4.0, 4.0]])
    region = torch.tensor([[False, False, True], [False, True, True]])
    assert attention_iou(attention, region) == 2 / 3  # above 2 are two pixels, both of the region's three
    assert attention_iou(3 * attention + 1, region) == 2 / 3 <= best_iou(attention, region)
    assert attention_iou(torch.ones(2, 3), region) == 0 and math.isnan(attention_iou(attention, region & False))
