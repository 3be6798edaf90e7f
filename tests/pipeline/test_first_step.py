"""The first step: predictions that an edit shares with its relevance map and its twin."""

import numpy as np
import pytest
import torch
from edit_cases import CELLS, edit
from tiny_models import PROMPT, make_components, make_pipeline, make_scheduler, seeded

from x2x_core.edit.backbones.flow import FlowLevel, FlowSchedule
from x2x_core.edit.state import KnownPredictions


def zero_snr(prediction_type="v_prediction"):
    """A schedule whose first step is at level 1, where no signal is left, as the demo's."""
    plain = make_scheduler(prediction_type)
    return type(plain).from_config(plain.config, timestep_spacing="trailing", rescale_betas_zero_snr=True)


@pytest.fixture
def pipe():
    return make_pipeline(**make_components(scheduler=zero_snr()))


DENOISING = {"num_inference_steps": 3, "image_guidance_scale": 1.0, "output_type": "np"}
CALL = {**DENOISING, "relevance_samples": 1, "relevance_noise_level": [1.0, 0.6], "mask_threshold": 0.1}


def test_a_first_step_at_level_1_costs_nothing(pipe, radiograph, items, monkeypatch):
    shared = edit(pipe, radiograph, twin=True, **CALL)
    assert items == [4, 3, 3]  # two draws, and two steps of edit and twin
    items.clear()
    monkeypatch.setattr(KnownPredictions, "fits", lambda *_: False)
    apart = edit(pipe, radiograph, twin=True, **CALL)
    assert items == [4, 2, 3, 3]
    assert shared.guidance_mask.any() and torch.equal(shared.guidance_mask, apart.guidance_mask)
    assert np.abs(shared.images - apart.images).max() < 1e-5


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("limit", [0, 24])
def test_a_twin_beside_its_edit_is_the_twin_alone(pipe, radiograph, items, monkeypatch, limit, scale):
    """Gating keeps the tracks apart; with the whole canvas in its mask, it changes nothing."""
    from x2x_core.edit.backbones import instruct_pix2pix

    monkeypatch.setattr(instruct_pix2pix, "RELEVANCE_BATCH", limit)
    mask = torch.ones(1, 1, 64, 64)
    call = {"guidance_mask": mask, "image_guidance_scale": scale, "eta": 0.5, "unconditional_interval": 1}
    call = {**DENOISING, **call}
    beside = edit(pipe, radiograph, twin=True, **call)
    counts = {(1.0, 24): [2, 3, 3], (1.0, 0): [2, 2, 1, 2, 1], (1.5, 24): [3, 5, 5], (1.5, 0): [3, 3, 2, 3, 2]}
    assert items == counts[scale, limit]
    items.clear()
    alone = edit(pipe, radiograph, twin=True, attention_gating=True, **call)
    assert items == [3] * 3 + [1 if scale == 1 else 2] * 3
    assert np.abs(beside.images - alone.images).max() < 1e-4


def test_a_mask_handed_back_gives_the_same_edit(pipe, radiograph):
    full = edit(pipe, radiograph, twin=True, **CALL)
    again = edit(pipe, radiograph, twin=True, guidance_mask=full.guidance_mask, **DENOISING)
    assert np.abs(full.images - again.images).max() < 1e-5


def test_level_1_has_the_diffusion_noise(pipe, radiograph):
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded())
    own = pipe.relevance(radiograph, PROMPT, relevance_noise_level=1.0, relevance_samples=1, generator=seeded())
    call = {"relevance_noise_level": 1.0, "relevance_samples": 1}
    given = pipe.relevance(radiograph, PROMPT, relevance_noise=noise, **call)
    assert torch.equal(own.relevance_map, given.relevance_map) and own.relevance_map.max() > 0
    several = pipe.relevance(radiograph, PROMPT, generator=seeded(), relevance_noise_level=1.0, relevance_samples=2)
    assert not torch.equal(several.relevance_map, own.relevance_map)


@pytest.mark.parametrize("prediction_type", ["v_prediction", "sample", "epsilon"])
def test_where_no_signal_is_left_predictions_are_compared_as_they_are(radiograph, prediction_type):
    pipe = make_pipeline(**make_components(scheduler=zero_snr(prediction_type)))
    call = {"relevance_noise_level": 1.0, "relevance_samples": 1, "generator": seeded()}
    assert pipe.relevance(radiograph, PROMPT, **call).relevance_map.max() > 0


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ({"relevance_noise": torch.zeros(1, 2, 4, CELLS, CELLS)}, [4, 2]),  # another noise than the edit's
        ({"relevance_noise_level": [0.9, 0.6]}, [4, 2]),
        ({"attention_gating": True}, [4, 3]),
        ({"mask_context": 0}, [4, 2]),  # a window sees less than the whole canvas
    ],
    ids=lambda value: "",
)
def test_other_predictions_are_not_used(pipe, radiograph, items, changed, first):
    pseudomask = torch.zeros(1, 1, 64, 64)
    pseudomask[..., 16:32, 16:32] = 1
    edit(pipe, radiograph, pseudomask=pseudomask, **{**CALL, **changed})
    assert items[:2] == first


def test_flow_models_are_compared_by_their_velocity_there():
    schedule, (velocity, noise) = FlowSchedule(None, lambda *_: 0.0), torch.randn(2, 1, 4, 8, 8, generator=seeded())
    assert torch.equal(schedule.predicted_noise(velocity, noise, FlowLevel(1000, 1.0)), velocity)
    assert torch.equal(schedule.predicted_noise(velocity, noise, FlowLevel(500, 0.5)), noise + 0.5 * velocity)


def test_known_predictions_fit_their_own_latents_alone():
    noisy = torch.randn(2, 1, 4, 8, 8, generator=seeded())
    known = KnownPredictions(noisy[0], 999, {})
    assert known.fits(noisy[0] + 1e-6, torch.tensor(999))
    assert not known.fits(noisy[1], torch.tensor(999)) and not known.fits(noisy[0], torch.tensor(998))
    assert not known.fits(noisy[0, :, :, :4], torch.tensor(999))


@pytest.mark.parametrize("steps", [1, 2])
def test_a_window_takes_its_first_step_with_the_predictions_of_the_whole_canvas(pipe, radiograph, items, steps):
    place = torch.zeros(64, 64)
    place[12:28, 20:40] = 1
    call = {**CALL, "relevance_noise_level": 1.0, "num_inference_steps": steps, "pseudomask": place}
    call["output_type"] = "latent"
    whole = edit(pipe, radiograph, **call)
    assert items == [2, 2][:steps]
    items.clear()
    window = edit(pipe, radiograph, mask_context=0, **call)
    assert items == [2, 2][:steps] and torch.equal(whole.guidance_mask, window.guidance_mask)
    assert torch.allclose(whole.images, window.images, atol=1e-5) == (steps == 1)
