"""Flips of a classifier, counted by hand."""

from dataclasses import replace

import pytest
import torch

from x2x_core.evaluation.metrics.flips import Flips, direction, flips
from x2x_core.language.instruction import Instruction

LABELS = ("edema", "pneumonia", "cardiomegaly")


def count_all(words, before, after):
    return flips(Instruction.parse(words), LABELS, torch.tensor(before), torch.tensor(after))


def count(words, before, after):
    return replace(count_all(words, before, after), toggles=0, as_asked=0)  # counted in a test of their own


def test_an_added_finding_flips_where_it_was_not_predicted():
    assert count("Add the finding of edema.", [0.2, 0.1, 0.9], [0.6, 0.1, 0.4]) == Flips(1, 1, 1, 1, 2, 1)
    assert count("Add the finding of edema.", [0.7, 0.1, 0.1], [0.9, 0.1, 0.1]) == Flips(0, 0, 1, 1, 2, 0)
    assert count("Add the finding of edema.", [0.2, 0.1, 0.1], [0.4, 0.6, 0.6]) == Flips(1, 0, 1, 1, 2, 2)


def test_a_removed_finding_flips_where_it_was_predicted():
    assert count("Remove the finding of edema.", [0.7, 0.1, 0.1], [0.4, 0.1, 0.1]) == Flips(1, 1, 1, 1, 2, 0)
    assert count("Remove the finding of edema.", [0.7, 0.1, 0.1], [0.8, 0.1, 0.1]) == Flips(1, 0, 1, 0, 2, 0)
    assert count("Remove the finding of edema.", [0.3, 0.1, 0.1], [0.1, 0.1, 0.1]) == Flips(0, 0, 1, 1, 2, 0)


def test_changes_of_level_follow_but_do_not_flip():
    words = "Change the level of edema from mild to severe. Change the level of pneumonia from severe to mild."
    assert count(words, [0.6, 0.8, 0.1], [0.4, 0.4, 0.1]) == Flips(0, 0, 2, 1, 1, 0)


def test_nothing_done_flips_and_follows_nothing():
    assert count("Add the findings of edema and pneumonia.", [0.2] * 3, [0.2] * 3) == Flips(2, 0, 2, 0, 1, 0)


def test_findings_that_are_not_scored_are_left_out():
    assert count("Add the finding of pleural effusion.", [0.2] * 3, [0.8] * 3) == Flips(0, 0, 0, 0, 3, 3)


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("Add the finding of edema.", 1),
        ("Remove the finding of edema.", -1),
        ("Change the level of edema from mild to severe.", 1),
        ("Change the level of edema from severe to mild.", -1),
        ("Change the level of edema to increasing.", 1),
        ("Change the level of edema to decreasing.", -1),
        ("Change the level of edema to mild.", 0),
        ("Change the level of edema from acute to mild.", 0),
    ],
)
def test_which_way_a_score_should_go(words, way):
    assert direction(Instruction.parse(words).clauses[0]) == way


def test_what_is_predicted_as_requested_counts_whatever_was_predicted_before():
    words = "Add the finding of edema. Remove the finding of pneumonia."
    found = count_all(words, [0.9, 0.2, 0.1], [0.8, 0.1, 0.1])  # nothing had to flip
    assert (found.could_flip, found.toggles, found.as_asked) == (0, 2, 2)
    assert count_all(words, [0.9, 0.9, 0.1], [0.2, 0.9, 0.1]).as_asked == 0
    assert count_all("Change the level of edema from mild to severe.", [0.9] * 3, [0.9] * 3).toggles == 0


def test_scores_of_another_number_are_refused():
    with pytest.raises(ValueError, match="one number for each of 3 labels"):
        count("Add the finding of edema.", [0.2], [0.2])
