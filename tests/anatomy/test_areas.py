"""Expected areas: every finding has some, sides and several clauses count."""

import pytest

from x2x_core.anatomy.areas import AreaLimits, area_limits, expected_area
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS, SIDES


def limits(text):
    return area_limits(Instruction.parse(text))


@pytest.mark.parametrize("finding", FINDINGS)
def test_every_finding_on_every_side_has_a_plausible_area(finding):
    for side in (None, *SIDES):
        found = expected_area(Clause(Operation.ADD, finding, side))
        assert 0 < found.lowest < found.highest <= 1


def test_both_sides_are_twice_one_and_an_unnamed_side_is_either():
    left, both = limits("Add the finding of left pleural effusion."), limits("Add bilateral pleural effusion.")
    either = limits("Add the finding of pleural effusion.")
    assert (both.lowest, both.highest) == (2 * left.lowest, 2 * left.highest)
    assert (either.lowest, either.highest) == (left.lowest, both.highest)


def test_a_heart_has_no_sides():
    heart = FINDINGS["cardiomegaly"].name
    sided, plain = (expected_area(Clause(Operation.ADD, heart, side)) for side in ("left", None))
    assert sided == plain


def test_several_clauses_are_held_to_the_area_of_their_union():
    first, second = limits("Add left pneumothorax."), limits("Remove cardiomegaly.")
    both = limits("Add left pneumothorax. Remove cardiomegaly.")
    assert both.lowest == max(first.lowest, second.lowest)
    assert both.highest == pytest.approx(first.highest + second.highest)


def test_free_text_is_held_to_no_area():
    assert limits("make it snowy") is None


@pytest.mark.parametrize("bounds", [(0.5, 0.2), (-0.1, 0.2), (0.1, 1.2)])
def test_invalid_limits_are_refused(bounds):
    with pytest.raises(ValueError, match="0 <= lowest <= highest <= 1"):
        AreaLimits(*bounds)
