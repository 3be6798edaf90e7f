"""Pseudomasks in one patient: the atlas's, within what bounds the finding."""

import dataclasses

import pytest
import torch
from lung_cases import noise, radiograph

from x2x_core import Instruction, PseudomaskAtlas
from x2x_core.anatomy.bounds import finding_bounds
from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.pseudomasks.regions import clause_region, frame_of, instruction_region

SIZE = (160, 160)


@pytest.fixture(scope="module")
def atlas():
    return PseudomaskAtlas.bundled()


@pytest.fixture(scope="module")
def alignment(atlas):
    return atlas.align(radiograph(0))


def share(mask):
    return float((mask >= EDGE_LEVEL).float().mean())


@pytest.mark.parametrize("text", ["Add left pneumothorax", "Add small right pneumothorax", "Remove left effusion"])
def test_the_region_is_within_the_atlas_s_and_clearly_smaller(atlas, alignment, text):
    (clause,) = Instruction.parse(text).clauses
    wide = atlas.for_instruction(Instruction((clause,)), SIZE, frame_of(alignment))
    region = clause_region(atlas, clause, SIZE, alignment)
    assert (region <= wide).all() and share(region) < 0.8 * share(wide)


@pytest.mark.parametrize("text", ["right upper consolidation", "right middle pneumonia", "left lower opacity", "edema"])
def test_a_finding_of_the_lungs_reaches_the_pleura(atlas, alignment, text):
    (clause,) = Instruction.parse(f"Add {text}").clauses
    wide = atlas.for_instruction(Instruction((clause,)), SIZE, frame_of(alignment))[0, 0]
    region = clause_region(atlas, clause, SIZE, alignment)[0, 0]
    bounds = finding_bounds(alignment.chest, clause)[0, 0]
    rows = (torch.minimum(wide, bounds) > 0.99).any(1)
    assert rows.any() and (region[rows] - bounds[rows]).abs().max() < 0.02  # from heart to chest wall
    assert (region <= bounds).all() and (region.amax(1) <= torch.minimum(wide, bounds).amax(1) + 1e-6).all()


def test_without_one_lung_the_atlas_s_region_is_used(atlas, alignment):
    (clause,) = Instruction.parse("Add left pneumonia").clauses
    empty = dataclasses.replace(alignment.lungs, left=torch.zeros_like(alignment.lungs.left))
    wide = atlas.for_instruction(Instruction((clause,)), SIZE, frame_of(alignment))
    assert torch.equal(clause_region(atlas, clause, SIZE, dataclasses.replace(alignment, lungs=empty)), wide)


def test_without_confidence_the_atlas_s_region_is_used_and_the_note_says_so(atlas, alignment, caplog):
    (clause,) = Instruction.parse("Add left pneumothorax").clauses
    wide = atlas.for_instruction(Instruction((clause,)), SIZE, frame_of(alignment))
    unsure = dataclasses.replace(alignment, confidence=0.7)
    assert torch.equal(clause_region(atlas, clause, SIZE, unsure), wide)
    assert torch.equal(clause_region(atlas, clause, SIZE, None), atlas.for_instruction(Instruction((clause,)), SIZE))
    lost = atlas.align(noise())
    assert not lost.sure and "not bounded by this patient's lungs" in lost.note


def test_an_instruction_s_region_is_the_union_of_its_clauses_(atlas, alignment):
    instruction = Instruction.parse("Add left pneumothorax and cardiomegaly")
    both = [clause_region(atlas, clause, SIZE, alignment) for clause in instruction.clauses]
    assert torch.equal(instruction_region(atlas, instruction, SIZE, alignment), torch.maximum(*both))
    thorax = Instruction.parse("make it look different")
    region = instruction_region(atlas, thorax, SIZE, alignment)
    assert torch.equal(region, atlas.for_instruction(thorax, SIZE, frame_of(alignment)))


def test_a_region_outside_the_lungs_is_kept_with_a_warning(atlas, alignment, caplog):
    corner = torch.zeros(64, 64)
    corner[-6:, :6] = 1
    (clause,) = Instruction.parse("Add consolidation").clauses
    own = PseudomaskAtlas({"Consolidation": corner})
    region = clause_region(own, clause, SIZE, alignment)
    assert torch.equal(region, own.for_instruction(Instruction((clause,)), SIZE, frame_of(alignment)))
    assert "outside the lungs" in caplog.text
