"""The instruction language: written and read back, mirrored, undone, and refused where it makes no sense."""

import logging
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core import Instruction
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import swap_sides
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES, level_range

STRENGTHS = [level for level in LEVELS if level not in ("increasing", "decreasing")]
# Every range of two levels, the unusual ones as well.
RANGES = sorted({level_range(first, second) for first in LEVELS for second in LEVELS} - {None})
ALL_LEVELS = sorted({*LEVELS, *RANGES})
NAMES = sorted(FINDINGS)


@st.composite
def clauses(draw, levels=ALL_LEVELS, origins=(None, *ALL_LEVELS)):
    operation = draw(st.sampled_from(Operation))
    finding = draw(st.sampled_from(NAMES))
    side, zone = draw(st.sampled_from([None, *SIDES])), draw(st.sampled_from([None, *ZONES]))
    if operation is not Operation.CHANGE:
        return Clause(operation, finding, side, zone, draw(st.sampled_from([None, *levels])))
    before = draw(st.sampled_from(origins))
    after = draw(st.sampled_from([level for level in levels if level != before]))
    return Clause(operation, finding, side, zone, after, before)


def apart(drawn):
    """Clauses of one finding stay only where they are sure not to contradict each other."""
    kept = []
    for clause in drawn:
        if not any(clause.overlaps(other) for other in kept):
            kept.append(clause)
    return Instruction(tuple(kept))


several = st.lists(clauses(), min_size=1, max_size=5).map(apart)
of_one_finding = st.lists(
    clauses().map(lambda clause: replace(clause, finding="pleural effusion")), min_size=2, max_size=4
).map(apart)
undoable = st.lists(clauses(STRENGTHS, STRENGTHS), min_size=1, max_size=4).map(apart)
instructions = several | of_one_finding


@settings(max_examples=300, deadline=None)
@given(instructions)
def test_what_is_written_is_read_back(instruction):
    again = Instruction.parse(str(instruction))
    assert again.clauses == instruction.clauses
    assert again.unplaced == () and again.region == "findings"
    assert str(again) == str(instruction)


@settings(max_examples=100, deadline=None)
@given(instructions)
def test_the_published_wording_keeps_operations_findings_and_changes(instruction):
    once = {clause.finding: replace(clause, side=None, zone=None) for clause in instruction.clauses}
    plain = Instruction(tuple(once.values()))
    again = Instruction.parse(plain.write("v1"))
    kept = [(clause.operation, clause.finding, clause.level_from) for clause in again.clauses]
    assert kept == [(clause.operation, clause.finding, clause.level_from) for clause in plain.clauses]


@settings(max_examples=100, deadline=None)
@given(instructions)
def test_mirrored_words_are_the_words_of_the_mirrored_instruction(instruction):
    assert Instruction.parse(swap_sides(str(instruction))).clauses == instruction.flipped().clauses
    assert instruction.flipped().flipped() == instruction


@settings(max_examples=100, deadline=None)
@given(undoable)
def test_undoing_twice_gives_the_same(instruction):
    assert instruction.reversed().reversed().clauses == instruction.clauses


KNOWN = st.sampled_from(
    ["left", "Right", "LEFT", "right-sided", "lt", "RUL", "LLL", "lung", "leftover", "upright", ",", ".", "é"]
)
WORDS = KNOWN | st.text(max_size=5)


@given(st.lists(WORDS).map(" ".join))
def test_swapping_sides_twice_gives_the_same_text(text):
    assert swap_sides(swap_sides(text)).lower() == text.lower()
    if not re.search("(?i)right", text) or re.search("right|Right|RIGHT", text):
        assert swap_sides(swap_sides(text)) == text


def test_sides_are_swapped_in_whole_words_with_their_letter_case():
    text = "Left, LEFT and left-sided; RUL; rt; leftover, upright, left_1"
    assert swap_sides(text) == "Right, RIGHT and right-sided; LUL; lt; leftover, upright, left_1"
    assert swap_sides("\u0131 r\u0131ght r\u0130ght") == "\u0131 r\u0131ght r\u0130ght"


