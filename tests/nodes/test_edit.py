"""X2XEdit: unchanged pixels, settings in use, rejected inputs."""

import pytest
import torch
from comfy_pack import load_pack, pack, run

from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.crop_window import CropWindow

PROMPT = "Add the finding of moderate right pleural effusion."
WIDGETS = {
    "preset": "recommended", "steps": 3, "guidance_scale": 5.0, "image_guidance_scale": 1.2, "mask_rule": "threshold",
    "threshold": 0.3, "solver": "checkpoint's", "edit_strength": 1.0, "seed": 3,
}  # fmt: skip


def edit(tiny, image, **chosen):
    return run("X2XEdit", **{"pipeline": tiny, "image": image, "instruction": PROMPT, **WIDGETS, **chosen})


@pytest.fixture(scope="module")
def edited(tiny, sample):
    return edit(tiny, sample)


def test_the_edit_keeps_the_rest_bit_for_bit(edited, sample):
    image, guidance, mask, info = edited
    assert image.shape == sample.shape and guidance.shape == mask.shape == sample.shape[:3]
    outside = mask == 0
    assert outside.any() and (mask == 1).any()
    assert torch.equal(image[outside], sample[outside])
    assert (image - sample).abs().max() > 0.02
    assert "- add pleural effusion: the patient's right, on the left of the picture; level: moderate" in info
    first = [info.index(words) for words in ("- add ", "Editable", "Synthetic", "Checkpoint", "Preset")]
    assert first == sorted(first)  # the box on the node is small


def test_it_is_the_pipelines_edit(edited, tiny, sample):
    pixels = sample[..., :1].movedim(-1, 1)
    expected = tiny.pipe(pixels, PROMPT, generator=[torch.Generator().manual_seed(3)], output_type="pt")
    assert torch.allclose(edited[0][..., :1].movedim(-1, 1), expected.images, atol=1e-6)
    assert torch.equal(edited[2] > 0, expected.guidance_mask[:, 0])


def test_inputs_are_not_changed(tiny, sample):
    kept = sample.clone()
    edit(tiny, sample)
    assert torch.equal(sample, kept)


def test_a_batch_gives_what_single_images_give(tiny, sample, edited):
    other = sample.flip(1)
    batch = edit(tiny, torch.cat([sample, other]))
    assert len(batch[0]) == len(batch[1]) == len(batch[2]) == 2
    assert torch.allclose(batch[0][:1], edited[0], atol=1e-4)
    assert torch.allclose(batch[0][1:], edit(tiny, other)[0], atol=1e-4)


@pytest.mark.parametrize("shape", [(90, 140), (33, 20)])
def test_any_size_comes_back_at_its_size(tiny, sample, shape):
    image = torch.nn.functional.interpolate(sample.movedim(-1, 1), shape).movedim(1, -1)
    assert edit(tiny, image)[0].shape == (1, *shape, 3)


def test_a_connected_mask_replaces_the_found_one(tiny, sample):
    mask = torch.zeros(64, 64)  # of another size, without a batch
    mask[30:60, 5:30] = 1
    image, _, used, info = edit(tiny, sample, guidance_mask=mask)
    assert torch.equal(used[0, ::2, ::2], mask)
    assert torch.equal(image[used == 0], sample[used == 0])
    assert "from the input `guidance_mask`" in info


@pytest.mark.parametrize("text", ["Refrain from adding edema.", "Add an opacity in the azygos lobe.", "Make it snow."])
def test_with_a_connected_mask_text_goes_to_the_model_as_it_is(tiny, sample, text, monkeypatch):
    mask = torch.zeros(64, 64)
    mask[30:60, 5:30] = 1
    heard = []
    own = type(tiny.pipe)._encode_prompt
    monkeypatch.setattr(
        type(tiny.pipe),
        "_encode_prompt",
        lambda pipe, words, *rest, **more: (heard.extend(words), own(pipe, words, *rest, **more))[1],
    )
    image, _, used, info = edit(tiny, sample, instruction=text, guidance_mask=mask)
    assert heard == [text] and (image != sample).any() and torch.equal(image[used == 0], sample[used == 0])
    assert "Understood: " in info and "Region: " in info


@pytest.mark.parametrize("text", ["Refrain from adding edema.", "Add an opacity in the azygos lobe."])
def test_without_a_mask_words_that_could_change_the_region_are_refused(tiny, sample, text):
    with pytest.raises(ValueError, match="`instruction`"):
        edit(tiny, sample, instruction=text)


def test_the_info_says_what_was_left_out(tiny, sample):
    info = edit(tiny, sample, instruction="Add a spiculated effusion.")[3]
    assert "Left out: 'spiculated'" in info


