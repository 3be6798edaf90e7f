"""The benchmarks run, and count what they say."""

import importlib.util
from pathlib import Path

import pytest
import torch
from tiny_models import NATIVE, PROMPT, make_radiograph

from x2x_core.evaluation.simulated import TruePair


@pytest.fixture
def relevance_choice():
    path = Path(__file__).parents[1] / "benchmarks" / "relevance_choice.py"
    spec = importlib.util.spec_from_file_location("relevance_choice", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
        assert areas == sorted(areas, reverse=True) and 0 < scores["adaptive"]["area"] < 1
    relevance_choice.show(result)
    printed = capsys.readouterr().out
    assert "2 pairs" in printed and "| 0.5, 0.8 | 2 | 8 |" in printed and "| adaptive, tidied |" in printed


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
