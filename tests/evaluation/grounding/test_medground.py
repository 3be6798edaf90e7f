"""The filter of MedGround-Bench: right, flips, stays, in this order."""

import pytest

from x2x_core.evaluation.grounding.medground import passed_steps


@pytest.mark.parametrize(
    ("truth", "before", "edited", "elsewhere", "steps"),
    [
        (True, True, False, (True, True), 3),
        (None, True, False, (True, True), 3),  # the benchmark's answers are all yes
        (True, False, False, (True, True), 0),
        (True, None, False, (True, True), 0),
        (True, True, True, (True, True), 1),
        (True, True, None, (True, True), 1),
        (True, True, False, (True, False), 2),
        (True, True, False, (None, True), 2),
        (False, False, True, (False, False), 3),
        (False, True, True, (False, False), 0),
    ],
)
def test_steps_are_passed_in_order(truth, before, edited, elsewhere, steps):
    assert passed_steps(truth, before, edited, elsewhere) == steps
