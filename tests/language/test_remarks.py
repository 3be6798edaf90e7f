"""Remarks in a list of requests, statements beside a request, and words that can mean two things."""

import itertools

import pytest

from x2x_core import Instruction
from x2x_core.language.clauses import Clause, Operation

_JOINTS = (", ", " ", "\n", "; ", ". ")
_REMARKS = (
    "edema?", "edema ?", "(edema?)", "possible edema", "edema possible", "maybe edema", "edema perhaps", "edema likely",
    "edema suspected", "edema noted", "edema seen", "edema treated", "edema last week", "edema yesterday",
    "edema later", "edema instead", "edema is wrong", "edema is right", "edema is increasing", "edema improved",
    "edema increased", "edema has improved", "edema has increased", "edema has cleared", "edema has been drained",
    "edema is present", "there is edema", "what about edema", "edema off", "edema away", "edema up", "edema not seen",
    "with or without edema", "skip edema", "skip the edema", "check the edema", "fix the edema", "and fix the edema",
)  # fmt: skip


@pytest.mark.parametrize(("base", "joint", "remark"), list(itertools.product(["remove", "add"], _JOINTS, _REMARKS)))
def test_what_is_remarked_behind_a_request_is_not_edited(base, joint, remark):
    try:
        instruction = Instruction.parse(f"{base} the left effusion{joint}{remark}")
    except ValueError:
        return
    assert instruction.clauses == (Clause(Operation(base), "pleural effusion", "left"),)
    explained = instruction.explain()
    assert explained.left_alone or explained.left_out or explained.assumed


@pytest.mark.parametrize(
    "text",
    [
        "add edema and/or effusion", "add edema or effusion", "add a left effusion. And/or edema.",
        "add a left effusion, old edema", "edema instead of effusion", "remove the effusion. Instead of edema.",
        "change edema to mild or moderate", "add an effusion of gargantuan size", "remove the left-most nodule",
        "remove pneumothorax rechts",
        "remove the left effusion. The right one too.", "render the effusion invisible",
        "add effusion to the left and ditto to the right",
    ],
)  # fmt: skip
def test_choices_and_places_that_are_not_understood_are_refused(text):
    with pytest.raises(ValueError, match="`prompt`"):
        Instruction.parse(text)


@pytest.mark.parametrize("verb", ["treat", "correct", "heal", "cure"])
def test_what_is_to_be_healed_beside_a_request_is_removed_and_said(verb):
    instruction = Instruction.parse(f"add a left effusion, {verb} the edema")
    assert instruction.clauses[1:] == (Clause(Operation.REMOVE, "edema"),)
    assert f"'{verb}' was taken for removing edema." in instruction.explain().assumed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("add a left effusion instead of edema", "'instead of' was taken for removing edema."),
        ("add a left effusion. Edema cleared.", "'cleared' was taken for removing edema."),
    ],
)
def test_a_removal_that_could_be_a_remark_is_said(text, said):
    assert said in Instruction.parse(text).explain().assumed


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("the right effusion should grow and the left should shrink",
         "Increase the level of right pleural effusion. Decrease the level of left pleural effusion."),
        ("add an effusion as a sequela of pneumonia", "Add the finding of pleural effusion."),
        ("add a pneumothorax following rib fracture", "Add the finding of pneumothorax."),
        ("add pneumonia superimposed upon edema", "Add the finding of pneumonia."),
        ("the patient, who has scoliosis, should get a nodule", "Add the finding of lung lesion."),
        ("let a left effusion appear", "Add the finding of left pleural effusion."),
        ("the effusion ought to vanish", "Remove the finding of pleural effusion."),
        ("the effusion should be twice the size", "Increase the level of pleural effusion."),
        ("add mod-sev edema", "Add the finding of moderate to severe edema."),
        ("dec R eff to trace", "Change the level of right pleural effusion to minimal."),
        ("add blunting of R CPA", "Add the finding of right blunting of the costophrenic angle."),
        ("not only edema but also effusion should be added", "Add the findings of edema and pleural effusion."),
        ("remove the effusion without a trace", "Remove the finding of pleural effusion."),
        ("could you add an effusion, edema?", "Add the findings of pleural effusion and edema."),
        ("remove the effusion and the edema seen on the left",
         "Remove the findings of pleural effusion and left edema."),
    ],
)  # fmt: skip
def test_wishes_idioms_and_descriptions_are_read(text, canonical):
    assert str(Instruction.parse(text)) == canonical


def test_a_question_about_an_addition_is_no_change():
    assert Instruction.parse("would it look better with an effusion?").clauses == ()
