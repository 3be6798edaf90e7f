"""The native graph does what the pipeline does: same weights, seeds and masks."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from native_graph import STEPS, encode, pack, run, to_image
from tiny_models import NATIVE, PROMPT, make_pipeline, seeded

SCALES = (5.0, 1.5)
# Both do the same arithmetic in float32, in another order: ComfyUI's latents are divided by the square root of the
# share of the signal. Values are about 1 at the end and 15 at the start.
TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def native(tiny_folder):
    """MODEL, CLIP and VAE of the tiny checkpoint."""
    return pack("native_loading").load_native(tiny_folder, "float32")


@pytest.fixture
def mask():
    """A region of the right lung."""
    region = torch.zeros(1, NATIVE, NATIVE)
    region[:, 16:52, 4:30] = 1
    return region


def euler(pipe):
    """The pipeline's scheduler as Euler's, which ends at no noise as ComfyUI's samplers do."""
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config, timestep_spacing="leading")
    pipe.scheduler.set_timesteps(STEPS)
    return pipe.scheduler.sigmas


def edit_natively(native, radiograph, mask, sigmas, scales=SCALES, seed=0, sampler="euler"):
    model, clip, vae = native
    latent = {"samples": vae.encode(to_image(radiograph))}
    guider = pack("native").X2XRegionGuider.execute(
        model, encode(clip, PROMPT), encode(clip, ""), latent, *scales, mask
    ).result[0]
    return run(guider, latent, sigmas, seed, sampler)


def test_edit_equals_the_pipelines(native, pipe, radiograph, mask):
    sigmas = euler(pipe)
    expected = pipe(
        radiograph,
        PROMPT,
        guidance_mask=mask,
        num_inference_steps=STEPS,
        guidance_scale=SCALES[0],
        image_guidance_scale=SCALES[1],
        generator=seeded(3),
        output_type="latent",
    ).images
    edited = edit_natively(native, radiograph, mask, sigmas, seed=3) * pipe.vae.config.scaling_factor
    assert (edited - expected).abs().max() < TOLERANCE
    clean = native[2].encode(to_image(radiograph)) * pipe.vae.config.scaling_factor
    assert (edited - clean).abs().max() > 100 * TOLERANCE  # the edit changed something


def test_ddim_is_euler(native, pipe, radiograph, mask):
    """DDIM without noise of its own is Euler's method in the variables of ComfyUI."""
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, set_alpha_to_one=True)
    sigmas = euler(make_pipeline(**pipe.components))
    expected = pipe(
        radiograph,
        PROMPT,
        guidance_mask=mask,
        num_inference_steps=STEPS,
        guidance_scale=SCALES[0],
        image_guidance_scale=SCALES[1],
        generator=seeded(3),
        output_type="latent",
    ).images
    edited = edit_natively(native, radiograph, mask, sigmas, seed=3) * pipe.vae.config.scaling_factor
    print((edited - expected).abs().max())
    assert (edited - expected).abs().max() < TOLERANCE


def test_relevance_equals_the_pipelines(native, pipe, radiograph):
    model, clip, vae = native
    latent = {"samples": vae.encode(to_image(radiograph))}
    for levels, draws in ((0.8, 4), ([0.6, 0.8], 2)):
        expected = pipe.relevance(
            radiograph, PROMPT, relevance_noise_level=levels, relevance_samples=draws, generator=seeded(5)
        )
        text = str(levels).strip("[]")
        found = pack("native").X2XNativeRelevanceMap.execute(
            model, encode(clip, PROMPT), encode(clip, ""), latent, text, draws, 5
        ).result[0]
        cells = torch.nn.functional.interpolate(expected.relevance_map_latent if hasattr(expected, "relevance_map_latent") else expected[1], found.shape[-2:], mode="bilinear")[:, 0]
        print((found - cells).abs().max())
        assert (found - cells).abs().max() < TOLERANCE
