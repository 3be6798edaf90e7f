"""Assumptions and conservation: no place, level or finding of a request is lost without a word."""

import pytest

from x2x_core import Instruction


def read(text):
    return {(c.operation.value, c.finding, c.side, c.zone) for c in Instruction.parse(text).clauses}


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("LEFT LUNG: add consolidation in the lower zone", {("add", "consolidation", "left", "lower")}),
        ("On the right, remove the opacity in the upper zone", {("remove", "lung opacity", "right", "upper")}),
        ("In the left lung add a nodule at the apex", {("add", "lung lesion", "left", "apical")}),
        ("Right lung: add lower zone atelectasis", {("add", "atelectasis", "right", "lower")}),
        ("Left side - add a basal opacity", {("add", "lung opacity", "left", "basal")}),
        ("To the right lung, add a mid zone nodule", {("add", "lung lesion", "right", "middle")}),
        ("R: add upper zone pneumonia. L: remove lower zone pneumonia",
         {("add", "pneumonia", "right", "upper"), ("remove", "pneumonia", "left", "lower")}),
        ("On the left: remove the apical nodule, add a basal nodule",
         {("remove", "lung lesion", "left", "apical"), ("add", "lung lesion", "left", "basal")}),
        ("At the bases, add atelectasis on the left", {("add", "atelectasis", "left", "basal")}),
        ("Over the right hemithorax put a retrocardiac opacity", {("add", "lung opacity", "right", "retrocardiac")}),
        ("On the right there should be an effusion, while the left should show a nodule",
         {("add", "pleural effusion", "right", None), ("add", "lung lesion", "left", None)}),
    ],
)  # fmt: skip
def test_a_place_before_the_verb_and_one_after_it_are_joined(text, clauses):
    assert read(text) == clauses


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("on the right remove the pneumonia and add an effusion",
         "'right', said before the first request, was taken for pleural effusion too."),
        ("on the left: remove the effusion, add a nodule",
         "'left', said before the first request, was taken for lung lesion too."),
        ("add right effusion and consolidation", "'right' was taken for consolidation too."),
        ("add pneumonia, no effusion", "pleural effusion, said to be absent, was taken for something to remove."),
        ("the left nodule is gone, add an effusion", "lung lesion, said to be absent, "
        "was taken for something to remove."),
    ],
)  # fmt: skip
def test_a_reading_of_what_is_open_is_said(text, sentence):
    explanation = Instruction.parse(text).explain()
    assert sentence in explanation.assumed and f"Assumed: {sentence}" in str(explanation)
    assert explanation.as_dict()["assumed"] == explanation.assumed


@pytest.mark.parametrize("second", ["edema", "emphysema", "vascular congestion"])
def test_a_place_of_another_request_is_not_taken_for_a_finding_of_both_lungs(second):
    with pytest.raises(ValueError, match=f"must say where {second} is"):
        read(f"On the left remove the effusion and add {second}")


def test_nothing_is_assumed_where_everything_is_said():
    explanation = Instruction.parse("On the left remove the effusion. On the right add a nodule.").explain()
    assert explanation.assumed == ()


def test_a_place_that_a_finding_does_not_take_is_reported():
    instruction = Instruction.parse("In the right lung add a left effusion")
    assert [part.reason for part in instruction.left_out] == ["is not the place of a finding that names its own"]
