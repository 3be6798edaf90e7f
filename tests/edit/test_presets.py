"""Presets: what they change, and in which order settings count."""

import pytest

from x2x_core.edit.presets import PRESETS
from x2x_core.edit.settings import resolve_settings

NOTHING = {"recommended": {}}
DEMO = {"recommended": {"num_inference_steps": 5, "relevance_noise_level": [0.6, 0.8], "relevance_samples": 2}}


@pytest.mark.parametrize("config", [NOTHING, DEMO])
def test_best_is_what_the_checkpoint_recommends(config):
    best = resolve_settings({"preset": "best"}, config)
    assert best.preset == "best" and resolve_settings({}, config) == resolve_settings({"preset": None}, config)
    assert {**vars(best), "preset": None} == vars(resolve_settings({}, config))


@pytest.mark.parametrize("config", [NOTHING, DEMO])
def test_each_preset_costs_less_than_the_next(config):
    steps, draws, contexts = [], [], []
    for preset in PRESETS:
        chosen = resolve_settings({"preset": preset}, config)
        steps.append(chosen.num_inference_steps)
        draws.append(chosen.relevance_samples)
        contexts.append(chosen.mask_context or 10_000)
    assert steps == sorted(steps) and draws == sorted(draws) and contexts == sorted(contexts)


def test_steps_that_a_checkpoint_recommends_are_kept_or_halved():
    assert [resolve_settings({"preset": name}, DEMO).num_inference_steps for name in PRESETS] == [3, 5, 5]
    assert resolve_settings({"preset": "fast"}, DEMO).solver is None
    assert resolve_settings({"preset": "fast"}, NOTHING).solver == "DPM++ 2M"


def test_the_fast_preset_looks_at_level_1_alone():
    levels = [
        resolve_settings({"preset": name}, {"recommended": {"relevance_noise_level": [0.6, 1.0]}}) for name in PRESETS
    ]
    assert [chosen.noise_levels for chosen in levels] == [(1.0,), (0.6, 1.0), (0.6, 1.0)]
    assert resolve_settings({"preset": "fast"}, DEMO).noise_levels == (0.6, 0.8)


SOLVED = {"scheduler": ["diffusers", "DDIMScheduler"]}


def test_the_default_steps_are_those_of_a_modern_solver():
    chosen = resolve_settings({}, SOLVED)
    assert (chosen.num_inference_steps, chosen.solver) == (10, "DPM++ 2M")
    for given in ({"num_inference_steps": 30}, {"eta": 1.0}):
        assert resolve_settings(given, SOLVED).solver is None
    assert resolve_settings({"solver": "Euler"}, SOLVED).solver == "Euler"
    for config in (NOTHING, {"scheduler": ["diffusers", "EulerDiscreteScheduler"]}, {**SOLVED, **DEMO}):
        assert resolve_settings({}, config).solver is None
    free = resolve_settings({}, SOLVED, restricted=False)
    assert (free.num_inference_steps, free.solver) == (20, None)
    assert resolve_settings({}, SOLVED, reference=True).solver is None


def test_given_settings_replace_the_preset_s():
    given = {"preset": "fast", "num_inference_steps": 30, "mask_context": False, "solver": "UniPC"}
    chosen = resolve_settings(given, NOTHING)
    assert (chosen.num_inference_steps, chosen.mask_context, chosen.solver) == (30, None, "UniPC")


def test_without_restriction_the_arithmetic_is_the_stock_pipeline_s():
    chosen = resolve_settings({"preset": "fast"}, DEMO, restricted=False)
    assert chosen.num_inference_steps == 3 and chosen.mask_context is None and chosen.unconditional_interval == 1


def test_unknown_presets_and_presets_of_the_published_code_are_refused():
    with pytest.raises(ValueError, match="`preset` must be one of fast, balanced, best, got 'quick'"):
        resolve_settings({"preset": "quick"}, NOTHING)
    with pytest.raises(ValueError, match="`preset` must be left out with `reference=True`"):
        resolve_settings({"preset": "fast"}, NOTHING, reference=True)


def test_the_fast_preset_edits_at_the_scale_of_the_whole_picture():
    cropped = {"recommended": {"padding_mask_crop": 24, "num_inference_steps": 1}}
    chosen = [resolve_settings({"preset": name}, cropped) for name in PRESETS]
    assert [own.padding_mask_crop for own in chosen] == [None, 24, 24]
    assert resolve_settings({"preset": "fast", "padding_mask_crop": 8}, cropped).padding_mask_crop == 8
