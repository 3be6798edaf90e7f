"""Region Guider, Relevance Map and Compose Edit with tiny models of several of ComfyUI's architectures."""

from __future__ import annotations

import importlib.util
from functools import lru_cache

import pytest
import torch
from comfy_models import CELL, MAKERS
from comfy_pack import comfyui_path
from comfy_pack import run as run_node
from native_graph import run, schedule

pytestmark = pytest.mark.usefixtures("without_gradients")

ROWS, COLUMNS = 64, 96
INSTRUCTION = "make the house red"
every = pytest.mark.parametrize("name", sorted(MAKERS))


@lru_cache(maxsize=1)
def make(name):
    return MAKERS[name]()


def picture(rows=ROWS, columns=COLUMNS):
    """Return an IMAGE of soft colours with a sharp grain."""
    y, x = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns), indexing="ij")
    grain = torch.rand(rows, columns, generator=torch.Generator().manual_seed(1))
    return (0.2 + 0.5 * torch.stack([x, y, 1 - x], dim=-1) + 0.1 * grain[..., None])[None]


@pytest.fixture
def mask():
    region = torch.zeros(1, ROWS, COLUMNS)
    region[:, 16:51, 8:40] = 1  # 51 lies within a latent cell, which may change as a whole
    return region


def inside(mask, like):
    """Return the latents that a mask touches, of the shape of `like`."""
    cells = torch.nn.functional.max_pool2d(mask[:, None], CELL) > 0
    return (cells if like.ndim == 4 else cells.unsqueeze(2)).expand_as(like)


def conditionings(tiny, latent, words=INSTRUCTION):
    """Return positive and negative, with the image as reference."""
    return [tiny.text(text, reference_latents=[latent["samples"]]) for text in (words, "")]


def guide(tiny, latent, mask=None, scale=3.0, keep=None, texts=None):
    positive, negative = texts or conditionings(tiny, latent)
    return run_node(
        "X2XRegionGuider", model=tiny.model, positive=positive, negative=negative, image_latent=latent,
        guidance_scale=scale, image_guidance_scale=1.5, guidance_mask=mask, keep_mask=keep,
    )[0]  # fmt: skip


def edit(tiny, latent, *inputs, **more):
    return run(guide(tiny, latent, *inputs, **more), latent, schedule(tiny.model, "simple", 3))


@every
@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_outside_the_mask_the_latent_is_the_images(name, mask, scale):
    tiny = make(name)
    latent = {"samples": tiny.vae.encode(picture())}
    edited = edit(tiny, latent, mask, scale)
    changed = inside(mask, edited)
    assert edited.shape == latent["samples"].shape and torch.isfinite(edited).all()
    assert torch.equal(edited[~changed], latent["samples"][~changed])
    assert (edited - latent["samples"])[changed].abs().median() > 0.01


@every
def test_without_a_mask_it_is_comfyuis_own_guider(name):
    import comfy.samplers

    tiny = make(name)
    latent = {"samples": tiny.vae.encode(picture())}
    texts = conditionings(tiny, latent)
    own = comfy.samplers.CFGGuider(tiny.model)
    own.set_conds(*texts)
    own.set_cfg(3.0)
    expected = run(own, latent, schedule(tiny.model, "simple", 3))
    assert torch.equal(edit(tiny, latent, texts=texts), expected)
    assert not torch.equal(edit(tiny, latent, scale=2.0, texts=texts), expected)


@pytest.mark.parametrize(("scale", "branches"), [(0.0, [1]), (1.0, [0]), (3.0, [0, 1])])
def test_branches_that_cancel_are_skipped(mask, scale, branches):
    tiny, seen = make("flux"), []
    latent = {"samples": tiny.vae.encode(picture())}
    model = tiny.model.clone()

    def watch(apply, arguments):
        seen.append(sorted(arguments["cond_or_uncond"]))
        return apply(arguments["input"], arguments["timestep"], **arguments["c"])

    model.set_model_unet_function_wrapper(watch)
    run(guide(type(tiny)(model, tiny.vae), latent, mask, scale), latent, schedule(model, "simple", 3))
    assert seen == [branches] * 3


def test_a_model_that_wants_both_branches_gets_them(mask):
    """A patch that needs the unconditional prediction at a scale of 1, too."""
    tiny, seen = make("flux"), []
    latent = {"samples": tiny.vae.encode(picture())}
    model = tiny.model.clone()
    model.set_model_sampler_cfg_function(lambda given: seen.append(1) or given["cond"], True)
    run(guide(type(tiny)(model, tiny.vae), latent, mask, 1.0), latent, schedule(model, "simple", 3))
    assert seen == [1] * 3


