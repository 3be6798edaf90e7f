"""Requests about an organ: the size of the heart, the costophrenic angles."""

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "make the heart bigger", "the heart should look enlarged", "increase the cardiothoracic ratio",
        "dilate the heart",
        "could the heart be a bit bigger?", "make the heart huge", "enlarge the heart please",
        "heart size should increase",
        "make the heart a lot larger", "the heart must be larger", "the heart is normal, make it bigger",
    ],
)  # fmt: skip
def test_a_request_to_enlarge_the_heart_adds_cardiomegaly(text):
    assert read(text) == "Add the finding of cardiomegaly."


@pytest.mark.parametrize(
    "text",
    [
        "make hearts size normal", "return the heart to normal size", "bring the heart back to normal", "smaller heart",
        "heart size should be normal", "reduce the cardiac size", "normalise the heart", "shrink the heart",
        "make the heart look normal", "the heart is enlarged, make it normal", "a normal sized heart please",
    ],
)  # fmt: skip
def test_a_request_to_normalise_the_heart_removes_cardiomegaly(text):
    assert read(text) == "Remove the finding of cardiomegaly."


def test_the_silhouette_is_a_finding_of_its_own():
    assert read("make the cardiac shadow wider") == "Add the finding of enlargement of the cardiac silhouette."
    assert read("normalise the cardiac contour") == "Remove the finding of enlargement of the cardiac silhouette."


@pytest.mark.parametrize(
    ("text", "level"),
    [("make the heart slightly bigger", "minor"), ("the heart should be mildly enlarged", "mild"),
     ("make the heart moderately bigger", "moderate"), ("enlarge the heart severely", "severe")],
)  # fmt: skip
def test_an_adverb_is_the_level(text, level):
    assert read(text) == f"Add the finding of {level} cardiomegaly."


@pytest.mark.parametrize(
    "text",
    [
        "add edema, keep the heart", "add edema; heart size normal", "add edema, the heart is normal", "add edema, "
        "leave the heart",
        "add edema without changing the heart", "heart normal. Add edema.", "add edema, no change to the heart",
        "don't touch the heart; add edema", "add edema in a patient with a normal heart", "add edema, heart unchanged",
    ],
)  # fmt: skip
def test_an_organ_alone_requests_nothing(text):
    assert Instruction.parse(text).findings == ("edema",)


@pytest.mark.parametrize("text", ["the heart should not be enlarged", "do not make the heart bigger"])
def test_a_prohibition_is_no_request(text):
    with pytest.raises(ValueError, match="leave alone"):
        read(text)


@pytest.mark.parametrize(
    "text", ["the heart is too small, make it normal", "the heart is enlarged", "is the heart big?"]
)
def test_statements_about_the_heart_are_free_text(text):
    assert Instruction.parse(text).clauses == ()


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("blunt the left costophrenic angle", "left"), ("blunt the right CP angle", "right"),
        ("blunt both costophrenic angles", "bilateral"), ("make the left CP angle blunted", "left"),
        ("add left CP angle blunting", "left"), ("add blunting of the right CP angle", "right"),
        ("please blunt the L costophrenic angle", "left"), ("add a blunted right costophrenic angle", "right"),
        ("insert blunting of the left costodiaphragmatic angle", "left"), ("blunt the R costophrenic sulcus", "right"),
    ],
)  # fmt: skip
def test_blunting_an_angle_adds_its_blunting(text, side):
    (clause,) = Instruction.parse(text).clauses
    assert (clause.operation.value, clause.finding, clause.side) == ("add", "blunting of the costophrenic angle", side)


def test_sharpening_an_angle_removes_its_blunting():
    assert read("sharpen the right CP angle") == "Remove the finding of right blunting of the costophrenic angle."
