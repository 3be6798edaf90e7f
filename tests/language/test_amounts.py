"""Amounts: a change by an amount is a change, a part that is removed makes a finding smaller."""

import pytest

from x2x_core import Instruction


@pytest.mark.parametrize(
    ("text", "course"),
    [
        ("decrease the effusion by half", "decreasing"), ("increase the effusion by 50 percent", "increasing"),
        ("reduce the effusion by about a third", "decreasing"), ("increase the effusion by 20%", "increasing"),
        ("reduce the effusion by two levels", "decreasing"), ("make the effusion twice as big", "increasing"),
        ("make the effusion half as large", "decreasing"), ("remove some of the effusion", "decreasing"),
        ("remove most of the effusion", "decreasing"), ("remove 50% of the effusion", "decreasing"),
        ("remove half of the effusion", "decreasing"), ("take out part of the effusion", "decreasing"),
        ("drain a little bit of the effusion", "decreasing"), ("partially remove the effusion", "decreasing"),
    ],
)  # fmt: skip
def test_an_amount_is_reported_and_the_change_is_made(text, course):
    instruction = Instruction.parse(text)
    (clause,) = instruction.clauses
    assert (clause.operation.value, clause.finding, clause.level) == ("change", "pleural effusion", course)


def test_amounts_are_left_out_with_a_reason():
    (part,) = Instruction.parse("decrease the effusion by half").explain().left_out
    assert (part.words, part.reason) == ("by half", "is an amount, which levels do not have")


@pytest.mark.parametrize(
    "text",
    ["more edema", "a bit more edema", "add more edema", "add some more edema", "way more edema please",
    "put more edema",
     "make more of the edema", "upgrade the edema", "there should be more edema", "even more edema"],
)  # fmt: skip
def test_more_of_a_finding_is_an_increase(text):
    assert str(Instruction.parse(text)) == "Increase the level of edema."


@pytest.mark.parametrize(
    ("text", "zone"),
    [("add a nodule in the upper half of the right lung", "upper"),
    ("add a nodule in the lower half of the right lung", "lower"),
     ("add a right nodule in the upper half", "upper"), ("add a nodule in the lower third of the right lung", "lower")],
)  # fmt: skip
def test_half_of_a_lung_is_a_zone(text, zone):
    (clause,) = Instruction.parse(text).clauses
    assert (clause.side, clause.zone) == ("right", zone)


@pytest.mark.parametrize(
    "text", ["half remove the effusion", "remove half the right port and effusion", "add half an effusion"]
)
def test_half_without_of_is_refused(text):
    with pytest.raises(ValueError, match=r"^`prompt` (must|has)"):
        Instruction.parse(text)