SALAD = st.lists(
    st.sampled_from(
        [
            "add",
            "remove",
            "change",
            "make",
            "replace",
            "keep",
            "not",
            "no",
            "without",
            "from",
            "to",
            "with",
            "and",
            ",",
            ";",
            ".",
            "left",
            "right",
            "both",
            "upper",
            "lower",
            "base",
            "mild",
            "severe",
            "larger",
            "none",
            "effusion",
            "edema",
            "opacity",
            "the",
            "lung",
            "of",
            "in",
            "RUL",
            "mild-to-moderate",
            "snow",
            "enlarge",
            "heart",
            "one",
            "it",
            "than",
            "more",
            "everything",
            "except",
            "image",
            "side",
            "stays",
            "shift",
            "patient",
            "has",
            "because",
            "on",
            "absent",
            "present",
            "substitute",
            "for",
            "swap",
            "\n",
            "->",
            ">",
            "please",
        ]
    ),
    max_size=14,
).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=80) | SALAD)
def test_any_text_is_understood_or_refused_in_words(text):
    message = ""
    try:
        instruction = Instruction.parse(text)
    except ValueError as error:
        message = str(error)
    if message:
        assert "`" in message
    else:
        assert instruction.clauses or instruction.region == "thorax"
        assert Instruction.parse(str(instruction)).clauses == instruction.clauses


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
        ("get rid of the enlarged heart and add edema",
         "Remove the finding of cardiomegaly. Add the finding of edema."),
        ("Change the level of effusion from Small to Large",
         "Change the level of pleural effusion from small to large."),
        ("Change the level of left edema from mild to moderate to severe.",
         "Change the level of left edema from mild to moderate to severe."),
        ("worsen the edema to severe", "Change the level of edema to severe."),
        ("increase the effusion", "Increase the level of pleural effusion."),
        ("add edema; remove pneumonia\nremove the fracture",
         "Add the finding of edema. Remove the findings of pneumonia and fracture."),
        ("Please add a mildly enlarged heart.", "Add the finding of mild cardiomegaly."),
        ("add blunting of the left costophrenic angle", "Add the finding of left blunting of the costophrenic angle."),
        ("add left effusion & right PTX / edema",
         "Add the findings of left pleural effusion, right pneumothorax and edema."),
        ("add left effusion right pneumothorax", "Add the findings of left pleural effusion and right pneumothorax."),
        ("a nodule of 2.5 should be added to the RUL", "Add the finding of lung lesion in the right upper lung zone."),
        ("give the patient opacities at both bases, moderately severe",
         "Add the finding of moderate to severe bilateral lung opacity in the basal lung zones."),
        ("add œdematous, apical, moderate–to–large right pneumothoraces",
         "Add the finding of moderate to large pneumothorax in the right apical lung zone."),
        ("Add:\n- edema\n- large left effusion", "Add the findings of edema and large left pleural effusion."),
        ("shrink the heart", "Remove the finding of cardiomegaly."),
        ("the main image is missing the findings of edema, and pneumonia than the reference image.",
         "Remove the findings of edema and pneumonia."),
        ("add an oedema and infiltrates", "Add the findings of edema and lung opacity."),
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


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("small left and large right effusions", "small left pleural effusion and large right pleural effusion"),
        ("small left and right effusions", "small bilateral pleural effusion"),
        ("a mild left effusion and a severe right", "mild left pleural effusion and severe right pleural effusion"),
        ("an effusion, small, on the left, and edema", "small left pleural effusion and edema"),
        ("edema, small left and large right effusion",
         "edema, small left pleural effusion and large right pleural effusion"),
        ("left upper and right lower lobe consolidation",
         "consolidation in the left upper lung zone and consolidation in the right lower lung zone"),
        ("consolidation in the left upper and lower zones",
         "consolidation in the left upper lung zone and consolidation in the left lower lung zone"),
        ("consolidation in the upper and lower zones of the left lung",
         "consolidation in the left upper lung zone and consolidation in the left lower lung zone"),
        ("opacities in the lower zones of the left and right lungs", "bilateral lung opacity in the lower lung zones"),
        ("consolidation of the left upper lobe and right lower lobe and left effusion",
         "consolidation in the left upper lung zone, consolidation in the right lower lung zone "
         "and left pleural effusion"),
        ("opacities in the perihilar zones and at the left base",
         "lung opacity in the perihilar lung zone and lung opacity in the left basal lung zone"),
    ],
)  # fmt: skip
def test_places_of_one_finding_in_a_list(text, items):
    canonical = str(Instruction.parse(f"Add {text}."))
    assert canonical.split(" of ", 1)[1] == items + "."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Change the level of effusion from mild to moderate to severe in the left base",
         "Change the level of pleural effusion in the left basal lung zone from mild to moderate to severe."),
        ("Change the level of edema from mild to moderate-to-severe",
         "Change the level of edema from mild to moderate-to-severe."),
        ("Change effusion from small to moderate to large",
         "Change the level of pleural effusion from small to moderate to large."),
        ("change mild to moderate edema to severe", "Change the level of edema from mild to moderate to severe."),
        ("change edema to mild to moderate", "Change the level of edema to mild to moderate."),
        ("turn the mild edema into severe edema", "Change the level of edema from mild to severe."),
        ("Change the level of edema from mild to severe and left effusion from large to small",
         "Change the level of edema from mild to severe. "
         "Change the level of left pleural effusion from large to small."),
        ("change edema and pneumonia from mild to severe",
         "Change the level of edema from mild to severe. Change the level of pneumonia from mild to severe."),
        ("change edema from none to mild", "Add the finding of mild edema."),
        ("change edema from mild to none", "Remove the finding of mild edema."),
        ("replace left pneumonia with a large effusion and edema",
         "Remove the finding of left pneumonia. Add the findings of large pleural effusion and edema."),
        ("move the effusion from left to right",
         "Remove the finding of left pleural effusion. Add the finding of right pleural effusion."),
        ("make the left effusion larger", "Increase the level of left pleural effusion."),
        ("make the small effusion large", "Change the level of pleural effusion from small to large."),
        ("make a small left effusion", "Add the finding of small left pleural effusion."),
        ("make the edema disappear", "Remove the finding of edema."),
        ("reduce the large effusion", "Decrease the level of pleural effusion from large."),
        ("lower the level of edema to mild", "Change the level of edema to mild."),
        ("the level of edema has changed from minimally to moderately.",
         "Change the level of edema from minimal to moderate."),
    ],
)  # fmt: skip
def test_changes_are_understood(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("no pleural effusion", "Remove the finding of pleural effusion."),
        ("add edema without effusion or pneumonia",
         "Add the finding of edema. Remove the findings of pleural effusion and pneumonia."),
        ("no evidence of a left PTX", "Remove the finding of left pneumothorax."),
        ("don't change anything else, add edema", "Add the finding of edema."),
        ("add edema but do not add an effusion", "Add the finding of edema."),
        ("remove the right effusion, keep the left effusion", "Remove the finding of right pleural effusion."),
        ("add edema without changing the pneumonia", "Add the finding of edema."),
    ],
)  # fmt: skip
def test_what_is_denied_is_removed_and_what_is_forbidden_is_left_alone(text, canonical, caplog):
    assert str(Instruction.parse(text)) == canonical
    assert not caplog.records


