"""Random scenarios and their instructions."""

import pytest
import torch

from x2x_core.language.clauses import Operation
from x2x_core.simulation.findings import levels_of
from x2x_core.simulation.scenario import sample_scenario
from x2x_core.simulation.settings import Resting


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_scenarios_match_their_instructions():
    operations = set()
    for seed in range(60):
        scenario = sample_scenario(generator(seed), "v2")
        for clause in scenario.instruction.clauses:
            operations.add(clause.operation)
            before = [one for one in scenario.before if one.finding == clause.finding]
            after = [one for one in scenario.after if one.finding == clause.finding]
            assert (len(before), len(after)) == {"add": (0, 1), "remove": (1, 0), "change": (1, 1)}[
                clause.operation.value
            ]
            if clause.operation is Operation.CHANGE:
                assert (before[0].level, after[0].level) == (clause.level_from, clause.level)
                assert before[0].seed == after[0].seed and clause.level in levels_of(clause.finding)
            assert clause.side in (None, (before + after)[0].side)
    assert operations == set(Operation)


def test_resting_findings_are_drawn_from_the_setting():
    for seed in range(30):
        scenario = sample_scenario(generator(seed), resting=Resting(("cardiomegaly", "edema"), 1.0))
        asked = {clause.finding for clause in scenario.instruction.clauses}
        stays = [one for one in scenario.before if one.finding not in asked]
        assert stays == [one for one in scenario.after if one.finding not in asked]
        assert [one.finding in ("cardiomegaly", "edema") for one in stays] == [True] * len(stays)
        assert stays or asked == {"cardiomegaly", "edema"}
        nothing = sample_scenario(generator(seed), resting=Resting(share=0.0))
        assert {one.finding for one in nothing.before + nothing.after} <= asked


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"findings": ("gout",)}, "`resting` must name findings that are simulated .*, got 'gout'"),
        ({"findings": ()}, "`resting` must name findings that are simulated .*, got none"),
        ({"share": 1.5}, r"`resting_share` must lie in \[0, 1\], got 1.5"),
    ],
)
def test_wrong_resting_findings_are_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        Resting(**wrong)


def test_v1_states_no_places():
    for seed in range(20):
        for clause in sample_scenario(generator(seed), "v1").instruction.clauses:
            assert clause.side is clause.zone is None
