"""Words for what is not there: "normal", "nothing", "none", "no"."""

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "add edema to this normal chest film", "add edema to a normal x-ray", "add edema in the normal chest",
        "add clear edema", "add edema, nothing else", "add edema, otherwise normal", "add edema. No other changes.",
        "add edema to the otherwise normal film", "in this normal film add edema", "add edema, normal heart",
        "add edema to a normal looking chest", "add edema, no other findings", "add edema; nothing else should change",
        "no acute findings. Add edema.", "add edema, nothing more", "add edema without changing anything else",
    ],
)  # fmt: skip
def test_words_for_nothing_never_turn_an_addition_into_a_removal(text):
    assert read(text) == "Add the finding of edema."


@pytest.mark.parametrize(
    "text",
    ["add edema, none", "add effusion none", "add an absent nodule", "insert zero edema", "add nodule: none",
     "put edema, absent", "add resolved edema", "add effusion (none)", "create edema, none at all",
     "add effusion = none"],
)  # fmt: skip
def test_what_is_added_cannot_be_absent(text):
    with pytest.raises(ValueError, match=r"must not add what is not there|must give"):
        read(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("from normal to RLL pneumonia", "Add the finding of pneumonia in the right lower lung zone."),
        ("normal -> left nodule", "Add the finding of left lung lesion."),
        ("turn this normal film into one with a left nodule", "Add the finding of left lung lesion."),
        ("convert the film to one showing edema", "Add the finding of edema."),
        ("no effusion -> moderate left effusion", "Add the finding of moderate left pleural effusion."),
        ("no edema -> mild edema", "Add the finding of mild edema."),
        ("replace 'no effusion' with 'small left effusion'", "Add the finding of small left pleural effusion."),
        ("from none to mild edema", "Add the finding of mild edema."),
        ("edema to normal", "Remove the finding of edema."),
        ("large edema -> none", "Remove the finding of large edema."),
        ("change the right effusion to none and the left to small",
         "Remove the finding of right pleural effusion. Change the level of left pleural effusion to small."),
    ],
)  # fmt: skip
def test_a_change_from_nothing_adds_and_to_nothing_removes(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "add nothing on the left, an effusion on the right", "add an effusion on the right, none on the left",
        "add right effusion, left lung clear", "left lung: nothing. Right lung: add effusion",
        "left lung clear. add effusion on the right", "add right effusion and nothing on the left",
        "add an effusion to the right; nothing on the left", "put nothing at the left, effusion at the right",
        "add effusion on the right, while the left lung stays clear", "add right effusion, the left is clear",
    ],
)  # fmt: skip
def test_a_side_with_nothing_gets_nothing(text):
    assert {(c.operation.value, c.side) for c in Instruction.parse(text).clauses} == {("add", "right")}


@pytest.mark.parametrize(
    "text",
    [
        "add cardiomegaly, no edema, left effusion", "add edema, no nodule, fracture", "insert a nodule, no edema, "
        "effusion",
        "no pneumonia but edema", "not pneumonia but edema", "add effusion left and clear the right lung",
        "see that there is no pneumothorax and there is an effusion", "without effusion, but with edema",
        "add left effusion, clear right lung", "no effusion yes edema",
    ],
)  # fmt: skip
def test_a_negation_that_could_go_on_is_refused(text):
    with pytest.raises(ValueError, match=r"^`prompt` (must|has)"):
        read(text)


@pytest.mark.parametrize(
    "text",
    ["effusion kept, edema removed", "the effusion should be kept but the edema removed", "effusion stays, "
    "remove edema",
     "effusion unchanged, remove edema", "effusion as is, remove the edema", "effusion to stay, remove edema",
     "the effusion remains, edema removed", "effusion intact, delete the edema", "effusion stable; remove edema",
     "effusion left alone, edema deleted"],
)  # fmt: skip
def test_what_stays_may_be_said_first(text):
    instruction = Instruction.parse(text)
    assert str(instruction) == "Remove the finding of edema."
    assert instruction.left_alone == ("pleural effusion",)
    assert "Left alone: pleural effusion." in str(instruction.explain())