def test_a_mask_for_another_batch_is_rejected(tiny, sample):
    with pytest.raises(ValueError, match="`guidance_mask` must hold one mask"):
        edit(tiny, sample, guidance_mask=torch.ones(3, 8, 8))


def test_only_the_preset_custom_uses_the_widgets(tiny, sample, edited):
    assert torch.equal(edit(tiny, sample, steps=7, threshold=0.9)[0], edited[0])
    *_, info = edit(tiny, sample, preset="custom")
    assert "3 steps, guidance 5, image guidance 1.2" in info and "threshold 0.3" in info


def test_the_preset_fast_halves_the_steps(tiny, sample):
    *_, info = edit(tiny, sample, preset="fast")
    assert "Preset fast: 2 steps" in info


def test_reference_allows_no_other_solver_or_strength(tiny, sample):
    settings = pack("work.settings")
    widgets = settings.EditWidgets(**{**WIDGETS, "preset": "reference"})
    assert widgets.arguments() == {"reference": True}
    node = load_pack()["X2XEdit"]
    assert "`solver`" in node.validate_inputs(preset="reference", solver="Euler", edit_strength=1)
    assert "`edit_strength`" in node.validate_inputs(preset="reference", solver="checkpoint's", edit_strength=0.5)
    assert node.validate_inputs(preset="reference", solver="checkpoint's", edit_strength=1) is True
    with pytest.raises(ValueError, match="`solver` must be"):
        edit(tiny, sample, preset="reference", solver="Euler")


@pytest.mark.parametrize("solver", ["DDIM", "Euler", "DPM++ 2M", "UniPC"])
def test_the_checkpoints_solver_is_restored(tiny, sample, solver):
    before = tiny.pipe.scheduler
    image, _, mask, _ = edit(tiny, sample, solver=solver)
    assert tiny.pipe.scheduler is before
    assert torch.isfinite(image).all() and torch.equal(image[mask == 0], sample[mask == 0])


def test_strength_zero_gives_the_image_back(tiny, sample):
    assert torch.equal(edit(tiny, sample, edit_strength=0.0)[0], sample)


def test_seeds_repeat_and_differ(tiny, sample, edited):
    assert torch.equal(edit(tiny, sample)[0], edited[0])
    assert not torch.equal(edit(tiny, sample, seed=4)[0], edited[0])


def test_cancel_works_within_one_step(tiny, sample, monkeypatch):
    import comfy.model_management as memory

    calls = []
    hook = tiny.pipe.unet.register_forward_hook(lambda *_: calls.append(memory.interrupt_current_processing(True)))
    try:
        with pytest.raises(memory.InterruptProcessingException):
            edit(tiny, sample)
    finally:
        hook.remove()
        memory.interrupt_current_processing(False)
    assert len(calls) == 1
    assert not tiny.pipe.unet._forward_hooks and not tiny.pipe.unet._forward_pre_hooks


def test_progress_reaches_its_end_and_shows_previews(tiny, sample, monkeypatch):
    import comfy.utils

    told = []
    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", lambda *one, **_: told.append(one[:3]))
    edit(tiny, sample)
    assert told[-1][0] == told[-1][1]
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)
    pictures = [picture for *_, picture in told if picture is not None]
    assert len(pictures) == 5  # four steps and the edit
    assert all(picture[1].size == (128, 128) for picture in pictures)


def test_the_preview_shows_the_estimated_result(tiny, sample):
    """With exactly predicted noise, the estimate equals the clean latents."""
    progress = pack("work.progress")
    pipe, noise = tiny.pipe, torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    pixels = sample[..., :1].movedim(-1, 1)
    small = torch.nn.functional.interpolate(pixels, (64, 64), mode="area")
    own = pipe.vae.encode(small.expand(-1, 3, -1, -1) * 2 - 1).latent_dist.mode().detach()
    clean, signal = own * pipe.vae.config.scaling_factor, float(pipe.scheduler.alphas_cumprod[500])
    noisy = signal**0.5 * clean + (1 - signal) ** 0.5 * noise
    call = progress.UNetCall(torch.cat([noisy, own], dim=1).repeat(3, 1, 1, 1), 500, noise.repeat(3, 1, 1, 1))
    pipe._guidance_scale, pipe._image_guidance_scale = 5.0, 1.0  # all branches agree: guidance changes nothing
    assert torch.allclose(progress.estimate_clean(pipe, pipe.scheduler, call), clean, atol=1e-4)
    pipe._canvases = Canvases((Canvas.square((128, 128), 64, 4),))
    picture = progress.Preview(pipe, pipe.scheduler, pixels)(call)
    assert picture.size == (128, 128)
    shown = torch.tensor(list(picture.tobytes()[::3])).reshape(1, 1, 128, 128) / 255
    assert torch.corrcoef(torch.stack([shown.flatten(), pixels.flatten()]))[0, 1] > 0.2  # a random encoder says little


