"""X2XInstruction: sentences from menus."""

import pytest
from comfy_pack import load_pack, run

ANY = dict.fromkeys(("level", "level_to", "side", "zone"), "any")
MENUS = {"operation": "add", "finding": "pleural effusion", **ANY}


def say(**chosen):
    return run("X2XInstruction", **{**MENUS, **chosen})


def test_choices_of_the_menus_become_a_sentence():
    sentence, understood = say(level="moderate", side="right")
    assert sentence == "Add the finding of moderate right pleural effusion."
    assert understood.splitlines() == [
        f"Understood: {sentence}",
        "- add pleural effusion: the patient's right, on the left of the picture; level: moderate",
        "Region: where the findings can be",
    ]


def test_a_change_has_two_levels():
    sentence, _ = say(operation="change", level="small", level_to="large", side="left")
    assert sentence == "Change the level of left pleural effusion from small to large."


def test_an_instruction_node_appends_its_clause_to_the_previous_ones():
    first, _ = say(finding="edema")
    both, understood = say(operation="remove", finding="cardiomegaly", previous=first)
    assert both == "Add the finding of edema. Remove the finding of cardiomegaly."
    clauses = [line.partition(":")[0] for line in understood.splitlines() if line.startswith("- ")]
    assert clauses == ["- add edema", "- remove cardiomegaly"]


def test_unused_choices_are_reported():
    sentence, understood = say(finding="cardiomegaly", side="left", level_to="large")
    assert sentence == "Add the finding of cardiomegaly."
    assert (
        "`side` is not used: cardiomegaly has no side" in understood
        and "`level_to` is not used: add has no second level" in understood
    )


def test_contradictions_are_rejected():
    with pytest.raises(ValueError, match="`instruction` must not contradict itself"):
        say(operation="remove", previous="Add the finding of pleural effusion.")


def test_a_change_needs_a_new_level():
    with pytest.raises(ValueError, match="`level_to` must be set for a change"):
        say(operation="change", level="small")
    node = load_pack()["X2XInstruction"]
    assert "`level_to`" in node.validate_inputs(operation="change", level="small", level_to="small")
    assert node.validate_inputs(operation="change", level="small", level_to="large") is True
    assert node.validate_inputs(operation="change", level=None, level_to=None) is True


def test_unknown_words_are_reported():
    _, understood = say(finding="edema", previous="Make it look older.")
    assert "older" in understood


def test_words_that_a_guidance_mask_lets_through_are_written_and_listed():
    sentence, understood = say(finding="edema", previous="Refrain from adding pneumonia in the lingula.")
    assert sentence.startswith("Refrain from adding pneumonia in the lingula.") and "Left out: " in understood
