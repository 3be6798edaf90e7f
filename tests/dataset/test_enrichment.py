"""Level and place from the other questions about a pair."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core import Instruction
from x2x_core.dataset import enrich, instruction_from_difference, without_details
from x2x_core.language.clauses import Clause
from x2x_core.language.vocabulary import FINDINGS

ADDED = "the main image has an additional finding of pleural effusion than the reference image. "
MISSING = "the main image is missing the finding of pleural effusion than the reference image. "
CHANGED = "the level of pleural effusion has changed from small to moderate. "


def row(kind, question, answer):
    return {"question_type": kind, "question": question, "answer": answer}


def where(answer, finding="pleural effusion"):
    return row("location", f"where is the {finding}?", answer)


def level(answer, finding="pleural effusion"):
    return row("level", f"what level is the {finding}?", answer)


def enriched(answer, *rows, reference=()):
    return str(enrich(instruction_from_difference(answer), rows, reference))


@pytest.mark.parametrize(
    ("answer", "item"),
    [
        ("left lung area", "left pleural effusion"),
        ("left area", "left pleural effusion"),
        ("left side", "left pleural effusion"),
        ("bilateral area", "bilateral pleural effusion"),
        ("left area and right area", "bilateral pleural effusion"),
        ("right lower lung area", "pleural effusion in the right lower lung zone"),
        ("bibasilar area", "bilateral pleural effusion in the basal lung zones"),
        ("retrocardiac area", "pleural effusion in the retrocardiac lung zone"),
        ("the left lung base", "pleural effusion in the left basal lung zone"),
        ("the medial right lung base", "pleural effusion in the right basal lung zone"),
        ("the lung bases", "pleural effusion in the basal lung zone"),
        ("the right apical region", "pleural effusion in the right apical lung zone"),
        ("the upper lobes", "pleural effusion in the upper lung zone"),
        ("the soft tissues", "pleural effusion"),
        ("pericardial area", "pleural effusion"),
    ],
)
def test_an_answer_about_the_location_gives_side_and_zone(answer, item):
    assert enriched(ADDED, where(answer)) == f"Add the finding of {item}."


@pytest.mark.parametrize(
    "answer",
    ["the right mid to lower hemithorax", "right middle to lower area", "the lower and probably also middle lung"],
)
def test_two_zones_are_two_clauses(answer):
    clauses = enrich(instruction_from_difference(ADDED), [where(answer)]).clauses
    assert [clause.zone for clause in clauses] in (["middle", "lower"], ["lower", "middle"])
    assert {clause.side for clause in clauses} == {"right" if "right" in answer else None}


def test_two_places_of_one_finding():
    assert enriched(ADDED, where("left lower area and right upper area"), level("small")) == (
        "Add the findings of small pleural effusion in the left lower lung zone and small pleural effusion in the "
        "right upper lung zone."
    )


@pytest.mark.parametrize(
    "rows",
    [
        [row("location", "where in the image is the pleural effusion located?", "left lower area")],
        [row("abnormality", "what abnormalities are seen in the left lower lung?", "pleural effusion")],
        [row("location", "Is the pleural effusion located on the left side or right side?", "left side"),
         where("left lower area")],
        [row("location", "is the pleural effusion located on the left side or right side?", "right side"),
         where("left lower area")],
        [where("left lower area"), row("presence", "is there pleural effusion in the right lower area?", "no"),
         row("presence", "is the pleural effusion bilateral?", "yes"),
         row("view", "which view is this image taken?", "PA view"),
         row("type", "what type is the pleural effusion?", "layering"), where("right area", "edema"),
         row("abnormality", "what abnormalities are seen in this image?", "pleural effusion, edema")],
    ],
)  # fmt: skip
def test_places_from_all_questions_are_combined(rows):
    assert enriched(ADDED, *rows) == "Add the finding of pleural effusion in the left lower lung zone."
    assert enriched(ADDED, *reversed(rows)) == "Add the finding of pleural effusion in the left lower lung zone."


def test_the_side_alone_is_used_if_no_place_is_stated():
    side = row("location", "is the pleural effusion located on the left side or right side?", "left side")
    assert enriched(ADDED, side) == "Add the finding of left pleural effusion."
    assert enriched(ADDED, side, where("the soft tissues")) == "Add the finding of left pleural effusion."
    assert enriched(ADDED, side, where("right area")) == "Add the finding of right pleural effusion."


@pytest.mark.parametrize(
    "question", ["is there pleural effusion in the left lung area?", "is the pleural effusion bilateral?"]
)
def test_presence_questions_state_no_place(question):
    for answer in ("yes", "no"):
        assert enriched(ADDED, row("presence", question, answer)) == "Add the finding of pleural effusion."


@pytest.mark.parametrize(
    ("answer", "item"),
    [
        ("moderate", "moderate pleural effusion"),
        ("Moderate to large", "moderate to large pleural effusion"),
        ("minimally", "minimal pleural effusion"),
        ("small moderate", "small to moderate pleural effusion"),
        ("small increasing", "small pleural effusion"),
        ("increasing", "pleural effusion"),
        ("acute", "acute pleural effusion"),
        ("purple", "pleural effusion"),
    ],
)
def test_the_level_of_what_is_added(answer, item):
    assert enriched(ADDED, level(answer)) == f"Add the finding of {item}."


def test_a_change_takes_the_place_and_keeps_its_levels():
    assert enriched(CHANGED, where("left area"), level("severe")) == (
        "Change the level of left pleural effusion from small to moderate."
    )


def test_the_area_of_the_difference_question_comes_before_other_questions():
    instruction = instruction_from_difference(CHANGED, "what has changed in the left lung area?")
    assert str(enrich(instruction, [where("right lower area")])) == str(instruction)


@pytest.mark.parametrize(
    ("told", "clause"),
    [
        ("severe", ("mild to moderate", "severe")),
        ("moderate to severe", ("mild", "moderate to severe")),
        ("small", ("mild to moderate", "severe")),
        (None, ("mild to moderate", "severe")),
    ],
)
def test_the_level_question_decides_which_range_is_meant(told, clause):
    instruction = instruction_from_difference("the level of edema has changed from mild to moderate to severe. ")
    settled = enrich(instruction, [level(told, "edema")] if told else [])
    assert [(one.level_from, one.level) for one in settled.clauses] == [clause]
    assert Instruction.parse(str(settled)) == settled


@pytest.mark.parametrize("rows", [[], [where("left area", "edema")], [level("acute", "edema")]])
def test_a_range_that_can_mean_one_thing_stays(rows):
    instruction = instruction_from_difference("the level of edema has changed from moderate to severe to acute. ")
    clause = enrich(instruction, rows).clauses[0]
    assert (clause.level_from, clause.level) == ("moderate to severe", "acute")


def test_what_is_removed_takes_its_details_from_the_reference_image():
    rows = [where("left area"), level("small")]
    assert enriched(MISSING, *rows) == "Remove the finding of pleural effusion."
    assert enriched(MISSING, reference=rows) == "Remove the finding of small left pleural effusion."
    assert enriched(ADDED, reference=rows) == "Add the finding of pleural effusion."


def test_a_finding_without_a_side_has_no_place():
    answer = "the main image has an additional finding of cardiomegaly than the reference image."
    assert enriched(answer, where("left area", "cardiomegaly"), level("mild", "cardiomegaly")) == (
        "Add the finding of mild cardiomegaly."
    )


@pytest.mark.parametrize(
    "bad", [{}, row("location", None, None), row(None, "where", 5), where(""), level(""), where("moon")]
)
def test_rows_without_a_level_or_place_are_ignored(bad):
    assert enriched(ADDED, bad, level("small")) == "Add the finding of small pleural effusion."


NAMES = sorted(name for name, finding in FINDINGS.items())
AREAS = [
    "left",
    "right",
    "bilateral",
    "lower",
    "upper",
    "middle",
    "to",
    "base",
    "basal",
    "bibasilar",
    "apical",
    "retrocardiac",
    "lung",
    "pleural",
]
WORDS = st.lists(st.sampled_from(AREAS), min_size=1, max_size=4, unique=True).map(" ".join)
STRENGTHS = ["moderately", "mild", "small", "severe", "moderate to large", "minimal", "increasing", "acute"]
ROWS = st.lists(
    st.builds(lambda name, area: where(f"{area} area", name), st.sampled_from(NAMES), WORDS)
    | st.builds(lambda name, words: level(" ".join(words), name), st.sampled_from(NAMES),
                st.lists(st.sampled_from(STRENGTHS), min_size=1, max_size=3)),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True), st.data(), ROWS, ROWS)
def test_v2_is_read_back_and_v1_is_what_it_was(names, data, rows, reference):
    operations = [data.draw(st.sampled_from(("add", "remove", "change"))) for _ in names]
    clauses = [
        Clause(operation, name, **({"level": "severe", "level_from": "mild"} if operation == "change" else {}))
        for operation, name in zip(operations, names)
    ]
    plain = Instruction(tuple(clauses))
    detailed = enrich(plain, rows, reference)
    assert Instruction.parse(str(detailed)) == detailed
    assert without_details(detailed).clauses == plain.clauses
    assert str(without_details(detailed)) == detailed.write("v1") == plain.write("v1")
