"""The plan of a test set: its coverage, its independence of the length, and its triples."""

from collections import Counter

import pytest
import torch

from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.dataset import body_generator
from x2x_core.simulation.findings import SIMULATED_FINDINGS, levels_of
from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.plan import TRIPLE, cells_of, plan_bodies
from x2x_core.simulation.plan_coverage import coverage, missing_cells
from x2x_core.simulation.planned_pairs import simulate_planned
from x2x_core.simulation.settings import PAIRS_PER_BODY, SimulationSettings
from x2x_core.simulation.thorax import segment_thorax


def instructions(bodies, seed=5):
    return [Instruction(clauses=(cell.clause(),)) for body in plan_bodies(bodies, seed) for cell in body.cells]


def test_a_hundred_bodies_cover_everything_about_equally_often():
    asked = instructions(100)
    assert missing_cells(asked) == []
    counts = Counter(instruction.clauses[0].finding for instruction in asked)
    assert set(counts) == set(SIMULATED_FINDINGS) and max(counts.values()) - min(counts.values()) <= 1
    operations = coverage(asked)["operation"]
    assert sum(operations.values()) == 500 and max(operations.values()) < 1.2 * min(operations.values())


def test_all_combinations_of_operation_and_place_are_planned():
    asked = [instruction.clauses[0] for instruction in instructions(100)]
    for finding in SIMULATED_FINDINGS:
        found = {(c.operation, c.side, c.zone) for c in asked if c.finding == finding}
        assert found == {(c.operation, c.side, c.zone) for c in cells_of(finding)}


def test_a_shorter_plan_is_the_beginning_of_a_longer_one_and_the_seed_matters():
    assert plan_bodies(7, 5) == plan_bodies(20, 5)[:7]
    assert plan_bodies(7, 5) != plan_bodies(7, 6)


def test_missing_cells_of_a_short_plan_are_listed():
    missing = missing_cells(instructions(1))
    assert "edema: operation remove" in missing
    assert len(missing) > 30


def test_every_instruction_states_its_level_and_reads_back_equal():
    for instruction in instructions(20):
        assert Instruction.parse(str(instruction)).clauses == instruction.clauses
        assert instruction.clauses[0].level is not None


def test_the_cells_of_a_finding_are_all_combinations():
    assert len(cells_of("edema")) == 3 + 3 + 6  # no place; three levels to add, to remove, and to go between
    assert len(cells_of("consolidation")) == 2 * 3 * (4 + 4 + 12)
    assert {cell.side for cell in cells_of("pleural effusion")} == {"left", "right", "bilateral"}


def test_triples_are_one_lesion_at_the_three_strongest_levels():
    triples = [body for body in plan_bodies(20, 5) if body.triple is not None]
    assert [body.triple for body in triples] == list(range(8))
    assert {body.cells[0].finding for body in triples} == set(SIMULATED_FINDINGS)
    for body in triples:
        first, *_ = cells = body.cells[:TRIPLE]
        assert [cell.level for cell in cells] == list(levels_of(first.finding)[-TRIPLE:])
        assert len({(c.finding, c.operation, c.side, c.zone) for c in cells}) == 1 and first.operation is Operation.ADD


@pytest.fixture(scope="module")
def simulated():
    thorax = segment_thorax(phantom_ct((8.0, 8.0, 8.0)), (8.0, 8.0, 8.0))
    planned = plan_bodies(1, 5)[0]
    return [simulate_planned(thorax, planned, body_generator(5, 0), 48) for _ in range(2)]


def test_a_triple_changes_one_image_more_and_more(simulated):
    triple = simulated[0][:TRIPLE]
    assert all(torch.equal(pair.before, triple[0].before) for pair in triple)
    energies = [float(pair.change.square().sum()) for pair in triple]
    assert 0 < energies[0] < energies[1] < energies[2]
    assert [pair.attributes["triple"] for pair in simulated[0]] == [0] * TRIPLE + [None] * (PAIRS_PER_BODY - TRIPLE)
    assert not torch.equal(simulated[0][-1].before, triple[0].before)


def test_equal_seeds_give_equal_images(simulated):
    for one, other in zip(*simulated):
        assert torch.equal(one.before, other.before) and torch.equal(one.after, other.after)


def test_planned_pairs_are_the_split_test_and_unknown_versions_are_errors():
    assert SimulationSettings(10, version="benchmark").split(0) == "test"
    with pytest.raises(ValueError, match="`version` must be one of v1, v2, mixed, benchmark, got 'v3'"):
        SimulationSettings(10, version="v3")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        plan_bodies(0, 1)
