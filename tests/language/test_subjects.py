"""Findings that are the subject of their verb, behind another request."""

import pytest

from x2x_core import Instruction


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "add moderate pneumonia, the left pleural effusion should be removed",
            "Add the finding of moderate pneumonia. Remove the finding of left pleural effusion.",
        ),
        (
            "erase the right opacity, then a left pneumonia should be added, and generate a right PTX",
            "Remove the finding of right lung opacity. Add the findings of left pneumonia and right pneumothorax.",
        ),
        (
            "add a left effusion, the right one should disappear",
            "Add the finding of left pleural effusion. Remove the finding of right pleural effusion.",
        ),
        ("add edema and pneumonia must go", "Add the finding of edema. Remove the finding of pneumonia."),
        (
            "add edema while the effusion is to be removed",
            "Add the finding of edema. Remove the finding of pleural effusion.",
        ),
        (
            "add edema and the effusion on the right needs to be drained",
            "Add the finding of edema. Remove the finding of right pleural effusion.",
        ),
        (
            "Without changing the opacity, the right pneumothorax should be removed\nadd a large edema",
            "Remove the finding of right pneumothorax. Add the finding of large edema.",
        ),
        ("the effusion and the edema should be removed", "Remove the findings of pleural effusion and edema."),
        ("add pneumonia that should be on the left", "Add the finding of left pneumonia."),
    ],
)
def test_a_subject_is_not_an_object_of_the_verb_before(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize("first", ["add", "remove", "increase"])
@pytest.mark.parametrize("joint", [", ", " and ", "; ", ". ", ", but ", " while ", ", and also ", "\n"])
@pytest.mark.parametrize("modal", ["should be", "must be", "needs to be", "is to be", "has to be"])
@pytest.mark.parametrize(("verb", "operation"), [("removed", "remove"), ("added", "add"), ("reduced", "change")])
def test_each_verb_has_its_own_finding(first, joint, modal, verb, operation):
    clauses = Instruction.parse(f"{first} the edema{joint}the left effusion {modal} {verb}").clauses
    assert [(clause.finding, clause.side) for clause in clauses] == [("edema", None), ("pleural effusion", "left")]
    assert clauses[1].operation.value == operation


def test_a_list_between_two_verbs_is_refused():
    with pytest.raises(ValueError, match="between two verbs"):
        Instruction.parse("add edema, a nodule and an effusion should be removed")


@pytest.mark.parametrize(
    "text",
    [
        "make the left effusion as large as the right one",
        "make the effusion on the left look like the one on the right",
        "the left effusion should be as severe as the right",
        "add a left effusion, same on the right",
    ],
)
def test_a_comparison_with_another_finding_is_refused(text):
    with pytest.raises(ValueError, match="not something to compare with"):
        Instruction.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "on the patient's right, not mine, add a nodule",
        "on the right, as discussed, add a pneumothorax",
        "I meant right: add effusion",
        "at the left base, where it usually sits, add an effusion",
        "on the left add edema, also on the right",
    ],
)
def test_a_place_is_never_dropped(text):
    with pytest.raises(ValueError, match="`prompt` must"):
        Instruction.parse(text)


@pytest.mark.parametrize("words", ["add all", "add them all", "add all of them", "please add all"])
def test_all_stands_for_what_was_listed(words):
    read = Instruction.parse(f"mild edema, moderate cardiomegaly, small left effusion - {words}")
    assert str(read) == ("Add the findings of mild edema, moderate cardiomegaly and small left pleural effusion.")


@pytest.mark.parametrize(
    "tail",
    ["because of the left nodule", "given the known left nodule", "despite the left nodule", "to mask the nodule"],
)
def test_a_context_takes_no_zone_from_the_request(tail):
    read = Instruction.parse(f"remove the effusion in the RUL {tail}")
    assert str(read) == "Remove the finding of pleural effusion in the right upper lung zone."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "instead of edema, a large left effusion",
            "Remove the finding of edema. Add the finding of large left pleural effusion.",
        ),
        (
            "left effusion -> right effusion",
            "Remove the finding of left pleural effusion. Add the finding of right pleural effusion.",
        ),
        (
            "effusion: left -> right",
            "Remove the finding of left pleural effusion. Add the finding of right pleural effusion.",
        ),
        ("switch edema with effusion", "Remove the finding of edema. Add the finding of pleural effusion."),
        ("a bigger heart", "Add the finding of cardiomegaly."),
        ("the lower left nodule can go", "Remove the finding of lung lesion in the left lower lung zone."),
        ("make it look like he has heart failure", "Add the finding of heart failure."),
        ("add effusion in the left lower lob", "Add the finding of pleural effusion in the left lower lung zone."),
    ],
)
def test_exchanges_and_wishes_are_read(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "increase the smaller effusion",
        "make the smaller effusion larger",
        "remove the largest nodule",
        "put the effusion on the right instead",
    ],
)
def test_a_choice_among_several_is_refused(text):
    with pytest.raises(ValueError, match=r"chooses one of several|not understood"):
        Instruction.parse(text)


