"""Requests in users' words: exceptions, sides, unknown words, comparisons, descriptions, references, places, states."""

import logging

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


def is_free(text):
    return Instruction.parse(text).region == "thorax"


@pytest.mark.parametrize(
    "text",
    [
        "remove everything but the edema",
        "delete all findings except for pneumonia",
        "erase all abnormalities apart from the left effusion",
        "clear everything aside from the cardiomegaly",
        "get rid of all but the nodule",
        "remove everything with the exception of the fracture",
        "take away all lesions, the effusion excepted",
        "remove everything",
        "remove all findings",
        "nothing but edema should be removed",
    ],
)
def test_requests_about_everything_are_refused_and_never_turned_round(text):
    with pytest.raises(ValueError, match="`prompt` must name the findings to edit"):
        read(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("remove all left effusions", "Remove the finding of left pleural effusion."),
        ("add edema, everything else unchanged", "Add the finding of edema."),
        ("add edema and keep all the rest", "Add the finding of edema."),
        ("add edema and leave everything else alone", "Add the finding of edema."),
    ],
)
def test_all_of_one_finding_and_all_the_rest_are_understood(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add edema sans pneumonia", "Add the finding of edema. Remove the finding of pneumonia."),
        ("add edema w/o pneumonia", "Add the finding of edema. Remove the finding of pneumonia."),
        ("add edema, pneumonia: none", "Add the finding of edema. Remove the finding of pneumonia."),
        ("add edema, excluding pneumonia", "Add the finding of edema."),
        ("add edema, ignore the pneumonia", "Add the finding of edema."),
        ("pneumonia absent", "Remove the finding of pneumonia."),
        ("I don't want the right effusion", "Remove the finding of right pleural effusion."),
    ],
)
def test_negations_never_add(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    "text", ["avoid adding edema", "no need to remove the edema", "there is no reason to add edema"]
)
def test_a_prohibition_alone_is_refused(text):
    with pytest.raises(ValueError, match="only says what to leave alone"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "add an effusion on the left side of the image",
        "add an effusion on the left of the radiograph",
        "add an effusion on the left hand side of the picture",
        "add an effusion on the image's left side",
        "add an effusion, image left",
        "add an effusion on the viewer's left",
        "add an effusion on your left",
        "add an effusion left as viewed",
        "add an effusion on the left (image left)",
    ],
)
def test_the_left_of_the_picture_is_the_patients_right_and_it_is_said(text, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(text) == "Add the finding of right pleural effusion."
    assert "left of the picture is the patient's right" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "add a left effusion to the image",
        "add to the image a left effusion",
        "in this image left effusion should be added",
        "add an effusion on the patient's left",
        "add an effusion in the left lung of this image",
    ],
)
def test_a_side_beside_the_word_image_stays_the_patients(text, caplog):
    assert "left" in read(text) and "right" not in read(text)
    assert "of the picture" not in caplog.text


def test_a_side_that_could_be_either_is_refused():
    with pytest.raises(ValueError, match="`prompt` must say whose left is meant"):
        read("add an effusion on the left in the image")


def test_mirrored_words_of_the_picture_mean_the_other_side():
    instruction = Instruction.parse("add an effusion on the left side of the image")
    assert Instruction.parse(instruction.flipped().text).clauses == instruction.flipped().clauses


