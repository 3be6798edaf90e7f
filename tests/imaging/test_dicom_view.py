"""Orientation of a picture, and evidence against a frontal chest radiograph."""

import numpy as np
import pytest
from dicom_cases import dataset
from pydicom.dataset import Dataset

from x2x_core.imaging.dicom_view import Turning, check_modality, turning, view_warnings

# A body from the front: right arm R, left arm L, head H, feet F, as frontal radiographs lie.
BODY = np.array([["RH", "LH"], ["RF", "LF"], ["rf", "lf"]])
PLAIN = np.zeros((2, 2), np.uint8)


def lie(rows, columns):
    """The body as a file holds it whose rows run to `rows` and whose columns run to `columns`."""
    across, along = (columns, rows) if rows in "HF" else (rows, columns)
    laid = BODY[:, ::-1] if across == "R" else BODY
    laid = laid[::-1] if along == "H" else laid
    return laid.T if rows in "HF" else laid


@pytest.mark.parametrize(("rows", "columns"), [a + b for a, b in zip("LLRRFFHH", "FHFHLRLR")])
def test_however_a_file_lies_the_patients_right_comes_to_the_left(rows, columns):
    turn, facts, warnings = turning(dataset(PLAIN, PatientOrientation=[rows, columns]))
    assert (turn.apply(lie(rows, columns)) == BODY).all()
    assert not facts and bool(warnings) == ((rows, columns) != ("L", "F"))


def test_swapped_sides_are_said():
    turn, _, warnings = turning(dataset(PLAIN, PatientOrientation=["R", "F"]))
    assert turn == Turning(mirror=True) and "left and right were swapped" in warnings[0]


def test_colour_is_turned_as_grey_is():
    values = np.arange(12).reshape(2, 2, 3)
    assert (Turning(mirror=True).apply(values) == values[:, ::-1]).all()


@pytest.mark.parametrize("value", [None, "", ["L", ""]])
def test_an_orientation_that_is_not_said_changes_nothing_and_is_noted(value):
    turn, facts, warnings = turning(dataset(PLAIN, PatientOrientation=value))
    assert turn == Turning() and "does not say which side" in facts[0] and not warnings


def test_oblique_directions_are_read_by_their_first_letter():
    assert turning(dataset(PLAIN, PatientOrientation=["RP", "FA"]))[0] == Turning(mirror=True)


@pytest.mark.parametrize("value", [["L", "P"], ["X", "F"], ["H", "F"]])
def test_an_impossible_orientation_is_warned_of(value):
    turn, _, warnings = turning(dataset(PLAIN, PatientOrientation=value))
    assert turn == Turning() and "fits no radiograph" in warnings[0]


@pytest.mark.parametrize("modality", ["CR", "DX", "RG", "DX "])
def test_radiographs_are_read_without_a_word(modality):
    assert check_modality(dataset(PLAIN, Modality=modality)) == []


@pytest.mark.parametrize("modality", [None, "", "OT", "RF"])
def test_what_may_be_a_radiograph_is_read_with_a_warning(modality):
    assert "does not say that it is a radiograph" in check_modality(dataset(PLAIN, Modality=modality))[0]


@pytest.mark.parametrize(
    ("modality", "words"), [("CT", "computed tomography"), ("MR", "magnetic"), ("KOWALSKA", "another modality")]
)
def test_other_modalities_are_refused(modality, words):
    with pytest.raises(ValueError, match=f"must be a radiograph .*{words}") as refused:
        check_modality(dataset(PLAIN, Modality=modality))
    assert "KOWALSKA" not in str(refused.value) and "save it as PNG" in str(refused.value)


@pytest.mark.parametrize("view", ["PA", "AP", "", None])
def test_frontal_views_are_read_without_a_word(view):
    assert view_warnings(dataset(PLAIN, ViewPosition=view)) == []


def test_lateral_views_are_warned_of():
    code = Dataset()
    code.CodeMeaning = "left lateral"
    cases = ({"ViewPosition": "LL"}, {"ViewPosition": "LATERAL"}, {"PatientOrientation": ["P", "F"]},
             {"ViewPosition": "", "ViewCodeSequence": [code]})  # fmt: skip
    for tags in cases:
        assert "It is a lateral view" in view_warnings(dataset(PLAIN, **tags))[0]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"ViewPosition": "LLD"}, "an oblique or decubitus view"),
        ({"BodyPartExamined": "HAND"}, "another body part"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "raw values"),
        ({"BurnedInAnnotation": "YES"}, "burned into its pixels"),
    ],
)
def test_other_doubts_are_warned_of(tags, words):
    assert words in view_warnings(dataset(PLAIN, **tags))[0]


def test_body_parts_that_name_the_chest_among_others_are_fine():
    assert view_warnings(dataset(PLAIN, BodyPartExamined="PORT CHEST")) == []
