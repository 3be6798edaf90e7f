"""The instruction language: written and read back, mirrored, undone, and refused where it makes no sense."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core import Instruction
from x2x_core.findings import FINDINGS, LEVELS, SIDES, ZONES
from x2x_core.instructions import Clause, Operation, swap_sides

STRENGTHS = [level for level in LEVELS if level not in ("increasing", "decreasing")]
LATERAL = sorted(name for name, finding in FINDINGS.items() if finding.lateral)
CENTRAL = sorted(set(FINDINGS) - set(LATERAL))


@st.composite
def clauses(draw):
    operation = draw(st.sampled_from(Operation))
    finding = draw(st.sampled_from(LATERAL + CENTRAL))
    side = draw(st.sampled_from([None, *SIDES])) if FINDINGS[finding].lateral else None
    zone = draw(st.sampled_from([None, *ZONES])) if FINDINGS[finding].lateral else None
    if operation is Operation.CHANGE:
        before, after = draw(st.lists(st.sampled_from(STRENGTHS), min_size=2, max_size=2, unique=True))
        return Clause(operation, finding, side, zone, after, before)
    return Clause(operation, finding, side, zone, draw(st.sampled_from([None, *STRENGTHS])))


instructions = st.lists(clauses(), min_size=1, max_size=4, unique_by=lambda clause: clause.finding).map(
    lambda drawn: Instruction(tuple(drawn))
)


@settings(max_examples=300, deadline=None)
@given(instructions)
def test_what_is_written_is_read_back(instruction):
    again = Instruction.parse(str(instruction))
    assert again.clauses == instruction.clauses
    assert again.unplaced == () and again.region == "findings"
    assert str(again) == str(instruction)


@settings(max_examples=100, deadline=None)
@given(instructions)
def test_the_published_wording_keeps_operations_and_findings(instruction):
    again = Instruction.parse(instruction.write("v1"))
    kept = [(clause.operation, clause.finding) for clause in again.clauses]
    assert kept == [(clause.operation, clause.finding) for clause in instruction.clauses]


@settings(max_examples=100, deadline=None)
@given(instructions)
def test_mirrored_words_are_the_words_of_the_mirrored_instruction(instruction):
    assert Instruction.parse(swap_sides(str(instruction))).clauses == instruction.flipped().clauses
    assert instruction.flipped().flipped() == instruction


@settings(max_examples=100, deadline=None)
@given(instructions)
def test_undoing_twice_gives_the_same(instruction):
    assert instruction.reversed().reversed().clauses == instruction.clauses


@given(st.text())
def test_swapping_sides_twice_gives_the_same_text(text):
    if text.isascii():
        assert swap_sides(swap_sides(text)).lower() == text.lower()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_understood_or_refused_in_words(text):
    try:
        instruction = Instruction.parse(text)
    except ValueError as error:
        assert "`" in str(error)
    else:
        assert instruction.clauses or instruction.region == "thorax"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ADD THE FINDING OF EDEMA", "Add the finding of edema."),
        ("Add the findings of X-ray fluid, edema, and pneumothorax.",
         "Add the findings of pleural effusion, edema and pneumothorax."),
        ("insert a small left-sided PTX", "Add the finding of small left pneumothorax."),
        ("Add left and right pleural effusion", "Add the finding of bilateral pleural effusion."),
        ("add fluid on both sides", "Add the finding of bilateral pleural effusion."),
        ("add a consolidation in the upper zone of the right lung",
         "Add the finding of consolidation in the right upper lung zone."),
        ("add bibasilar atelectasis", "Add the finding of bilateral atelectasis in the basal lung zones."),
        ("Add edema, left and right effusion", "Add the findings of edema and bilateral pleural effusion."),
        ("add mild to moderate edema", "Add the finding of mild to moderate edema."),
        ("no pneumothorax", "Remove the finding of pneumothorax."),
        ("get rid of the enlarged heart and add edema", "Remove the finding of cardiomegaly. Add the finding of edema."),
        ("Change the level of effusion from Small to Large", "Change the level of pleural effusion from small to large."),
        ("Change the level of left edema from mild to moderate to severe.",
         "Change the level of edema from mild to moderate to severe."),
        ("worsen the edema to severe", "Change the level of edema to severe."),
        ("increase the effusion", "Increase the level of pleural effusion."),
        ("add edema; remove pneumonia\nremove the fracture",
         "Add the finding of edema. Remove the findings of pneumonia and fracture."),
    ],
)  # fmt: skip
def test_words_that_people_use_are_understood(text, canonical):
    assert str(Instruction.parse(text)) == canonical


def test_each_item_of_a_list_has_its_own_attributes():
    first, second = Instruction.parse(
        "Add small left pleural effusion and severe consolidation in the right upper lung zone."
    ).clauses
    assert (first.finding, first.side, first.zone, first.level) == ("pleural effusion", "left", None, "small")
    assert (second.finding, second.side, second.zone, second.level) == ("consolidation", "right", "upper", "severe")


def test_words_that_are_not_understood_are_kept_and_said(caplog):
    with caplog.at_level(logging.WARNING):
        instruction = Instruction.parse("Add a spiculated left effusion.")
    assert instruction.unplaced == ("spiculated",)
    assert "spiculated" in caplog.text


@pytest.mark.parametrize("text", ["make it snow", "large left effusion", "Add a pacemaker."])
def test_free_text_is_a_prompt_for_the_whole_thorax_with_a_warning(text, caplog):
    with caplog.at_level(logging.WARNING):
        instruction = Instruction.parse(text)
    assert (instruction.clauses, instruction.region, str(instruction)) == ((), "thorax", text)
    assert "thorax may be edited" in caplog.text
    assert Instruction.parse(text, free_region="image").region == "image"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`prompt` must say what to edit, but it is empty"),
        ("  \n", "empty"),
        ("Add edema. Remove edema.", "must not contradict itself"),
        ("Add the finding of effusion. Remove the finding of left effusion.", "must not contradict itself"),
        ("Add mild edema and severe edema.", "one level in one place"),
        ("Change the level of edema from mild to mild.", "another one than 'mild'"),
        ("Change the edema.", "must say what the level of edema changes to"),
        (7, "`prompt` must be text"),
    ],
)
def test_nonsense_is_refused_with_what_would_be_right(text, message):
    with pytest.raises(ValueError, match=message):
        Instruction.parse(text)


def test_both_sides_may_differ():
    instruction = Instruction.parse("Add a small left effusion. Remove the right effusion.")
    assert [clause.side for clause in instruction.clauses] == ["left", "right"]


def test_repeated_clauses_count_once():
    assert len(Instruction.parse("Add edema. Add the finding of edema.").clauses) == 1


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"finding": "cold"}, "finding"),
        ({"finding": "edema", "side": "top"}, "side"),
        ({"finding": "edema", "zone": "north"}, "zone"),
        ({"finding": "edema", "level": "huge"}, "level"),
        ({"finding": "edema", "level_from": "mild"}, "level_from"),
    ],
)
def test_a_clause_checks_its_parts(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        Clause(Operation.ADD, **arguments)


def test_free_text_can_not_be_undone():
    with pytest.raises(ValueError, match="undone"):
        Instruction((), "make it snow", region="thorax").reversed()


def test_a_region_is_checked():
    with pytest.raises(ValueError, match="`region` must be one of"):
        Instruction((), "snow", region="moon")


def test_it_can_be_recorded_as_json():
    import json

    record = json.loads(json.dumps(Instruction.parse("add a small left effusion").as_dict()))
    assert record["canonical"] == "Add the finding of small left pleural effusion."
    assert record["clauses"][0]["operation"] == "add" and record["region"] == "findings"
