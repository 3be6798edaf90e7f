"""Findings that stay, scenes and purposes: never edited beside a request, and reported or refused."""

import itertools

import pytest

from x2x_core import Instruction
from x2x_core.language.clauses import Clause, Operation

_REMARKS = (
    "same edema", "the same edema as now", "edema: same", "edema = same", "edema is OK", "edema is fine",
    "edema no change", "edema n/c", "edema constant", "edema should be left", "edema remains", "edema as before",
    "edema as in the original", "edema remaining the same", "edema to be retained", "but edema", "near edema",
    "e.g. edema", "i.e. edema", "nor the right", "the right has one too", "compared with the right side",
    "for the edema dataset", "causing edema", "freeze the edema",
)  # fmt: skip


@pytest.mark.parametrize(
    ("base", "joint", "remark"),
    list(itertools.product(["remove", "add"], [", ", " ", "\n", "; "], _REMARKS)),
)
def test_what_stays_behind_a_request_is_never_edited(base, joint, remark):
    try:
        instruction = Instruction.parse(f"{base} the left effusion{joint}{remark}")
    except ValueError:
        return
    assert instruction.clauses == (Clause(Operation(base), "pleural effusion", "left"),)
    explained = instruction.explain()
    assert explained.left_alone or explained.left_out or explained.assumed


@pytest.mark.parametrize(
    ("scene", "joint"),
    list(
        itertools.product(
            ["Imagine a patient with edema", "Suppose there is edema", "To mimic edema", "To study pneumonia vs edema",
             "To test whether my model confuses pneumonia with edema"],
            [", ", ". ", ": ", "; ", "\n"],
        )
    ),
)  # fmt: skip
def test_what_sets_the_scene_of_a_request_is_not_edited(scene, joint):
    instruction = Instruction.parse(f"{scene}{joint}add a left effusion")
    assert instruction.clauses == (Clause(Operation.ADD, "pleural effusion", "left"),)
    assert any("edema" in part.words for part in instruction.explain().left_out)


@pytest.mark.parametrize(
    "text",
    ["Add consolidation in segment 6 of the left lung", "add an effusion ipsilateral to the left consolidation"],
)
def test_a_place_that_is_not_known_is_refused(text):
    with pytest.raises(ValueError, match="name the place"):
        Instruction.parse(text)


def test_a_misspelt_english_word_of_another_language_is_corrected():
    assert str(Instruction.parse("add left pneumotorax")) == "Add the finding of left pneumothorax."


def test_a_finding_without_a_verb_beside_a_state_is_named():
    with pytest.raises(ValueError, match="without a verb"):
        Instruction.parse("Left lung: consolidation at the base. Right lung: no change.")
