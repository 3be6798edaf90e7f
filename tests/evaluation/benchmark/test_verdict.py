"""The verdict: what intervals say, and that a few bodies say nothing."""

import pytest

from x2x_core.evaluation.benchmark.rows import OURS, PUBLISHED_RSE, UNRESTRICTED
from x2x_core.evaluation.benchmark.scores import BenchmarkScores
from x2x_core.evaluation.benchmark.verdict import (
    FEWEST_BODIES,
    NO,
    OPEN,
    PRESERVATION,
    YES,
    answer,
    judge,
    shared_bodies,
)
from x2x_core.evaluation.results import TARGET, Metric

BETTER = {"change_outside": 0.1, "structure": 0.9, "brightness_shift": 0.1, "contrast_shift": 0.1}
WORSE = {"change_outside": 0.5, "structure": 0.5, "brightness_shift": 0.5, "contrast_shift": 0.5}
MEASURED = len(BETTER)


def make_scores(bodies, ours=BETTER, edited=None):
    """Scores of two pairs a body; `edited`: bodies that the peers were edited for."""
    count = 2 * bodies
    peers = 2 * (bodies if edited is None else edited)
    rows = {
        UNRESTRICTED: [dict(WORSE) for _ in range(peers)] + [None] * (count - peers),
        PUBLISHED_RSE: [dict(BETTER) for _ in range(peers)] + [None] * (count - peers),
        OURS: [dict(ours) for _ in range(count)],
        TARGET: [dict(BETTER) for _ in range(count)],
    }
    instructions = ("Add the finding of edema.",) * count
    return BenchmarkScores(instructions, tuple(n // 2 for n in range(count)), rows, seed=0)


@pytest.mark.parametrize(
    ("low", "high", "better", "found"),
    [
        (0.1, 0.2, "higher", YES),
        (0.1, 0.2, "lower", NO),
        (-0.2, -0.1, "lower", YES),
        (-0.2, -0.1, "higher", NO),
        (-0.1, 0.2, "higher", OPEN),
        (None, None, "higher", OPEN),
    ],
)
def test_an_interval_answers_only_when_all_of_it_is_on_one_side(low, high, better, found):
    assert answer(Metric(0.0 if low is None else (low + high) / 2, low, high, 3), better) == found


def test_enough_bodies_give_a_verdict_from_the_measures_that_were_made():
    verdict = judge(make_scores(FEWEST_BODIES))
    claims = {(claim.row, claim.measure): claim for claim in verdict.claims}
    assert set(claims) == {(row, key) for row in (PUBLISHED_RSE, OURS) for key in PRESERVATION} | {
        (TARGET, key) for key in PRESERVATION if key != "change_outside"
    }
    ours = claims[OURS, "change_outside"]
    assert ours.other == UNRESTRICTED and ours.answer == YES and ours.difference.value == pytest.approx(-0.4)
    assert verdict.sentences == (
        f"Published RSE keeps attributes better than editing everywhere: yes, by all {MEASURED} measures.",
        f"Ours keeps attributes better than editing everywhere: yes, by all {MEASURED} measures.",
        f"Editing everywhere loses attributes that the real target has: yes, by all {MEASURED - 1} measures.",
    )


def test_the_other_way_round_and_measures_that_disagree():
    worst = {"change_outside": 0.9, "structure": 0.1, "brightness_shift": 0.9, "contrast_shift": 0.9}
    assert f"no, by all {MEASURED} measures the other way round" in judge(make_scores(20, worst)).sentences[1]
    mixed = judge(make_scores(20, {**BETTER, "structure": 0.1})).sentences[1]
    assert mixed.endswith(f"not read off every one of the {MEASURED} measures (3 for it, 1 against it).")


@pytest.mark.parametrize(
    ("bodies", "edited", "words"),
    [
        (2, None, "only 2 simulated bodies were edited both ways; it takes 20"),
        (FEWEST_BODIES - 1, None, "only 19 simulated bodies were edited both ways; it takes 20"),
        (30, 1, "only 1 simulated body was edited both ways; it takes 20"),
    ],
)
def test_a_few_bodies_give_no_verdict_but_the_reason(bodies, edited, words):
    scores = make_scores(bodies, edited=edited)
    verdict = judge(scores)
    assert len(verdict.sentences) == 3
    for sentence in verdict.sentences:
        assert f": no verdict, since {words}." in sentence
    assert {claim.answer for claim in verdict.claims} == {OPEN}
    assert verdict.claims[0].difference.value == pytest.approx(-0.4)  # the difference itself stays in the record
    assert shared_bodies(scores, OURS, UNRESTRICTED) == (edited or bodies)


def test_the_verdict_says_when_nothing_was_measured():
    scores = make_scores(20)
    empty = {name: [{} for _ in records] for name, records in scores.rows.items()}
    sentences = judge(BenchmarkScores(scores.instructions, scores.bodies, empty, 0)).sentences
    assert all(sentence.endswith("can't be read, nothing was measured.") for sentence in sentences)