@every
def test_the_instruction_and_the_reference_reach_the_model(name, mask):
    tiny = make(name)
    latent = {"samples": tiny.vae.encode(picture())}
    first, second = (edit(tiny, latent, mask, texts=conditionings(tiny, latent, words)) for words in ("red", "blue"))
    assert (first - second).abs().max() > 1e-3
    if name in ("flux", "qwen-image"):
        plain = edit(tiny, latent, mask, texts=[tiny.text(words) for words in ("red", "")])
        assert (first - plain).abs().max() > 1e-3


def test_the_mask_goes_into_an_inpainting_model(mask):
    """Without InpaintModelConditioning, the model is told the guider's mask; with it, the graph's."""
    tiny = make("inpainting")
    latent = {"samples": tiny.vae.encode(picture())}
    model, seen = tiny.model.clone(), []

    def watch(apply, arguments):
        seen.append(arguments["c"]["c_concat"])
        return apply(arguments["input"], arguments["timestep"], **arguments["c"])

    model.set_model_unet_function_wrapper(watch)
    run(guide(type(tiny)(model, tiny.vae), latent, mask), latent, schedule(model, "simple", 1))
    assert torch.equal(seen[0][:1, :1] > 0, inside(mask, seen[0][:1, :1]))


@every
def test_what_must_stay_stays(name, mask):
    tiny = make(name)
    latent = {"samples": tiny.vae.encode(picture())}
    keep = torch.zeros(1, ROWS, COLUMNS)
    keep[:, 24:40, 16:32] = 0.1
    edited = edit(tiny, latent, mask, keep=keep)
    changed = inside(mask, edited) & ~inside((keep > 0).float(), edited)
    assert torch.equal(edited[~changed], latent["samples"][~changed])
    assert (edited - latent["samples"])[changed].abs().median() > 0.01
    alone = edit(tiny, latent, keep=keep)
    kept = inside((keep > 0).float(), alone)
    assert torch.equal(alone[kept], latent["samples"][kept])
    assert (alone - latent["samples"])[~kept].abs().median() > 0.01
    assert torch.equal(edit(tiny, latent, mask, keep=torch.ones(1, 4, 6)), latent["samples"])


