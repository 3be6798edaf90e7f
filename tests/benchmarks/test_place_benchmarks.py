"""The benchmarks of place hints and extents."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from programs import load_program
from tiny_models import PROMPT, make_components, make_pipeline, make_radiograph, make_scheduler

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.common.bundled import bundled_path
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.imaging.files import read_image
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.chest import measure_chest
from x2x_core.simulation.films.extents import lesion_of


@pytest.fixture(scope="module")
def film_chest():
    grey = read_image(bundled_path("sample")).pixels[0].mean(0).numpy().astype(np.float32)
    return measure_chest(grey, LungFinder.bundled())


def test_each_request_has_an_extent():
    asked = [one for film in range(3) for one in load_program("benchmarks/extent_amounts.py").requests(film)]
    assert len(asked) == 72 and len({text for _, _, text in asked}) > 40
    for finding, level, text in asked:
        (clause,) = Instruction.parse(text).clauses
        lesion = lesion_of(clause, torch.Generator().manual_seed(0))
        assert (clause.finding, clause.level) == (finding, level) == (lesion.finding, lesion.level)


def test_changes_are_those_of_the_pair_and_the_model(capsys, monkeypatch):
    place_hints = load_program("benchmarks/place_hints.py")
    monkeypatch.setattr(place_hints, "CELLS", 16)
    pipe = make_pipeline(**make_components(scheduler=make_scheduler("v_prediction")))
    before = torch.from_numpy(make_radiograph() / 255).float()[None]
    after = before.clone()
    after[:, 35:50, 8:25] = (after[:, 35:50, 8:25] + 0.3).clamp(0, 1)
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    found = place_hints.changes(pipe, TruePair(before, after, PROMPT), noise)
    assert found["true"].abs().sum() > 0 and not torch.equal(found["open"], found["hint"])
    same = place_hints.changes(pipe, TruePair(before, before, PROMPT), noise)
    assert same["true"].abs().sum() == 0
    place_hints.show("all", [{**found, "hint": found["true"]}])
    assert "hint: error 0.00000, share 0.00, cosine 1.00" in capsys.readouterr().out


def test_removals_take_turns_and_are_measured(film_chest):
    removals = load_program("benchmarks/removals_on_films.py")
    lesions = [removals.lesion_of_turn(turn, 5 + turn) for turn in range(48)]
    assert len({(lesion.finding, lesion.side, lesion.zone) for lesion in lesions}) > 24
    for lesion in lesions:
        for operation, level in ((Operation.ADD, "moderate"), (Operation.REMOVE, None)):
            (clause,) = Instruction.parse(removals.instruction(operation, lesion)).clauses
            told = (clause.operation, clause.finding, clause.side, clause.zone, clause.level)
            assert told == (operation, lesion.finding, lesion.side, lesion.zone, level)

    def perfect(picture, text, **_):
        """An editor that adds a grey value of 0.1 and removes all that was added."""
        film = torch.from_numpy(film_chest.grey)[None]
        return SimpleNamespace(images=((picture + 0.1) if text.startswith("Add") else film)[None])

    left, error = removals.measure(perfect, film_chest, lesions[0])
    assert (left, error) == (0, 0)
    left, error = removals.measure(lambda picture, text, **_: SimpleNamespace(
        images=(picture + 0.1 * text.startswith("Add"))[None]), film_chest, lesions[0])  # fmt: skip
    assert (left, error) == (1, 1)
