"""Everything outside the mask, and the caller's own arrays, stay as they are."""

import numpy as np
import pytest
import torch
from edit_cases import CELLS, edit
from PIL import Image
from tiny_models import NATIVE, make_radiograph, seeded

SIZES = [(64, 64), (200, 130), (40, 90), (17, 23), (64, 8)]


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_outside_the_mask_a_picture_is_the_input_bit_for_bit(pipe, size, reference):
    image = Image.fromarray(make_radiograph(*size)).convert("RGB")
    output = edit(pipe, image, mask_threshold=0.4, reference=reference)
    before, after = np.asarray(image), np.asarray(output.images[0])
    outside = ~output.guidance_mask[0, 0].numpy()
    assert after.shape == before.shape and 0 < outside.mean() < 1
    assert (before[outside] == after[outside]).all()
    assert (before[~outside] != after[~outside]).any()


@pytest.mark.parametrize("steps", [True, False])
@pytest.mark.parametrize("rule", ["threshold", "adaptive"])
def test_outside_the_mask_of_every_rule_a_picture_is_the_input_bit_for_bit(pipe, rule, steps):
    image = make_radiograph(90, 70)
    switches = dict.fromkeys(("remove_islands", "close_holes", "limit_area"), steps)
    output = edit(pipe, image, output_type="np", mask_rule=rule, edit_strength=0.7, **switches)
    mask = output.guidance_mask[0, 0].numpy()
    assert 0 < mask.mean() < 1 and not (output.guidance_mask & (output.pseudomask == 0)).any()
    assert (output.images[0, ..., 0] == image)[~mask].all() and (output.images[0, ..., 0] != image)[mask].any()


@pytest.mark.parametrize("output_type", ["pil", "np", "pt"])
@pytest.mark.parametrize("form", ["L", "RGB", "I;16", "uint8", "uint16", "float32", "float64", "tensor", "signed"])
def test_outside_the_mask_every_form_is_the_input_bit_for_bit(pipe, form, output_type):
    grey = make_radiograph(50, 70)
    forms = {
        "L": Image.fromarray(grey),
        "RGB": Image.fromarray(grey).convert("RGB"),
        "I;16": Image.fromarray(grey.astype(np.uint16) * 200 + 7),
        "uint8": grey,
        "uint16": grey.astype(np.uint16) * 200 + 7,
        "float32": (grey / 255).astype(np.float32),
        "float64": grey / 255 + 1e-12,
        "tensor": torch.rand(1, 1, 50, 70, generator=seeded()),
        "signed": torch.rand(1, 1, 50, 70, generator=seeded()) * 2 - 1,
    }
    image = forms[form]
    output = edit(pipe, image, output_type=output_type)
    everything = edit(pipe, image, output_type=output_type, guidance_mask=torch.zeros(50, 70)).images
    assert len(output.images) == 1
    before, after = np.asarray(everything[0]), np.asarray(output.images[0])
    channels = 0 if output_type == "pt" else -1
    mask = output.guidance_mask[0, 0].numpy()
    mask = mask if before.ndim == 2 else np.broadcast_to(np.expand_dims(mask, channels), before.shape)
    assert (before[~mask] == after[~mask]).all() and (before[mask] != after[mask]).any()
    if form in ("L", "RGB", "I;16") and output_type == "pil":
        assert output.images[0].mode == form and (before == np.asarray(image)).all()


def test_latents_outside_the_mask_are_the_originals(pipe, radiograph):
    mask = torch.zeros(NATIVE, NATIVE)
    mask[10:30, 20:40] = 1
    latents = edit(pipe, radiograph, guidance_mask=mask, output_type="latent").images
    untouched = edit(pipe, radiograph, guidance_mask=mask * 0, output_type="latent").images
    changed = (latents != untouched).any(dim=1)[0]
    assert latents.shape == (1, 4, CELLS, CELLS)
    assert changed[2:8, 5:10].all() and changed.sum() == 6 * 5


def test_nothing_changes_outside_the_pseudomask_at_any_threshold(pipe, radiograph):
    pseudomask = torch.zeros(8, 8)
    pseudomask[2:5, 2:5] = 1
    output = edit(pipe, radiograph, pseudomask=pseudomask, mask_threshold=0.0)
    assert torch.equal(output.guidance_mask, output.pseudomask > 0) and not output.guidance_mask.all()
    outside = ~output.guidance_mask[0, 0].numpy()
    assert (np.asarray(radiograph)[outside] == np.asarray(output.images[0])[outside]).all()


def test_the_callers_arrays_are_not_changed(pipe):
    image, mask = make_radiograph() / 255, np.ones((NATIVE, NATIVE), np.float32)
    kept = image.copy(), mask.copy()
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded())
    kept_noise = noise.clone()
    edit(pipe, image, guidance_mask=mask, latents=noise, output_type="np")
    assert np.array_equal(image, kept[0]) and np.array_equal(mask, kept[1]) and torch.equal(noise, kept_noise)