@pytest.mark.parametrize(
    "rest",
    [
        "with mediastinal shift to the right",
        "pushing the trachea to the right",
        "with deviation of the trachea to the right",
        ", right lung clear",
        ", the right side remains clear",
        ", nothing on the right",
        "and nothing on the right",
        "while the right lung stays normal",
        ", the patient is rotated to the right",
        "; right lung unchanged",
        "with a right pacemaker",
        "and right subclavian line",
    ],
)
def test_a_side_said_of_something_else_is_not_the_findings(rest):
    assert read(f"add a left pneumothorax {rest}") == "Add the finding of left pneumothorax."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add a left pacemaker and edema", "Add the finding of edema."),
        ("add large right efuzion and mild edema", "Add the finding of mild edema."),
        ("add pneumonia with severe kyphosis", "Add the finding of pneumonia."),
        ("add edema and patchy right basal opacity",
         "Add the findings of edema and lung opacity in the right basal lung zone."),
        ("add edema and a loculated left effusion", "Add the findings of edema and left pleural effusion."),
    ],
)  # fmt: skip
def test_attributes_of_an_unknown_noun_never_go_to_a_neighbour(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize("verb", ["zorp", "photoshop", "defenestrate", "fiddle with", "look at"])
@pytest.mark.parametrize("first", ["add edema and", "remove edema,", "remove edema;"])
def test_an_unknown_verb_never_inherits_the_verb_before_it(first, verb, caplog):
    instruction = Instruction.parse(f"{first} {verb} the left effusion")
    assert instruction.findings == ("edema",)
    assert "effusion" in " ".join(instruction.unplaced) and "Not understood" in caplog.text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add bilateral effusions, right worse than left", "Add the finding of bilateral pleural effusion."),
        ("add effusions, left much bigger than right", "Add the finding of bilateral pleural effusion."),
        ("add effusions R>L", "Add the finding of bilateral pleural effusion."),
        ("add small bilateral effusions, more on the left", "Add the finding of small bilateral pleural effusion."),
        ("add an effusion bigger than a fist", "Add the finding of pleural effusion."),
        ("make the left effusion larger than the spleen", "Increase the level of left pleural effusion."),
        ("add bilateral edema and increasing left effusion",
         "Add the findings of bilateral edema and increasing left pleural effusion."),
    ],
)  # fmt: skip
def test_comparisons_are_neither_sides_nor_changes(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "add edema to this patient with pneumonia",
        "in a patient with pneumonia, add edema",
        "add edema caused by heart failure",
        "add edema which looks like pneumonia",
        "add edema beneath the consolidation",
        "add edema because the pneumonia got worse",
        "add edema, mimicking pneumonia",
    ],
)
def test_findings_that_describe_the_patient_are_not_requested(text):
    assert read(text) == "Add the finding of edema."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add a left effusion and remove the right one",
         "Add the finding of left pleural effusion. Remove the finding of right pleural effusion."),
        ("remove the right nodule and put it on the left",
         "Remove the finding of right lung lesion. Add the finding of left lung lesion."),
        ("the image shows edema. Make it severe.", "Change the level of edema to severe."),
        ("increase the left effusion and decrease the right one",
         "Increase the level of left pleural effusion. Decrease the level of right pleural effusion."),
    ],
)  # fmt: skip
def test_one_and_it_refer_to_the_finding_before(text, canonical):
    if "shows" in text:
        text = text.replace("the image shows", "there is")
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("On the right, add a nodule", "Add the finding of right lung lesion."),
        ("Right upper lobe: add a nodule", "Add the finding of lung lesion in the right upper lung zone."),
        ("on the left remove the effusion and on the right add edema",
         "Remove the finding of left pleural effusion. Add the finding of right edema."),
        ("left: add edema; right: remove edema", "Add the finding of left edema. Remove the finding of right edema."),
        ("In the right lung add a left effusion", "Add the finding of left pleural effusion."),
    ],
)  # fmt: skip
def test_a_place_before_the_verb_belongs_to_its_findings(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "add edema, pneumonia unchanged",
        "add edema; the pneumonia stays",
        "add edema, stable pneumonia",
        "add edema and leave the pneumonia as is",
    ],
)
def test_what_stays_as_it_is_is_left_alone(text):
    assert read(text) == "Add the finding of edema."


def test_the_list_goes_on_after_what_stays_as_it_is():
    text = "add edema, pneumonia unchanged, and a fracture"
    assert read(text) == "Add the findings of edema and fracture."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("exchange edema for pneumonia", "Remove the finding of edema. Add the finding of pneumonia."),
        ("substitute edema for pneumonia", "Remove the finding of pneumonia. Add the finding of edema."),
        ("change left effusion small -> large", "Change the level of left pleural effusion from small to large."),
        ("add L PTX and B/L effusions", "Add the findings of left pneumothorax and bilateral pleural effusion."),
        ("add LUZ opacity", "Add the finding of lung opacity in the left upper lung zone."),
        ("add a lot of fluid", "Add the finding of large pleural effusion."),
    ],
)  # fmt: skip
def test_exchanges_arrows_and_abbreviations(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add no effusion but edema", "Remove the finding of pleural effusion. Add the finding of edema."),
        ("add fracture, no effusion, and edema",
         "Add the finding of fracture. Remove the finding of pleural effusion. Add the finding of edema."),
        ("add edema, no effusion or fracture",
         "Add the finding of edema. Remove the findings of pleural effusion and fracture."),
        ("remove the edema rather than the effusion", "Remove the finding of edema."),
        ("add the edema instead of the effusion",
         "Add the finding of edema. Remove the finding of pleural effusion."),
    ],
)  # fmt: skip
def test_a_negation_ends_where_but_or_a_comma_ends_it(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("remove the added effusion", "Remove the finding of pleural effusion."),
        ("the previously inserted nodule should be removed", "Remove the finding of lung lesion."),
        ("make the effusion on the right larger than the left", "Increase the level of right pleural effusion."),
        ("with a left effusion in place, add a right pneumothorax", "Add the finding of right pneumothorax."),
        ("add an effusion to the left nodule", "Add the finding of pleural effusion."),
        ("add a right effusion, the left lung has a nodule", "Add the finding of right pleural effusion."),
        ("add both effusion and edema", "Add the findings of pleural effusion and edema."),
        ("add effusion in both lungs and edema", "Add the findings of bilateral pleural effusion and edema."),
    ],
)
def test_words_that_look_like_requests_are_not_followed(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("add bilateral effusions but not on the right", "leave it alone"),
        ("add an effusion but spare the right side", "leave it alone"),
        ("undo the removal of the effusion", "of another edit"),
        ("put the left effusion on the other side", "must name the side"),
        ("remove one of the effusions", "must say which effusions is meant"),
    ],
)
def test_what_would_be_read_as_its_opposite_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("smaller left effusion", "Decrease the level of left pleural effusion."),
        ("the edema should be worse", "Increase the level of edema."),
        ("a left nodule, please", "Add the finding of left lung lesion."),
    ],
)
def test_a_wish_alone_needs_no_verb(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize("text", ["large left effusion", "left effusion"])
def test_a_finding_alone_stays_free_text(text):
    assert is_free(text)
