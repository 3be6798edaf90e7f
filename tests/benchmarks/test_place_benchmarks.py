"""The benchmarks of place hints and extents."""

import torch
from programs import load_program
from tiny_models import PROMPT, make_components, make_pipeline, make_radiograph, make_scheduler

from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.extents import lesion_of


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
