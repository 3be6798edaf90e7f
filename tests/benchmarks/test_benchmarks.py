"""The benchmarks run, and count what they say."""

import pytest
import torch
from programs import load_program
from tiny_models import NATIVE, PROMPT, make_radiograph

from x2x_core.evaluation.benchmark.pairs import TruePair


@pytest.fixture
def relevance_choice():
    return load_program("benchmarks/relevance_choice.py")


def pair(changed=True):
    before = torch.from_numpy(make_radiograph() / 255).float()[None]
    after = before.clone()
    if changed:
        after[:, 35:50, 8:25] = (after[:, 35:50, 8:25] + 0.3).clamp(0, 1)
    return TruePair(before, after, PROMPT)


def test_draws_and_levels_are_scored_against_their_cost(relevance_choice, pipe, capsys):
    result = relevance_choice.measure(pipe, [pair(), pair(changed=False), pair()], [(0.8,), (0.5, 0.8)], [1, 2])
    assert result["count"] == 2
    assert [one["items"] for one in result["maps"]] == [2, 4, 4, 8]
    for one in result["maps"]:
        assert len(one["pairs"]) == 2
        for scores in one["pairs"]:
            assert all(0 <= value <= 1 for name, value in scores.items() if name != "uncertainty")
    for scores in result["masks"]:
        areas = [scores[f"threshold {tau:g}"]["area"] for tau in relevance_choice.THRESHOLDS]
        assert areas == sorted(areas, reverse=True)
        areas = [scores[f"adaptive {share:g}"]["area"] for share in relevance_choice.SHARES]
        assert areas == sorted(areas) and areas[0] > 0 and areas[-1] < 1
    relevance_choice.show(result)
    printed = capsys.readouterr().out
    assert "2 pairs" in printed and "| 0.5, 0.8 | 2 | 8 |" in printed and "| adaptive 0.98, tidied |" in printed


def test_the_change_itself_is_found_perfectly(relevance_choice):
    one = pair()
    region = relevance_choice.changed_region(one.after - one.before)
    maps = torch.zeros(1, 1, NATIVE, NATIVE)
    maps[0] = region.float()

    class Found:
        relevance_map = guidance_map = pseudomask = maps
        relevance_uncertainty = None

    scores = relevance_choice.map_scores(Found, region)
    assert [scores[f"{name} {score}"] for name in "RG" for score in relevance_choice.SCORES] == [1] * 8
    bare = relevance_choice.mask_scores(Found, one)["threshold 0.5"]
    assert bare["IoU"] == 1 and bare["energy"] == pytest.approx(1)
    assert bare["area"] == pytest.approx(float(region.float().mean()))


def test_training_is_measured_step_by_step(monkeypatch):
    module = load_program("benchmarks/training_speed.py")
    monkeypatch.setattr(module, "PIXELS", {"small": 64})
    result = module.measure("small", batch=2, steps=3, changes={"lora_rank": 2, "mixed_precision": "no"})
    assert len(result["seconds_of_steps"]) == 3 and result["trained_parameters"] < 100_000
    clock = sorted(seconds for seconds, _ in result["seconds_of_steps"][1:])
    assert result["samples_per_second"] == pytest.approx(2 / (sum(clock) / 2), rel=0.1)
    assert result["peak_memory_gb"] > 0 and result["paper_schedule_days"] is None


def test_a_choice_of_edit_is_scored_on_planned_pairs(pipe, capsys, tmp_path, coarse_phantom):
    edit_choice = load_program("benchmarks/edit_choice.py")
    bodies = list(edit_choice.simulate("phantom", tmp_path, 5, 1))
    scores = edit_choice.score(pipe, bodies, guidance_scale=1.0, num_inference_steps=2)
    assert len(scores) == 5 and {one["triple"] for one in scores} == {0, None}
    whole = edit_choice.summary(scores)
    assert whole["amount"] == pytest.approx(sum(one["amount"] for one in scores) / 5)
    assert whole["monotone"] in (0, 1) and 0 <= whole["closer"] <= 1
    for name, values in edit_choice.by_finding(scores).items():
        edit_choice.show(name, values)
        members = [one["amount"] for one in scores if one["finding"] == name]
        assert values["amount"] == pytest.approx(sum(members) / len(members))
    assert "amount" in capsys.readouterr().out
    again = edit_choice.score(pipe, list(edit_choice.simulate("phantom", tmp_path, 5, 1)), guidance_scale=1.0,
                              num_inference_steps=2)  # fmt: skip
    assert again == scores


def test_a_choice_of_edit_is_scored_on_the_pairs_of_a_dataset(pipe, tmp_path, coarse_phantom):
    edit_choice = load_program("benchmarks/edit_choice.py")
    list(edit_choice.simulate("phantom", tmp_path, 10, 1))
    bodies = list(edit_choice.read(tmp_path / "pairs", "test", 7, 64))
    pairs = [one for body in bodies for one in body]
    assert [len(body) for body in bodies] == [5, 2] and pairs[0].pair.before.shape == (1, 64, 64)
    assert [one.seed - edit_choice.SEED for one in pairs] == list(range(7))
    scores = edit_choice.score(pipe, bodies[1:], guidance_scale=1.0, num_inference_steps=2, composition="saturating")
    assert len(scores) == 2 and {one["monotone"] for one in scores} == {None}
    assert "monotone" not in edit_choice.summary(scores)