@every
def test_the_relevance_map_has_a_known_answer(name):
    """With the instruction the model predicts another picture in the upper right corner alone."""
    tiny = make(name)
    latent = {"samples": tiny.vae.encode(picture())}
    corner = torch.zeros_like(latent["samples"][:, :1])
    corner[..., : ROWS // CELL // 2, COLUMNS // CELL // 2 :] = 1
    model = tiny.model.clone()

    def predict(_, arguments):
        parts = [corner.expand_as(latent["samples"]) * (branch == 0) for branch in arguments["cond_or_uncond"]]
        return torch.cat(parts)

    model.set_model_unet_function_wrapper(predict)
    positive, negative = conditionings(tiny, latent)
    found = run_node(
        "X2XNativeRelevanceMap", model=model, positive=positive, negative=negative, latent=latent,
        noise_level="0.6, 0.8", draws=2, seed=0,
    )[0]  # fmt: skip
    expected = torch.nn.functional.interpolate(corner.reshape(1, 1, *corner.shape[-2:]), scale_factor=CELL)[0]
    assert found.shape == (1, ROWS, COLUMNS)
    middle = torch.nn.functional.avg_pool2d(found[None], CELL)[0, 0] > 0.5
    assert torch.equal(middle, corner.reshape(corner.shape[-2:]) > 0)
    assert (found - expected).abs().mean() < 0.1


@pytest.mark.parametrize("node", ["X2XRegionGuider", "X2XNativeRelevanceMap"])
def test_videos_are_refused(node):
    tiny = make("qwen-image")
    video = {"samples": torch.zeros(1, 16, 3, 8, 12)}
    asked = {"model": tiny.model, "positive": tiny.text("a"), "negative": tiny.text("")}
    scales = {"guidance_scale": 3.0, "image_guidance_scale": 1.5}
    level = {"noise_level": "0.8", "draws": 1, "seed": 0}
    more = {"X2XRegionGuider": {"image_latent": video, **scales}, "X2XNativeRelevanceMap": {"latent": video, **level}}
    with pytest.raises(ValueError, match="must be the latent of pictures, not of a video, got 3 frames"):
        run_node(node, **asked, **more[node])


def test_latents_without_frames_serve_a_model_with_frames(mask):
    """As an empty latent of ComfyUI does."""
    tiny = make("qwen-image")
    flat = {"samples": tiny.vae.encode(picture())[:, :, 0]}
    texts = conditionings(tiny, {"samples": flat["samples"].unsqueeze(2)})
    edited = edit(tiny, flat, mask, texts=texts)
    assert edited.shape == (1, 16, 1, ROWS // CELL, COLUMNS // CELL)
    assert torch.equal(edited, edit(tiny, {"samples": flat["samples"].unsqueeze(2)}, mask, texts=texts))


@lru_cache(maxsize=1)
def _own_nodes():
    """Return ComfyUI's own module `nodes`; the pack has one of this name too."""
    spec = importlib.util.spec_from_file_location("comfyui_nodes", comfyui_path() / "nodes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _node(name, **inputs):
    node = getattr(_own_nodes(), name)()
    return getattr(node, node.FUNCTION)(**inputs)


def _sampled(tiny, positive, negative, latent):
    """Return the latents of KSampler."""
    widgets = {"seed": 0, "steps": 3, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}
    return _node("KSampler", model=tiny.model, positive=positive, negative=negative, latent_image=latent, **widgets)[0]


def inpainted(form, mask):
    """Return the edited IMAGE and the latent of the picture, of an inpainting graph in one of its usual forms."""
    names = {"model conditioning": "inpainting", "reference": "flux", "region guider": "flux"}
    tiny = make(names.get(form, "stable-diffusion"))
    image, texts = picture(), [tiny.text(INSTRUCTION), tiny.text("")]
    encoded = {"samples": tiny.vae.encode(image)}
    if form == "model conditioning":
        *texts, latent = _node(
            "InpaintModelConditioning", positive=texts[0], negative=texts[1], pixels=image, vae=tiny.vae, mask=mask,
            noise_mask=True,
        )  # fmt: skip
    elif form == "encode for inpainting":
        latent = _node("VAEEncodeForInpaint", pixels=image, vae=tiny.vae, mask=mask, grow_mask_by=6)[0]
    elif form == "noise mask":
        latent = _node("SetLatentNoiseMask", samples=encoded, mask=mask)[0]
    else:
        latent, texts = encoded, conditionings(tiny, encoded)
    if form == "region guider":
        return tiny, tiny.vae.decode(edit(tiny, latent, mask, texts=texts)), encoded
    return tiny, tiny.vae.decode(_sampled(tiny, *texts, latent)["samples"]), encoded


FORMS = ["model conditioning", "encode for inpainting", "noise mask", "reference", "region guider"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scale", [1, 2])
def test_compose_by_difference_in_every_form_of_inpainting_graph(form, scale, mask):
    """Outside the mask the original, also of one larger than the edit; inside it the edit with the original's grain."""
    tiny, edited, encoded = inpainted(form, mask)
    unchanged = tiny.vae.decode(encoded["samples"])
    edited = unchanged + 0.2 * (edited - unchanged)  # random weights draw anything, up to black and white
    original = picture(scale * ROWS, scale * COLUMNS)
    widgets = {"guidance_mask": mask, "soft_edge": 0.0, "strength": 1.0}
    result = run_node("X2XNativeCompose", image=original, edited=edited, unchanged=unchanged, **widgets)[0]
    region = mask.repeat_interleave(scale, 1).repeat_interleave(scale, 2) > 0
    assert torch.equal(result[~region], original[~region])
    assert (result - original)[region].abs().mean() > 5e-3
    decoded = run_node("X2XNativeCompose", image=original, edited=edited, **widgets)[0]
    details = [_detail(one)[:, 20 * scale : 46 * scale, 12 * scale : 36 * scale] for one in (original, result, decoded)]
    kept = [torch.corrcoef(torch.stack([details[0].flatten(), one.flatten()]))[0, 1] for one in details[1:]]
    assert kept[0] > 0.7 > kept[1] + 0.2  # the autoencoder loses the grain


def _detail(image):
    """Return what is finer than a few pixels, `(1, H, W)`."""
    grey = image.mean(-1)
    return grey - torch.nn.functional.avg_pool2d(grey[None], 5, 1, 2)[0]