def test_the_preview_of_a_crop_lies_in_the_radiograph(tiny, sample):
    progress, pixels = pack("work.progress"), sample[..., :1].movedim(-1, 1)
    window = CropWindow(40, 20, 64, 64)
    tiny.pipe._canvases = Canvases((Canvas.square((128, 128), 64, 4).on(window),))
    latents = torch.randn(3, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    picture = progress.Preview(tiny.pipe, tiny.pipe.scheduler, pixels)(progress.UNetCall(latents, 500, latents[:, :4]))
    shown = torch.tensor(list(picture.tobytes()[::3])).reshape(128, 128)
    same = shown == (pixels[0, 0] * 255).round()
    outside = torch.ones(128, 128, dtype=torch.bool)
    outside[window.slices] = False
    assert same[outside].all() and not same[window.slices].all()


class StopRunError(Exception):
    """Stops a run in a test."""


@pytest.mark.parametrize("preset", ["recommended", "reference"])
def test_the_preview_uses_the_noise_schedule_of_the_run(tiny, sample, monkeypatch, preset):
    """The preset "reference" runs on Stable Diffusion's schedule, whatever the checkpoint's own is."""
    from diffusers import DDIMScheduler

    running, previewed, step = [], [], DDIMScheduler.step
    progress, work = pack("work.progress"), pack("work.editing")

    def record_step(self, *inputs, **more):
        running.append(self.alphas_cumprod)
        return step(self, *inputs, **more)

    class Recorded(progress.Preview):
        def __call__(self, call):
            previewed.append((self._scheduler.alphas_cumprod, super().__call__(call)))
            if len(previewed) == 2:
                raise StopRunError
            return previewed[-1][1]

    monkeypatch.setattr(DDIMScheduler, "step", record_step)
    monkeypatch.setattr(work, "Preview", Recorded)
    own = DDIMScheduler(beta_schedule="linear", beta_start=0.0001, beta_end=0.05, clip_sample=False)
    monkeypatch.setattr(tiny.pipe, "scheduler", own)
    with pytest.raises(StopRunError):
        edit(tiny, sample, preset=preset)
    assert len(previewed) == 2
    for schedule, _ in previewed:
        assert torch.equal(schedule, running[0])
    assert torch.equal(running[0], own.alphas_cumprod) == (preset == "recommended")


@pytest.mark.parametrize("name", ["guidance_scale", "image_guidance_scale", "threshold", "edit_strength"])
def test_numbers_that_are_not_finite_are_rejected(tiny, sample, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        edit(tiny, sample, preset="custom", **{name: float("nan")})


def test_overshoot_of_scaling_is_clipped_and_reported(tiny, sample, edited):
    """Bicubic scaling, ComfyUI's most common choice, leaves values slightly outside [0, 1]."""
    import comfy.utils

    contrast = (sample.movedim(-1, 1) > 0.5).float()
    scaled = comfy.utils.common_upscale(contrast, 96, 96, "bicubic", "disabled").movedim(1, -1)
    assert scaled.min() < -0.01 and scaled.max() > 1.01
    image, _, mask, info = edit(tiny, scaled)
    assert torch.equal(image[mask == 0], scaled.clamp(0, 1)[mask == 0])
    assert "Warning: The image's values lie between" in info and "clipped" in info
    *_, clean = edited
    assert "clipped" not in clean


def more(**chosen):
    widgets = {
        "twin": "recommended", "composition": "recommended", "soft_edge": -1.0, "noise_level": "recommended",
        "draws": 0, "relevance_source": "noise", "attention_gating": False, "remove_islands": "recommended",
        "close_holes": "recommended", "limit_area": "recommended", "align": True, "negative": "",
    }  # fmt: skip
    return run("X2XSettings", **{**widgets, **chosen})[0]


def test_untouched_settings_change_nothing(tiny, sample, edited):
    assert more().arguments() == {}
    assert torch.equal(edit(tiny, sample, settings=more())[0], edited[0])


def test_settings_reach_the_edit(tiny, sample):
    assert more(soft_edge=0.0).arguments() == {"soft_edge": 0.0}
    assert more(composition="difference").arguments() == {"composition": "difference"}
    chosen = more(twin="off", composition="decoded", noise_level="0.5", draws=2, align=False)
    *_, info = edit(tiny, sample, settings=chosen)
    assert "composition decoded" in info and "twin" not in info
    assert "relevance at noise 0.5, draws 2" in info and "Fitted" not in info


def test_a_crop_reaches_the_edit_and_is_reported(tiny, sample):
    margins = {-1: {}, 0: {"padding_mask_crop": False}, 4: {"padding_mask_crop": 4}}
    assert {margin: more(padding_mask_crop=margin).arguments() for margin in margins} == margins
    chosen = {"instruction": "Add consolidation in the right lower zone.", "settings": more(padding_mask_crop=4)}
    image, _, mask, info = edit(tiny, sample, **chosen)
    assert "Computed on a crop of" in info and torch.equal(image[mask == 0], sample[mask == 0])
    *_, info = edit(tiny, sample.repeat(2, 1, 1, 1), **chosen)
    assert "Image 0: computed on a crop of" in info and "Image 1: computed on a crop of" in info


def test_a_connected_pseudomask_restricts_the_edit(tiny, sample):
    allowed = torch.zeros(1, 128, 128)
    allowed[:, :64] = 1
    _, _, mask, _ = edit(tiny, sample, settings=more(pseudomask=allowed))
    assert mask[:, :64].any() and not mask[:, 64:].any()
    with pytest.raises(ValueError, match="must not both be connected"):
        edit(tiny, sample, settings=more(pseudomask=allowed), guidance_mask=allowed)


def test_what_is_kept_stays_in_every_kind_of_edit(tiny, sample):
    free = edit(tiny, sample)
    changed = (free[0] != sample).any(-1).nonzero()
    _, row, column = changed[len(changed) // 2].tolist()
    keep = torch.zeros(1, 128, 128)
    keep[:, row - 3 : row + 3, column - 3 : column + 3] = 1e-3  # above 0 is enough
    everywhere = torch.ones(1, 128, 128)
    kinds = {"free": {}, "masked": {"guidance_mask": everywhere}, "reference": {"preset": "reference"}}
    for name, inputs in kinds.items():
        image, _, mask, info = edit(tiny, sample, settings=more(keep_mask=keep), **inputs)
        assert torch.equal(image[keep > 0], sample[keep > 0]) and not mask[keep > 0].any(), name
        assert mask.any() and not torch.equal(image, sample), name
        assert "Kept as it is: 0.2% of the image (`keep_mask`)." in info
    assert "Kept" not in free[3]


def test_a_keep_mask_goes_beside_a_pseudomask_and_one_goes_to_each_image(tiny, sample):
    allowed = torch.zeros(1, 128, 128)
    allowed[:, :64] = 1
    keep = torch.zeros(2, 16, 16)  # of another size
    keep[0, :4] = 1
    several = sample.repeat(2, 1, 1, 1)
    image, _, mask, _ = edit(tiny, several, settings=more(pseudomask=allowed, keep_mask=keep))
    assert not mask[:, 64:].any() and not mask[0, :32].any() and mask[1, :32].any()
    assert torch.equal(image[0, :32], sample[0, :32])
    with pytest.raises(ValueError, match="`keep_mask` must hold one mask"):
        edit(tiny, several, settings=more(keep_mask=torch.zeros(3, 8, 8)))


def test_a_connected_atlas_is_used_and_removed_afterwards(tiny, sample):
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    own = tiny.pipe.pseudomasks
    mask = torch.zeros(32, 32)
    mask[:8] = 1
    atlas = PseudomaskAtlas({"Effusion": mask}, published=True)
    _, guidance, _, _ = edit(tiny, sample, settings=more(atlas=atlas))
    assert not guidance[:, 40:].any()
    assert tiny.pipe.pseudomasks is own


@pytest.mark.parametrize("levels", ["a", "1.5", "0.5, x", "-0.1"])
def test_invalid_noise_levels_are_rejected(levels):
    assert "`noise_level` must be" in load_pack()["X2XSettings"].validate_inputs(noise_level=levels)
    with pytest.raises(ValueError, match="`noise_level` must be"):
        more(noise_level=levels)


def test_the_page_receives_the_values_of_presets():
    values = pack("routes").preset_of("demo (bundled)", "recommended")
    assert values["steps"] == 1 and values["mask_rule"] == "adaptive"
    assert values["guidance_scale"] == "by finding"
    assert pack("routes").preset_of("demo (bundled)", "reference")["steps"] == 100
    assert pack("routes").preset_of("demo (bundled)", "custom") is None
    assert pack("routes").preset_of("none", "fast") is None
