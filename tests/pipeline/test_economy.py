"""Edits with fewer evaluations: their costs, and how far they are from the full edit."""

import numpy as np
import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler
from edit_cases import edit, same
from tiny_models import make_pipeline

from x2x_core.edit.presets import PRESETS
from x2x_core.edit.solver_names import SOLVERS

WHERE = {"guidance_mask": torch.ones(1, 1, 64, 64), "output_type": "np"}


def test_a_branch_that_cancels_is_left_out_without_a_difference(pipe, radiograph, items):
    call = {**WHERE, "num_inference_steps": 4, "unconditional_interval": 1}
    almost_one = np.nextafter(1.0, 2)
    full = edit(pipe, radiograph, image_guidance_scale=almost_one, **call)
    assert items == [3] * 4
    items.clear()
    fewer = edit(pipe, radiograph, image_guidance_scale=1.0, **call)
    assert items == [2] * 4 and np.abs(full.images - fewer.images).max() < 1e-4


@pytest.mark.parametrize("arguments", [{"restricted": False}, {"reference": True, "guidance_mask": torch.ones(64, 64)}])
def test_the_stock_and_the_published_arithmetic_predict_it_all_the_same(pipe, radiograph, items, arguments):
    edit(pipe, radiograph, image_guidance_scale=1.0, **arguments)
    assert items == [3, 3]


@pytest.mark.parametrize("twin", [False, True])
def test_a_reused_branch_changes_little(pipe, radiograph, items, twin):
    call = {**WHERE, "num_inference_steps": 6, "twin": twin}
    full = edit(pipe, radiograph, unconditional_interval=1, **call)
    items.clear()
    fewer = edit(pipe, radiograph, unconditional_interval=2, **call)
    beside = [0, 1, 2, 1, 2, 1] if twin else [0] * 6  # the first step is shared
    assert items == [own + more for own, more in zip([3, 2] * 3, beside)]
    off = edit(pipe, radiograph, guidance_end=0.0, **call)
    assert 0 < np.abs(full.images - fewer.images).mean() < np.abs(full.images - off.images).mean()


def test_guidance_ends(pipe, radiograph, items):
    ended = edit(pipe, radiograph, guidance_end=0.5, num_inference_steps=4, unconditional_interval=1, **WHERE)
    assert items == [3, 3, 1, 1]
    never = edit(pipe, radiograph, guidance_end=0.0, num_inference_steps=4, **WHERE)
    unguided = edit(pipe, radiograph, guidance_scale=1.0, image_guidance_scale=1.0, num_inference_steps=4, **WHERE)
    assert same(never.images, unguided.images) and not same(ended.images, never.images)


def test_gating_goes_with_both(pipe, radiograph, items):
    call = {**WHERE, "attention_gating": True, "num_inference_steps": 4}
    full = edit(pipe, radiograph, **call)
    assert same(edit(pipe, radiograph, unconditional_interval=2, **call).images, full.images)
    items.clear()
    edit(pipe, radiograph, guidance_end=0.5, **call)
    assert items == [3, 3, 1, 1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_is_of_the_call_alone(pipe, radiograph, solver):
    before = pipe.scheduler
    chosen = edit(pipe, radiograph, solver=solver, **WHERE)
    assert pipe.scheduler is before and np.isfinite(chosen.images).all()
    own = edit(pipe, radiograph, **WHERE)
    assert same(chosen.images, own.images) == (solver == "DDIM")  # which is the tiny model's own


def test_presets_cost_what_they_say(pipe, radiograph, items):
    costs = {}
    for preset in PRESETS:
        items.clear()
        edit(pipe, radiograph, preset=preset, num_inference_steps=None)
        costs[preset] = sum(items)
    assert costs == {"fast": 16, "balanced": 29, "best": 29}
    items.clear()
    edit(pipe, radiograph, num_inference_steps=None)
    assert sum(items) == 29


def test_the_default_steps_are_those_of_a_modern_solver(pipe, radiograph, items):
    solved = edit(pipe, radiograph, num_inference_steps=None, **WHERE)
    chosen = edit(pipe, radiograph, num_inference_steps=10, solver="DPM++ 2M", **WHERE)
    own = edit(pipe, radiograph, num_inference_steps=10, **WHERE)
    assert same(solved.images, chosen.images) and not same(solved.images, own.images)
    assert items[:10] == [3, 2] * 5


@pytest.mark.parametrize("arguments", [{"eta": 0.5}, {"solver": "DDIM"}, {"restricted": False}])
def test_callers_keep_a_scheduler_that_they_need(pipe, radiograph, items, arguments):
    kept = edit(pipe, radiograph, num_inference_steps=None, **arguments)
    steps = 10 if arguments.get("restricted", True) else 20
    own = edit(pipe, radiograph, num_inference_steps=steps, **arguments)
    assert same(kept.images, own.images)


def test_another_scheduler_is_kept(pipe, radiograph, items):
    pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(pipe.scheduler.config)
    kept = edit(pipe, radiograph, num_inference_steps=None, **WHERE)
    assert same(kept.images, edit(pipe, radiograph, num_inference_steps=10, **WHERE).images)


def test_maps_before_an_edit_take_its_preset(pipe, radiograph):
    edited = edit(pipe, radiograph, preset="fast", num_inference_steps=None)
    looked = pipe.guidance(
        radiograph, "Add the finding of moderate right pleural effusion.", preset="fast", generator=0
    )
    assert torch.equal(edited.guidance_mask, looked.guidance_mask)


def test_a_checkpoint_can_recommend_them(shared_components, radiograph):
    recommended = {"unconditional_interval": 3, "guidance_end": 0.8}
    pipe = make_pipeline(**shared_components, recommended=recommended)
    plain = make_pipeline(**shared_components)
    assert same(edit(pipe, radiograph).images, edit(plain, radiograph, **recommended).images)
    free = {"restricted": False}
    assert same(edit(pipe, radiograph, **free).images, edit(plain, radiograph, **free).images)
