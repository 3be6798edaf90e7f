"""Drawing the places that instructions leave open."""

import logging
from collections import Counter

import pytest
import torch

from x2x_core import Instruction, PseudomaskAtlas
from x2x_core.edit.places import draw_places
from x2x_core.edit.reading import Subject
from x2x_core.language.clauses import Clause
from x2x_core.pseudomasks.drawing import box_counts
from x2x_core.pseudomasks.maps import Place


@pytest.fixture(scope="module")
def bundled():
    return PseudomaskAtlas.bundled()


def subject_of(text, copies=1):
    return Subject([(0, 0)], [Instruction.parse(text)], copies)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def drawn(text, atlas, seed=0, copies=1):
    return [str(own) for own in draw_places(subject_of(text, copies), atlas, seeded(seed)).instructions]


def test_side_and_zone_are_drawn_where_both_are_open(bundled):
    (instruction,) = draw_places(subject_of("add severe consolidation"), bundled, seeded(1)).instructions
    (clause,) = instruction.clauses
    assert clause.side in ("left", "right") and clause.zone in ("upper", "middle", "lower") and clause.level == "severe"
    assert instruction.drawn == (clause,) and instruction.text == "add severe consolidation"
    assert str(instruction) == f"Add the finding of severe consolidation in the {clause.side} {clause.zone} lung zone."


def test_what_is_named_is_kept(bundled):
    for seed in range(8):
        (left,) = draw_places(subject_of("add left pneumonia"), bundled, seeded(seed)).instructions
        assert left.clauses[0].side == "left" and left.clauses[0].zone is not None
        (basal,) = draw_places(subject_of("add atelectasis at the base"), bundled, seeded(seed)).instructions
        assert basal.clauses[0].side is not None and basal.clauses[0].zone == "basal"


@pytest.mark.parametrize(
    "text",
    [
        "Remove the finding of consolidation.",
        "Change the level of pneumothorax from small to large.",
        "Add bilateral consolidation",
        "Add cardiomegaly",
        "Add severe edema",
        "Add left pneumothorax",
        "Add consolidation in the right upper lung zone",
        "Add diffuse lung opacities",
        "make it look worse",
    ],
)
def test_nothing_is_drawn_where_the_place_is_given_or_the_finding_has_none(bundled, text):
    subject = subject_of(text, copies=2)
    assert draw_places(subject, bundled, seeded(0)) is subject


def test_the_generator_is_not_used_up_and_its_seed_decides(bundled):
    generator = seeded(7)
    before = generator.get_state()
    first = draw_places(subject_of("add pneumonia"), bundled, generator).instructions
    assert torch.equal(generator.get_state(), before)
    torch.randn(3, generator=generator)
    assert draw_places(subject_of("add pneumonia"), bundled, generator).instructions == first
    assert len({drawn("add pneumonia", bundled, seed)[0] for seed in range(12)}) >= 4


def test_each_output_has_its_own_place_and_generators_act_as_single_calls(bundled):
    several = drawn("add lung opacity", bundled, seed=3, copies=8)
    assert len(several) == 8 and len(set(several)) >= 3 and several[:1] == drawn("add lung opacity", bundled, seed=3)
    subject = draw_places(subject_of("add lung opacity", 3), bundled, [seeded(n) for n in (5, 6, 5)])
    assert [str(own) for own in subject.instructions] == [drawn("add lung opacity", bundled, n)[0] for n in (5, 6, 5)]
    assert subject.copies == 1 and subject.image_index == [0, 0, 0]


def test_draws_follow_the_frequencies_of_the_boxes(bundled):
    counts = box_counts(bundled, "atelectasis")
    assert counts[Place("right", "lower")] == counts[Place("left", "lower")] == 118
    zones, sides = Counter(), Counter()
    for text in drawn("add atelectasis", bundled, seed=11, copies=600):
        zones[text.split()[-3]] += 1
        sides[text.split()[-4]] += 1
    total = 118 + 88 + 8
    for zone, count in (("lower", 118), ("middle", 88), ("upper", 8)):
        assert zones[zone] / 600 == pytest.approx(count / total, abs=0.06)
    assert sides["left"] / 600 == pytest.approx(0.5, abs=0.06)


def test_a_place_that_another_clause_takes_is_not_drawn(bundled):
    text = "Add the finding of mild left pneumothorax. Add the finding of pneumothorax."
    for seed in range(6):
        (instruction,) = draw_places(subject_of(text), bundled, seeded(seed)).instructions
        assert [clause.side for clause in instruction.clauses] == ["left", "right"]


def test_without_a_generator_places_vary(bundled):
    texts = {str(draw_places(subject_of("add pneumonia"), bundled, None).instructions[0]) for _ in range(24)}
    assert len(texts) >= 3


def test_an_atlas_without_frequencies_draws_nothing_and_says_so(caplog):
    atlas = PseudomaskAtlas({"Pneumothorax": torch.ones(8, 8)})
    subject = subject_of("add pneumothorax")
    with caplog.at_level(logging.WARNING, "x2x_core"):
        assert draw_places(subject, atlas, seeded(0)) is subject
    assert "no frequencies" in caplog.text


def test_the_explanation_says_what_was_drawn_and_what_will_be(bundled):
    (placed,) = draw_places(subject_of("add pneumothorax"), bundled, seeded(0)).instructions
    assert placed.explain().clauses[0].place.endswith("(drawn at random)")
    assert placed.as_dict()["places_drawn"] == [0]
    assert "a side that the edit draws at random" in str(Instruction.parse("add pneumothorax").explain())


def test_clauses_are_recorded_as_they_are_read_back(bundled):
    text = "add pneumothorax. remove edema"
    (placed,) = draw_places(subject_of(text), bundled, seeded(0)).instructions
    record = placed.as_dict()
    assert tuple(Clause(**clause) for clause in record["clauses"]) == placed.clauses
    assert record["places_drawn"] == [0] and "places_drawn" not in Instruction.parse(text).as_dict()
