"""Sides of the picture in every wording: the patient's other side, said, or a refusal."""

import itertools

import pytest

from x2x_core import Instruction

_PICTURES = ("image", "film", "picture", "chest radiograph", "CXR", "x-ray", "png", "canvas", "screen", "photo",
             "monitor", "plate", "display")  # fmt: skip
_PLACES = (
    "on the left side of the {}", "in the left lower corner of the {}", "in the left lower quadrant of the {}",
    "in the left bottom part of the {}", "on the left lower side of the {}", "on the {} left side",
    "left {} side", "{} left", "(left, {})", "(left side, {})", "to the left of the {}", "left in the {}",
    "in the left upper zone of the {}", "on the left third of the {}", "on the left\nside of the {}",
    "on the left side\nof the {}",
)  # fmt: skip


@pytest.mark.parametrize(("place", "picture"), list(itertools.product(_PLACES, _PICTURES)))
def test_a_side_of_the_picture_is_the_other_side_of_the_patient_and_said_or_refused(place, picture):
    text = f"add effusion {place.format(picture)}"
    try:
        instruction = Instruction.parse(text)
    except ValueError:
        return
    assert [clause.side for clause in instruction.clauses] == ["right"]
    assert "patient's right" in " ".join(instruction.explain().assumed)


@pytest.mark.parametrize(
    "text",
    ["add a left effusion to the image", "add to the image a left effusion", "CXR: left effusion, please",
     "add effusion on the left, image quality good", "add an effusion in the left lung on the CXR"],
)  # fmt: skip
def test_a_side_beside_a_picture_that_it_is_not_said_of_is_the_patients(text):
    assert [clause.side for clause in Instruction.parse(text).clauses] == ["left"]


@pytest.mark.parametrize(
    "text", ["add a right effusion as viewed on the image", "remove the effusion that is displayed on the right"]
)
def test_a_side_as_it_is_displayed_is_refused(text):
    with pytest.raises(ValueError, match="whose right"):
        Instruction.parse(text)
