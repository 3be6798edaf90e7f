"""Framing, contexts, places in clauses, spelling of acronyms, and lists: what stands around a request."""

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "edit this image so that the left effusion is no longer present",
        "modify the film so there is no left effusion",
        "change the x-ray so that the left effusion disappears",
        "update the picture such that the left effusion is gone",
        "generate a follow-up film in which the left effusion has resolved",
        "alter the scan so the left effusion vanishes",
        "please edit the image so that the left effusion is removed", "tweak it so that the left effusion is cleared",
        "adjust the radiograph such that it has no left effusion", "make it so that the left effusion goes away",
    ],
)  # fmt: skip
def test_a_frame_says_nothing_of_the_finding(text):
    assert read(text) == "Remove the finding of left pleural effusion."


def test_what_a_framed_picture_shows_is_added():
    text = "modify the x-ray such that it shows bilateral lower lobe consolidation"
    assert (
        read(text) == "Add the finding of consolidation in the bilateral lower lung zones."
        or Instruction.parse(text).clauses == Instruction.parse("add bilateral lower lobe consolidation").clauses
    )


@pytest.mark.parametrize(
    "text",
    [
        "In addition to the existing edema, add a nodule", "On top of the cardiomegaly, add a nodule",
        "Given known emphysema, add a nodule", "Despite the pneumonia, add a nodule", "add a nodule c/w granuloma",
        "Compared to the prior film with edema, add a nodule", "add a nodule, ddx granuloma", "r/o pneumonia, "
        "add a nodule",
        "add a nodule in the setting of emphysema", "Besides the edema, add a nodule",
    ],
)  # fmt: skip
def test_a_context_is_not_edited(text):
    added = Instruction.parse(text).clauses
    assert [(clause.operation.value, clause.finding) for clause in added] == [("add", "lung lesion")]


@pytest.mark.parametrize(
    "text",
    [
        "remove the nodule that is in the right upper lobe", "remove the nodule which is in the RUL",
        "remove the nodule located in the right upper zone", "remove the nodule that lies in the RUL",
        "remove the nodule seen in the right upper lobe", "remove the nodule situated in the RUL",
        "remove the nodule which lies in the right upper lung", "remove the nodule found in the RUL",
        "remove the nodule that sits in the right upper zone", "remove the nodule sitting in the RUL",
        "remove the nodule in the anterior segment of the right upper lobe",
    ],
)  # fmt: skip
def test_a_clause_that_only_names_the_place_is_the_place(text):
    assert read(text) == "Remove the finding of lung lesion in the right upper lung zone."


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("remove right upper, middle and lower lobe opacities", ["upper", "middle", "lower"]),
        ("add right upper and middle zone opacities", ["upper", "middle"]),
        ("add an opacity in the right middle and lower zones", ["middle", "lower"]),
        ("add right apical, perihilar and basal opacities", ["apical", "perihilar", "basal"]),
    ],
)
def test_one_side_is_that_of_all_zones_of_a_list(text, zones):
    places = {(clause.side, clause.zone) for clause in Instruction.parse(text).clauses}
    assert places == {("right", zone) for zone in zones}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add two nodules, one in each upper lobe", "Add the finding of lung lesion in the upper lung zones."),
        ("add one nodule in the RUL and another in the LLL",
         "Add the findings of lung lesion in the right upper lung zone and lung lesion in the left lower lung zone."),
        ("add nodules and masses, RUL", "Add the finding of lung lesion in the right upper lung zone."),
        ("decrease the heart size and the effusion",
         "Remove the finding of cardiomegaly. Decrease the level of pleural effusion."),
        ("a slightly larger left effusion, please", "Increase the level of left pleural effusion."),
        ("add consolidation RLL and LLL", "Add the finding of consolidation in the lower lung zones."),
        ("on the right there should be a nodule", "Add the finding of right lung lesion."),
        ("add opac. L hilum", "Add the finding of lung opacity in the left hilar lung zone."),
        ("add GGO both LL", "Add the finding of lung opacity in the lower lung zones."),
        ("add atelectasis of the left lung and effusion of the adjacent lung",
         "Add the findings of left atelectasis and left pleural effusion."),
    ],
)  # fmt: skip
def test_counts_synonyms_and_verbs_in_lists(text, canonical):
    clauses = Instruction.parse(text).clauses
    assert clauses == Instruction.parse(canonical.replace("in the upper lung zones",
    "in both upper lung zones").replace(
        "in the lower lung zones", "in both lower lung zones")).clauses  # fmt: skip


@pytest.mark.parametrize("word", ["ARDS", "COPD", "SLE", "HAND", "LFTS"])
def test_an_acronym_is_no_slip(word):
    assert Instruction.parse(f"add a nodule, {word}").corrected == ()


@pytest.mark.parametrize("word", ["placed", "strips", "rights", "stripe", "wait", "scans", "weak", "empyema", "went"])
def test_a_word_of_its_own_or_another_form_is_no_slip(word):
    try:
        corrected = Instruction.parse(f"add a nodule {word}").corrected
    except ValueError:
        return  # refused, which is no reading
    assert corrected == ()


@pytest.mark.parametrize(
    "text",
    [
        "from the viewer's perspective add a nodule on the left",
        "as I see it, left nodule, remove",
        "as the reader sees it, put a nodule on the left",
        "add a nodule on the left in the image",
    ],
)
def test_whose_side_is_meant_must_be_said_beside_it(text):
    with pytest.raises(ValueError, match="whose left is meant"):
        read(text)


def test_the_pictures_lower_right_is_the_patients_left():
    assert Instruction.parse("add an opacity at the picture's lower right").clauses[0].side == "left"


@pytest.mark.parametrize(
    "text",
    [
        "add a left effusion (right CP angle sharp)", "add a left effusion (right lung clear)",
        "add a left effusion (left)",
        "add a (left) effusion", "add a left effusion (right side unchanged)",
        "add a left effusion (the right is normal)",
        "add effusion (L)", "add a left effusion in this patient", "add a left effusion (right base stable)",
        "add a left effusion (right angle intact)",
        "add a left effusion with right-sided mediastinal shift", "add a left effusion, right lung without abnormality",
        "add a left effusion to this film showing emphysema", "add a left effusion with leftward shift",
    ],
)  # fmt: skip
def test_a_remark_in_brackets_is_no_place_of_the_finding(text):
    (clause,) = Instruction.parse(text).clauses
    assert (clause.finding, clause.side) == ("pleural effusion", "left")


@pytest.mark.parametrize(
    "text",
    ["add a nodule in this CHF patient", "add a nodule to a pneumonia patient",
    "for this emphysema patient add a nodule",
     "add a nodule in an edema patient", "in the CHF patient add a nodule"],
)  # fmt: skip
def test_a_finding_beside_the_patient_describes_the_patient(text):
    assert Instruction.parse(text).findings == ("lung lesion",)


def test_the_zone_inside_a_name_is_kept():
    (clause,) = Instruction.parse("add a collapsed left lower lobe").clauses
    assert (clause.finding, clause.side, clause.zone) == ("atelectasis", "left", "lower")


@pytest.mark.parametrize(
    "text", ["on your right, add a nodule", "on my right add a nodule", "at the viewer's right: add a nodule"]
)
def test_a_side_of_the_viewer_before_the_verb_is_turned(text):
    assert Instruction.parse(text).clauses[0].side == "left"
