"""Kinds of requests: particles, arrows, abbreviations, places first, shared sides, words that no request claims."""

import logging

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("take the nodule out", "Remove the finding of lung lesion."),
        ("drop in a small left nodule", "Add the finding of small left lung lesion."),
        ("drop the left nodule", "Remove the finding of left lung lesion."),
        ("dial the edema down", "Decrease the level of edema."),
        ("bring the nodule back", "Add the finding of lung lesion."),
        ("put in a left nodule", "Add the finding of left lung lesion."),
        ("put on the left a nodule", "Add the finding of left lung lesion."),
        ("add edema; let the left nodule be", "Add the finding of edema."),
        ("bring the edema down from severe to mild", "Change the level of edema from severe to mild."),
        ("take the edema from mild to severe", "Change the level of edema from mild to severe."),
    ],
)
def test_a_particle_belongs_to_its_verb_also_behind_the_object(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize("text", ["add edema and drop off the nodule", "remove edema, double-check the nodule"])
def test_a_verb_with_an_unknown_particle_or_in_a_compound_is_not_the_verb_alone(text):
    assert Instruction.parse(text).findings == ("edema",)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("edema mild -> severe", "Change the level of edema from mild to severe."),
        ("left effusion: small ==> large", "Change the level of left pleural effusion from small to large."),
        ("none → mild edema", "Add the finding of mild edema."),
        ("nodule -> none", "Remove the finding of lung lesion."),
    ],
)
def test_an_arrow_between_levels_needs_no_verb(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add mod. L pl. eff. and RLL consol.",
         "Add the findings of moderate left pleural effusion and consolidation in the right lower lung zone."),
        ("add RML PNA", "Add the finding of pneumonia in the right middle lung zone."),
        ("add a left pneumo", "Add the finding of left pneumothorax."),
        ("add opacity in the lingula", "Add the finding of lung opacity in the left middle lung zone."),
        ("Add left eff. Remove edema.", "Add the finding of left pleural effusion. Remove the finding of edema."),
    ],
)  # fmt: skip
def test_abbreviations_of_findings_are_read_with_and_without_a_full_stop(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("in the left lung, add a nodule, and in the right lung, an effusion",
         "Add the findings of left lung lesion and right pleural effusion."),
        ("From the left lung remove the nodule", "Remove the finding of left lung lesion."),
        ("On the right: remove the nodule, add an effusion",
         "Remove the finding of right lung lesion. Add the finding of right pleural effusion."),
        ("In the RUL and the LLL add a nodule",
         "Add the findings of lung lesion in the right upper lung zone and lung lesion in the left lower lung zone."),
        ("To the left apex, add a nodule", "Add the finding of lung lesion in the left apical lung zone."),
        ("LUL add edema, RLL remove nodule",
         "Add the finding of edema in the left upper lung zone. Remove the finding of lung lesion in the right lower "
         "lung zone."),
    ],
)  # fmt: skip
def test_a_place_before_its_finding_belongs_to_nothing_before_it(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add right effusion and consolidation", "Add the findings of right pleural effusion and right consolidation."),
        ("add right effusion and a consolidation", "Add the findings of right pleural effusion and consolidation."),
        ("add right effusion and edema", "Add the findings of right pleural effusion and edema."),
        ("Add the findings of right pleural effusion and consolidation.",
         "Add the findings of right pleural effusion and consolidation."),
        ("add a left effusion with adjacent atelectasis",
         "Add the findings of left pleural effusion and left atelectasis."),
        ("add a left effusion with a contralateral pneumothorax",
         "Add the findings of left pleural effusion and right pneumothorax."),
        ("replace the left nodule with a consolidation",
         "Remove the finding of left lung lesion. Add the finding of left consolidation."),
    ],
)  # fmt: skip
def test_a_side_is_shared_where_nothing_begins_a_new_item(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add edema, mild, with small effusion", "Add the findings of mild edema and small pleural effusion."),
        ("add a left nodule, but only a small one", "Add the finding of small left lung lesion."),
        ("make the left effusion large, the right one small",
         "Change the level of left pleural effusion to large. Change the level of right pleural effusion to small."),
        ("add effusions, slightly greater on the right", "Add the finding of bilateral pleural effusion."),
        ("add effusions greater on the left than on the right", "Add the finding of bilateral pleural effusion."),
        ("add a nodule on the left half of the image", "Add the finding of right lung lesion."),
        ("add a nodule on the left when you look at it", "Add the finding of right lung lesion."),
        ("add a nodule on the\nleft", "Add the finding of left lung lesion."),
        ("create a version in which the patient has no edema", "Remove the finding of edema."),
    ],
)  # fmt: skip
def test_attributes_go_to_the_finding_that_they_are_said_of(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    "rest",
    [
        ", known left effusion", ", persistent effusion", ", effusion as before", ", effusion excluded",
        " rather than an effusion", "; the effusion stays put", " but by no means an effusion",
        ", effusion left alone", "; let the effusion be",
    ],
)  # fmt: skip
def test_what_is_there_or_forbidden_is_not_added(rest):
    assert read(f"add edema{rest}") == "Add the finding of edema."


@pytest.mark.parametrize("text", ["add edema (effusion negative)", "add edema, neg for effusion"])
def test_negative_is_an_absence(text):
    assert read(text) == "Add the finding of edema. Remove the finding of pleural effusion."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Large left effusion. No edema.", "belongs to no request"),
        ("remove all opacities except those on the right", "leave it alone"),
        ("the nodule shouldn't be removed", "only says what to leave alone"),
        ("you mustn't add edema", "only says what to leave alone"),
        ("the edema should not be removed", "only says what to leave alone"),
        ("add an effusion on the side of the nodule", "must name the side"),
        ("add an effusion where the nodule is", "must name the side"),
        ("add a larger effusion", "larger"),
        ("remove the smaller nodule", "smaller"),
        ("increase the effusion, large", "after 'to'"),
        ("everything should go but the nodule", "must name the findings"),
        ("keep the nodule, erase the rest", "must name the findings"),
        ("add a nodule and a small one", "Name its side"),
        ("add edema, RLL remove the nodule", "between two requests"),
        ("add a nodule? no, an effusion", "take back"),
        ("left effusion: no; right effusion: yes", "take back"),
        ("no left but a right effusion", "with its own verb"),
        ("make the left nodule an effusion", "with its own verb"),
        ("remove the absence of edema", "a removal follows a removal"),
        ("add a left nodule and an effusion on the same side", "must name the side"),
        ("add an effusion if there is none", "turn the request round"),
        ("add opacities in all zones but the upper ones", "must name the findings"),
    ],
)
def test_what_could_be_read_two_ways_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_a_statement_beside_a_request_is_left_out_and_said(caplog):
    with caplog.at_level(logging.WARNING):
        assert read("The film showed edema. Remove the nodule.") == "Remove the finding of lung lesion."
    assert "edema" in caplog.text