def test_a_level_that_says_by_how_much_is_kept_as_unplaced():
    instruction = Instruction.parse("increase the effusion slightly")
    assert str(instruction) == "Increase the level of pleural effusion." and instruction.unplaced == ("slightly",)


def test_a_misspelled_finding_is_answered_with_the_likely_one(caplog):
    assert Instruction.parse("add a pnumthorax").region == "thorax"
    assert "Did you mean 'pneumothorax' instead of 'pnumthorax'?" in caplog.text


def test_words_that_are_not_understood_are_kept_and_said(caplog):
    with caplog.at_level(logging.WARNING):
        instruction = Instruction.parse("Add a spiculated left effusion.")
    assert instruction.unplaced == ("spiculated",)
    assert "spiculated" in caplog.text


@pytest.mark.parametrize(
    "text", ["make it snow", "large left effusion", "Add a pacemaker.", "add subcutaneous emphysema"]
)
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
        ("Change the level of edema from mild to mild.", "must be the new level of edema, different from 'mild'"),
        ("Change the edema.", "must be the new level of edema, got None"),
        ("Do not remove the effusion.", "only says what to leave alone"),
        ("Remove the effusion, but keep the left effusion.", "would remove pleural effusion and leave it alone"),
        ("Add consolidation at the left base. Remove consolidation in the left lower zone.", "contradict itself"),
        ("Add small severe edema.", "one level in one place"),
        ("Add edema. Increase the edema.", "would add and change edema"),
        ("Increase edema and decrease edema", "one level in one place"),
        ("?!", "empty"),
        (7, "`prompt` must be text"),
    ],
)
def test_nonsense_is_refused_with_what_would_be_right(text, message):
    with pytest.raises(ValueError, match=message):
        Instruction.parse(text)


def test_clauses_may_name_different_sides():
    instruction = Instruction.parse("Add a small left effusion. Remove the right effusion.")
    assert [clause.side for clause in instruction.clauses] == ["left", "right"]


def test_repeated_clauses_count_once():
    assert len(Instruction.parse("Add edema. Add the finding of edema.").clauses) == 1


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"finding": "cold"}, "finding"),
        ({"finding": "edema", "operation": "paint"}, "operation"),
        ({"finding": "edema", "operation": "change"}, "level"),
        ({"finding": "edema", "operation": "change", "level_from": "mild"}, "level"),
        ({"finding": "edema", "side": "top"}, "side"),
        ({"finding": "edema", "zone": "north"}, "zone"),
        ({"finding": "edema", "level": "huge"}, "level"),
        ({"finding": "edema", "level_from": "mild"}, "level_from"),
    ],
)
def test_a_clause_checks_its_parts(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must "):
        Clause(**{"operation": "add", **arguments})


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
