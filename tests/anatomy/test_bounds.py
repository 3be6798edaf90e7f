"""Bounds of findings in a patient's chest."""

import dataclasses

import pytest
import torch
from lung_cases import BODIES, radiograph, truth

from x2x_core import Instruction
from x2x_core.anatomy.alignment import align_image
from x2x_core.anatomy.bounds import chest_of, finding_bounds
from x2x_core.anatomy.lungs import INSIDE, LungFinder
from x2x_core.anatomy.sites import EDGE_LEVEL


@pytest.fixture(scope="module")
def aligned():
    found = align_image(radiograph(0))
    assert found.sure
    return found


def bounds(alignment, text):
    (clause,) = Instruction.parse(text).clauses
    return finding_bounds(alignment.chest, clause)[0, 0]


def editable(alignment, text):
    return bounds(alignment, text) >= EDGE_LEVEL


def lowest(mask):
    return int(mask.any(1).nonzero().max())


@pytest.mark.parametrize("body", BODIES[:3])
def test_findings_of_the_lungs_stay_in_the_lung_of_their_side(body):
    alignment, (right, left) = align_image(radiograph(body)), truth(body)
    region = editable(alignment, "Add left consolidation")
    found = LungFinder.bundled().find(radiograph(body)).left[0, 0] >= INSIDE
    assert (region & found).sum() > 0.98 * found.sum()
    # The true lung goes on beside a dome at which the finder ends it.
    assert (region & left).sum() > 0.95 * left.sum() and (region & right).sum() < 0.02 * right.sum()
    assert region.sum() < 1.8 * left.sum()
    both = editable(alignment, "Add severe edema")
    assert torch.equal(both, region | editable(alignment, "Add right consolidation"))


def test_a_pneumothorax_lies_along_apex_and_wall_and_widens_with_its_level(aligned):
    right, left = truth(0)
    small, large = (editable(aligned, f"Add {level} left pneumothorax") for level in ("minimal", "large"))
    assert not (small & ~large).any() and small.sum() < large.sum() < 1.5 * left.sum()
    middle = left.clone()
    rows = left.any(1).nonzero().flatten()
    middle[: rows[len(rows) // 2]] = False
    for row in rows[len(rows) // 2 : -20]:
        columns = left[row].nonzero().flatten()
        assert small[row, columns[-1]]  # the lateral wall: the patient's left is on the right of the image
    assert small[rows[0] : rows[0] + 5][left[rows[0] : rows[0] + 5]].all()  # the apex
    assert not editable(aligned, "Add large left pneumothorax")[right].any()
    assert torch.equal(editable(aligned, "Add left pneumothorax"), large)


def test_fluid_reaches_below_the_lung_and_its_removal_does_not_reach_as_far(aligned):
    lung = lowest(truth(0)[1])
    added, removed = (editable(aligned, f"{verb} left pleural effusion") for verb in ("Add", "Remove"))
    assert lowest(added) > lung + 10 and lowest(removed) < lowest(added)
    assert not (removed & ~added).any()


def test_a_removal_ends_at_the_dome(aligned):
    _, left = truth(0)
    removed = editable(aligned, "Remove left lower consolidation")
    for column in left.any(0).nonzero().flatten()[10:-10]:
        assert lowest(removed[:, [column]]) <= lowest(left) + 8
    assert lowest(removed) <= lowest(left) + 8


def test_the_heart_s_box_spans_the_gap_between_the_lungs(aligned):
    right, left = truth(0)
    region = editable(aligned, "Add severe cardiomegaly")
    row = (lowest(right) + lowest(left)) // 2 - 25
    inner = slice(int(right[row].nonzero().max()), int(left[row].nonzero().min()))
    assert region[row, inner].all() and region.float().mean() < 0.55
    assert not region[: int(right.any(1).nonzero().min()) + 20].any()


def test_other_findings_and_missing_lungs_are_not_bounded(aligned):
    (clause,) = Instruction.parse("Add fracture").clauses
    assert finding_bounds(aligned.chest, clause) is None
    empty = dataclasses.replace(aligned.lungs, left=torch.zeros_like(aligned.lungs.left))
    assert chest_of(empty, aligned.frame) is None


def test_the_chest_is_made_once_for_each_picture(aligned):
    assert aligned.chest is aligned.chest
    assert dataclasses.replace(aligned, confidence=0.8).chest is not aligned.chest


def test_bounds_have_the_image_s_size_and_range(aligned):
    region = bounds(aligned, "Add right pneumonia")
    assert region.shape == aligned.lungs.size and float(region.min()) >= 0 and float(region.max()) == 1
