"""Levels in the words that a model knows."""

import pytest

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause
from x2x_core.language.levels import at_known_levels, check_levels, levels_in, nearest_level
from x2x_core.language.vocabulary import COURSES, LEVELS, level_rank

SIZES = ["minimal", "small", "moderate", "large"]
GRADES = ["mild", "moderate", "severe"]


@pytest.mark.parametrize(
    ("level", "known", "nearest"),
    [
        ("large", GRADES, "severe"),
        ("severe", SIZES, "large"),
        ("mild", SIZES, "small"),
        ("minimal", GRADES, "mild"),
        ("massive", GRADES, "severe"),
        ("subtle", SIZES, "minimal"),
        ("mild to moderate", SIZES, "moderate"),
        ("moderate to severe", GRADES, "severe"),
    ],
)
def test_the_nearest_level_has_the_nearest_severity(level, known, nearest):
    assert nearest_level(level, known) == nearest


@pytest.mark.parametrize("known", [SIZES, GRADES])
def test_the_order_of_levels_is_kept(known):
    levels = sorted((level for level in LEVELS if level not in COURSES), key=level_rank)
    ranks = [level_rank(nearest_level(level, known)) for level in levels]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("level", SIZES)
def test_a_known_level_stays(level):
    clause = Clause("add", "pneumothorax", level=level)
    assert at_known_levels([clause], {"pneumothorax": SIZES}) == (clause,)


def test_both_ends_of_a_change_are_replaced_unless_they_would_become_one():
    change, beyond = (
        Clause("change", "edema", level=end, level_from=start)
        for start, end in (("small", "large"), ("severe", "massive"))
    )
    assert at_known_levels([change, beyond], {"edema": GRADES}) == (
        Clause("change", "edema", level="severe", level_from="mild"),
        beyond,
    )


def test_what_has_no_level_a_course_or_no_known_levels_stays():
    clauses = [
        Clause("add", "edema"),
        Clause("change", "edema", level="increasing"),
        Clause("remove", "hernia", level="large"),
    ]
    assert at_known_levels(clauses, {"edema": GRADES}) == tuple(clauses)


def test_levels_are_collected_by_finding_weakest_first():
    clauses = [
        Clause("change", "edema", level="mild", level_from="severe"),
        Clause("add", "pneumothorax", level="small"),
        Clause("change", "edema", level="increasing"),
        Clause("add", "hernia"),
    ]
    assert levels_in(clauses) == {"edema": ["mild", "severe"], "pneumothorax": ["small"]}


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (["edema"], "`trained_levels` must map findings to lists of levels"),
        ({"oedema": ["mild"]}, "`trained_levels` must be one of"),
        ({"edema": "mild"}, "`trained_levels` must map edema to a list of levels, got 'mild'"),
        ({"edema": ["big"]}, "`trained_levels` must be one of"),
        ({"edema": [3]}, "`trained_levels` must be one of"),
    ],
)
def test_values_that_are_not_levels_are_refused(levels, message):
    with pytest.raises(InputError, match=message):
        check_levels("trained_levels", levels)
