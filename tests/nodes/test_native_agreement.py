"""Agreement of the native graph with the pipeline, for the same weights, seeds and masks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from comfy_pack import run as run_node
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from native_graph import SCALES, STEPS, guide, load, relevance, run, schedule, to_image
from tiny_models import NATIVE, PROMPT, make_pipeline, seeded

from x2x_core import Instruction
from x2x_core.anatomy.edges import EXTENT_EDGE
from x2x_core.edit.settings import DEFAULT, resolve_settings

pytestmark = pytest.mark.usefixtures("without_gradients")

# Both do the same arithmetic in float32, in another order: ComfyUI's latents are divided by the square root of the
# share of the signal. Edited latents are about 1; they differ by 2e-5, relevance maps in [0, 1] by 5e-6.
TOLERANCE = 1e-4


@pytest.fixture
def mask():
    """Return a mask of part of the right lung."""
    region = torch.zeros(1, NATIVE, NATIVE)
    region[:, 16:52, 4:30] = 1
    return region


def soft_edge(text, composition):
    return replace(DEFAULT, composition=composition).soft_edge_for(Instruction.parse(text))


def edit(pipe, radiograph, mask, **more):
    arguments = {
        "guidance_mask": mask,
        "num_inference_steps": STEPS,
        "guidance_scale": SCALES[0],
        "image_guidance_scale": SCALES[1],
        "unconditional_interval": 1,  # the guider predicts every branch in every step
        "generator": seeded(3),
        **more,
    }
    return pipe(radiograph, PROMPT, **arguments)


@pytest.mark.parametrize(
    ("spacing", "scheduler", "tolerance"),
    # "trailing" starts at the model's highest noise level, less 2e-5 of it: 3e-4 of 14.6
    [("leading", "ddim_uniform", TOLERANCE), ("trailing", "simple", 2e-3)],
)
def test_edit_equals_the_pipelines(native, pipe, radiograph, mask, spacing, scheduler, tolerance):
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config, timestep_spacing=spacing)
    expected = edit(pipe, radiograph, mask, output_type="latent").images
    sigmas = schedule(native[0], scheduler)
    assert torch.allclose(sigmas, pipe.scheduler.sigmas, rtol=1e-5)

    latent = {"samples": native[2].encode(to_image(radiograph))}
    edited = run(guide(native, latent, mask), latent, sigmas, seed=3)
    scale = pipe.vae.config.scaling_factor
    assert (scale * edited - expected).abs().max() < tolerance
    assert (scale * (edited - latent["samples"])).abs().max() > 0.1  # the edit is no small one


def test_the_euler_sampler_gives_the_same_edit_as_ddim(native, pipe, radiograph, mask):
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, set_alpha_to_one=True)
    expected = edit(pipe, radiograph, mask, output_type="latent").images
    latent = {"samples": native[2].encode(to_image(radiograph))}
    edited = run(guide(native, latent, mask), latent, schedule(native[0]), seed=3)
    assert (pipe.vae.config.scaling_factor * edited - expected).abs().max() < TOLERANCE


def test_v_prediction_equals_the_pipelines(shared_components, radiograph, mask, tmp_path):
    from diffusers import StableDiffusionInstructPix2PixPipeline
    from tiny_models import make_scheduler

    components = {**shared_components, "scheduler": make_scheduler("v_prediction")}
    StableDiffusionInstructPix2PixPipeline(**components).save_pretrained(tmp_path)
    native, pipe = load(tmp_path), make_pipeline(**components)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, set_alpha_to_one=True)
    expected = edit(pipe, radiograph, mask, output_type="latent").images
    latent = {"samples": native[2].encode(to_image(radiograph))}
    edited = run(guide(native, latent, mask), latent, schedule(native[0]), seed=3)
    assert (pipe.vae.config.scaling_factor * edited - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("composition", ["difference", "saturating", "decoded"])
def test_pictures_equal_the_pipelines(native, pipe, radiograph, mask, composition, twin):
    if twin and composition == "decoded":
        return  # a decoding is compared with nothing
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, set_alpha_to_one=True)
    expected = edit(pipe, radiograph, mask, composition=composition, twin=twin, output_type="pt").images
    image = to_image(radiograph)
    latent, sigmas, vae = {"samples": native[2].encode(image)}, schedule(native[0]), native[2]
    without = run(guide(native, latent, mask, (0.0, SCALES[1])), latent, sigmas, 3) if twin else latent["samples"]
    edited, unchanged = vae.decode(run(guide(native, latent, mask), latent, sigmas, 3)), vae.decode(without)
    result = run_node(
        "X2XNativeCompose",
        image=image,
        edited=edited,
        guidance_mask=mask,
        soft_edge=soft_edge(PROMPT, composition),
        strength=1.0,
        **({} if composition == "decoded" else {"unchanged": unchanged, "composition": composition}),
    )[0]
    inside = mask[0] > 0
    assert torch.equal(result[0][~inside], image[0][~inside])
    assert (result - image)[0][inside].abs().max() > 0.01
    # VAE Decode cuts what it gives to [0, 1]; the pipeline takes the difference before that
    whole = ((edited > 0) & (edited < 1) & (unchanged > 0) & (unchanged < 1)).all(dim=-1)[0] & inside
    assert whole.sum() > inside.sum() / 4
    off = (result - expected.movedim(1, -1)).abs()
    assert off[0][whole].max() < 1e-3


@pytest.mark.parametrize(("levels", "draws"), [(0.8, 4), ((0.6, 0.8), 2), (1.0, 1)])
def test_relevance_equals_the_pipelines(native, pipe, radiograph, levels, draws):
    expected = pipe.relevance(
        radiograph, PROMPT, relevance_noise_level=levels, relevance_samples=draws, generator=seeded(5)
    )
    latent = {"samples": native[2].encode(to_image(radiograph))}
    found = relevance(native, latent, str(levels).strip("()"), draws, seed=5)
    cells = F.interpolate(expected.latent_relevance_map, found.shape[-2:], mode="bilinear")[:, 0]
    assert (found - cells).abs().max() < TOLERANCE
    assert 0 <= found.min() < found.max() - 0.5  # the map says something


@pytest.fixture(scope="module")
def demo():
    """Return the bundled checkpoint as pipeline and as MODEL, CLIP and VAE, and the sample at its resolution."""
    from PIL import Image

    from x2x_core import InstructX2XPipeline
    from x2x_core.common.bundled import bundled_path

    pipe = InstructX2XPipeline.from_pretrained("demo", dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, set_alpha_to_one=True)
    picture = Image.open(bundled_path("sample")).convert("L").resize((256, 256), Image.LANCZOS)
    return pipe, load(bundled_path("demo")), picture


@pytest.mark.parametrize(
    "text", ["Add the finding of large right pleural effusion.", "Add the finding of moderate left pneumothorax."]
)
def test_demo_equals_the_pipelines(demo, text):
    """At its recommended settings, with drawn extents and place hints, but for crops, which the graph has not."""
    pipe, native, picture = demo
    expected = pipe(picture, text, generator=seeded(4), output_type="pt", padding_mask_crop=False)
    image, vae, settings = to_image(picture), native[2], resolve_settings({}, pipe.config)
    latent, sigmas = {"samples": vae.encode(image)}, schedule(native[0], "simple", settings.num_inference_steps)

    pseudomask, _, places, told, extent = run_node(
        "X2XPseudomask", instruction=text, image=image, align=True, draw_place=True, seed=4, draw_extent=True
    )
    assert torch.equal(pseudomask, expected.pseudomask[:, 0]) and 0.9 < extent.max() <= 1
    found = relevance(native, latent, "recommended", 0, 4, told, place=extent, place_hint=-1.0)
    # ComfyUI's highest noise is 4518 times the picture, and more where it is hinted: float32 rounds the predictions
    raised = expected.relevance_map[:, 0] - found > 2e-2  # a body is relevant as a whole, which Guidance Map sees to
    assert (F.max_pool2d(pseudomask, 17, 1, 8)[raised] > 0).all()  # to a cell
    assert (found - expected.relevance_map[:, 0])[~raised].abs().max() < 2e-2
    plain = {"draw_extent": False, "place_hint": 0.0, "padding_mask_crop": False}
    unhinted = pipe.relevance(picture, text, generator=seeded(4), **plain).relevance_map[:, 0]
    assert (relevance(native, latent, "recommended", 0, 4, told) - unhinted).abs().max() < 6e-3
    rules = {name: getattr(settings, name) for name in ("mask_rule", "remove_islands", "close_holes")}
    _, mask = run_node(
        "X2XGuidanceMap", pseudomask=pseudomask, relevance=found, threshold=0.1, soft_edge=0.0, places=places, **rules
    )
    apart = ((mask > 0) != expected.guidance_mask[:, 0]).float()
    assert apart.mean() < 1e-3

    scale, hint = settings.guidance_scale_for(Instruction.parse(text)), {"model": native[0], "place": extent}
    edited, twin = (
        run(guide(native, latent, mask, (one, 1.0), told), latent, sigmas, 4, hint={**hint, "strength": -1.0})
        for one in (scale, 0.0)
    )
    result = run_node(
        "X2XNativeCompose", image=image, edited=vae.decode(edited), unchanged=vae.decode(twin), guidance_mask=mask,
        soft_edge=EXTENT_EDGE, strength=1.0, composition=settings.composition, places=places,
    )[0]  # fmt: skip
    off = (result - expected.images.movedim(1, -1)).abs()
    assert off.max() < 1e-2 and off[F.max_pool2d(apart, 13, 1, 6) == 0].max() < 5e-4  # the mask's edge is soft
    assert (result - image).abs().max() > 0.2


def test_a_painted_place_is_the_pipelines_guidance_mask(demo):
    """A guidance mask given by the caller is the place itself."""
    pipe, native, picture = demo
    text, mask = "Add the finding of large right pleural effusion.", torch.zeros(1, 256, 256)
    mask[:, 130:211, 43:102] = 1
    expected = pipe(
        picture, text, guidance_mask=mask, generator=seeded(), output_type="latent", padding_mask_crop=False
    )
    latent = {"samples": native[2].encode(to_image(picture))}
    settings = resolve_settings({}, pipe.config)
    guider = guide(native, latent, mask, (settings.guidance_scale_for(Instruction.parse(text)), 1.0), text)
    sigmas, hint = schedule(native[0], "simple", settings.num_inference_steps), {"model": native[0], "place": mask}
    off, unhinted = (
        (pipe.vae.config.scaling_factor * run(guider, latent, sigmas, hint={**hint, "strength": one}) - expected.images)
        for one in (-1.0, 0.0)
    )
    assert off.abs().max() < 1e-2 and unhinted.abs().max() > 0.1