def test_a_comparison_of_sides_is_said_of_no_picture():
    assert not any("picture" in sentence for sentence in Instruction.parse("add effusions left > right").assumed)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "add nodule, effusion and edema, all mild",
            "Add the findings of mild lung lesion, mild pleural effusion and mild edema.",
        ),
        (
            "add nodule and effusion, all in the left lung",
            "Add the findings of left lung lesion and left pleural effusion.",
        ),
        (
            "add edema which is severe and effusion which is mild",
            "Add the findings of severe edema and mild pleural effusion.",
        ),
        (
            "a) add left effusion b) remove edema",
            "Add the finding of left pleural effusion. Remove the finding of edema.",
        ),
        ("add edema, e.g. from heart failure", "Add the finding of edema."),
    ],
)
def test_what_is_said_of_a_whole_list_holds_for_all_of_it(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize("text", ["add mild edema and effusion, both severe", "add leftpleural effusion"])
def test_levels_and_sides_that_contradict_or_stick_are_refused(text):
    with pytest.raises(ValueError, match=r"`prompt` must give each finding one level|not understood: 'leftpleural'"):
        Instruction.parse(text)


@pytest.mark.parametrize(
    "tail",
    [
        "pneumothorax: leave",
        "pneumothorax - leave it",
        "pneumothorax - no change",
        "pneumothorax already there",
        "away from the pneumothorax",
        "but careful with the pneumothorax",
        "but the pneumothorax must stay",
    ],
)
@pytest.mark.parametrize(
    "request_", ["add a small left effusion", "remove the left effusion", "increase the left effusion"]
)
def test_a_finding_that_stays_behind_a_request_is_not_edited(request_, tail):
    assert Instruction.parse(f"{request_}, {tail}").clauses == Instruction.parse(request_).clauses


@pytest.mark.parametrize("wish", ["I want", "I would like", "I need", "we need", "please have"])
@pytest.mark.parametrize("state", ["unchanged", "to stay", "as it is", "to be left alone", "kept"])
def test_what_is_wanted_unchanged_is_not_added(wish, state):
    read = Instruction.parse(f"{wish} the effusion {state}, remove the nodule")
    assert str(read) == "Remove the finding of lung lesion."


def test_included_findings_are_edited_too():
    read = Instruction.parse("remove the left effusion, including edema")
    assert str(read) == "Remove the findings of left pleural effusion and edema."
    read = Instruction.parse("remove all effusions, including the one on the left")
    assert str(read) == "Remove the finding of pleural effusion."


@pytest.mark.parametrize("text", ["add a left effusion, edema -", "add edema +", "add a nodule, effusion ++"])
def test_signs_behind_a_finding_are_refused(text):
    with pytest.raises(ValueError, match="add and remove in words"):
        Instruction.parse(text)


def test_what_a_removed_finding_comes_with_is_left_alone():
    read = Instruction.parse("remove the effusion associated with pneumonia")
    assert str(read) == "Remove the finding of pleural effusion."


@pytest.mark.parametrize("opening", ["As", "Because", "While", "Although", "Even though", "Since", "Though"])
@pytest.mark.parametrize(
    "state", ["a pneumothorax is present", "there is a pneumothorax", "the patient has a pneumothorax"]
)
def test_an_opening_clause_requests_nothing(opening, state):
    read = Instruction.parse(f"{opening} {state}, add a left effusion")
    assert str(read) == "Add the finding of left pleural effusion."
    assert {part.reason for part in read.left_out} == {"describes the patient and requests nothing"}


@pytest.mark.parametrize(
    "text", ["I removed", "You added", "Last time you added", "We have already removed", "They also added"]
)
def test_what_was_done_is_no_request(text):
    with pytest.raises(ValueError, match="not what was done"):
        Instruction.parse(f"{text} a pneumothorax. Now add a left effusion.")


@pytest.mark.parametrize(
    "text",
    [
        "does the patient have edema?",
        "did you add edema?",
        "add an arrow pointing to the effusion",
        "add text saying effusion",
        "make the edema worse and the effusion is improving",
    ],
)
def test_questions_and_annotations_are_refused(text):
    with pytest.raises(ValueError, match="`prompt` must"):
        Instruction.parse(text)


def test_comparatives_of_two_sides_are_two_changes():
    read = Instruction.parse("make the left effusion bigger and the right one smaller")
    assert {(clause.side, clause.level) for clause in read.clauses} == {("left", "increasing"), ("right", "decreasing")}


@pytest.mark.parametrize(
    "context", ["in a patient with edema", "in this patient with known atelectasis", "due to pneumonia"]
)
def test_a_side_of_the_context_is_not_the_requests(context):
    assert (
        str(Instruction.parse(f"remove the effusion {context} on the left"))
        == "Remove the finding of pleural effusion."
    )


@pytest.mark.parametrize(
    "text", ["+effusion -edema", "+effusion - edema", "add effusion -edema", "add left effusion -small"]
)
def test_signs_before_a_word_are_refused(text):
    with pytest.raises(ValueError, match="add and remove in words"):
        Instruction.parse(text)


@pytest.mark.parametrize("text", ["1. add left effusion\n2. remove edema", "- add left effusion\n- remove edema"])
def test_numbered_and_marked_lines_are_requests(text):
    assert str(Instruction.parse(text)) == ("Add the finding of left pleural effusion. Remove the finding of edema.")


def test_what_is_positive_is_not_removed_beside_what_is_negative():
    with pytest.raises(ValueError, match="must not add what is not there"):
        Instruction.parse("effusion positive, edema negative")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "make sure there is no pneumothorax and there is an effusion",
            "Remove the finding of pneumothorax. Add the finding of pleural effusion.",
        ),
        ("make sure there is a left effusion", "Add the finding of left pleural effusion."),
        ("add an effusion. Put it on the left.", "Add the finding of left pleural effusion."),
        ("the left effusion should be large", "Change the level of left pleural effusion to large."),
        (
            "the effusion should be small but the edema should be severe",
            "Change the level of pleural effusion to small. Change the level of edema to severe.",
        ),
        ("limit the edema to mild", "Change the level of edema to mild."),
    ],
)
def test_wishes_about_levels_and_places_are_read(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize(
    "text", ["add a left effusion and put it on the right", "add effusion on the side without the port"]
)
def test_two_places_of_one_finding_are_refused(text):
    with pytest.raises(ValueError, match="must name"):
        Instruction.parse(text)


@pytest.mark.parametrize(
    "tail",
    ["nodule: do not remove", "nodule: don't remove", "do not remove the nodule", "the nodule must not be removed"],
)
def test_a_prohibition_behind_its_finding_holds(tail):
    assert str(Instruction.parse(f"remove the effusion; {tail}")) == "Remove the finding of pleural effusion."


@pytest.mark.parametrize(
    "tail", ["nodule shouldn't", "nodule: don't", "nodule wasn't there", "but the nodule should not"]
)
@pytest.mark.parametrize("verb", ["add", "remove", "increase"])
def test_a_negation_that_negates_nothing_is_refused(verb, tail):
    with pytest.raises(ValueError, match="must say what is not to be edited"):
        Instruction.parse(f"{verb} the effusion, {tail}")


@pytest.mark.parametrize(
    "rest",
    ["without changing anything else", "don't change anything else", "without changing the rest", "otherwise normal"],
)
def test_a_place_of_what_stays_is_not_the_requests(rest):
    with pytest.raises(ValueError, match="behind"):
        Instruction.parse(f"add an effusion, {rest} on the left")
    assert str(Instruction.parse(f"add an effusion, {rest}")) == "Add the finding of pleural effusion."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add an effusion with the patient lying on the right", "Add the finding of pleural effusion."),
        ("add an effusion lying on the left", "Add the finding of left pleural effusion."),
        ("add a left effusion to this AP film", "Add the finding of left pleural effusion."),
        ("add a left effusion to the attached chest x-ray", "Add the finding of left pleural effusion."),
    ],
)
def test_a_posture_or_a_view_is_no_place(text, canonical):
    assert str(Instruction.parse(text)) == canonical
