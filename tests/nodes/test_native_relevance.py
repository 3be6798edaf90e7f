"""The relevance map through ComfyUI's own sampling."""

from __future__ import annotations

import json
import logging
import shutil

import pytest
import torch
from comfy_pack import pack
from native_graph import load, relevance, texts
from tiny_models import CELL, NATIVE, PROMPT

pytestmark = pytest.mark.usefixtures("without_gradients")


def test_map_is_a_mask(native, latent):
    found = relevance(native, latent)
    side = 8 * NATIVE // CELL
    assert found.shape == (1, side, side) and found.dtype == torch.float32 and found.device.type == "cpu"
    assert found.min() >= 0 and found.max() <= 1


def test_same_seed_same_map(native, latent):
    assert torch.equal(relevance(native, latent, seed=2), relevance(native, latent, seed=2))
    assert not torch.equal(relevance(native, latent, seed=2), relevance(native, latent, seed=3))


def test_draws_are_those_of_the_pipeline(native, latent):
    """The draws follow the noise that RandomNoise draws from the same seed."""
    noise = pack("comfy_native.relevance").relevance_noise(latent["samples"], (0.6, 0.8), 3, 7)
    generator = torch.Generator().manual_seed(7)
    torch.randn(latent["samples"].shape, generator=generator)
    expected = torch.randn((1, 6, *latent["samples"].shape[1:]), generator=generator)
    assert torch.equal(noise.flatten(1, 2), expected)


def test_the_first_draw_at_level_1_is_the_noise_of_the_edit(latent):
    noise = pack("comfy_native.relevance").relevance_noise(latent["samples"], (0.6, 1.0), 2, 7)
    own = torch.randn(latent["samples"].shape[1:], generator=torch.Generator().manual_seed(7))
    assert torch.equal(noise[0, 1, 0], own) and not torch.equal(noise[0, 1, 1], own)


def test_batch_is_its_images(native, latent):
    both = {"samples": torch.cat([latent["samples"], latent["samples"].flip(-1)])}
    found = relevance(native, both, draws=2)
    singles = [relevance(native, {"samples": one[None]}, draws=2)[0] for one in both["samples"]]
    assert torch.allclose(found, torch.stack(singles), atol=1e-4)
    assert (found[0] - found[1]).abs().max() > 0.05


def test_any_size(native):
    found = relevance(native, {"samples": torch.randn(1, 4, 10, 24)})
    assert found.shape == (1, 80, 192)


def test_recommended_is_the_checkpoints(native, latent, tiny_folder, tmp_path):
    folder = tmp_path / "advised"
    shutil.copytree(tiny_folder, folder)
    index = json.loads((folder / "model_index.json").read_text())
    index.update(recommended_relevance_noise_level=[0.5, 0.7], recommended_relevance_samples=2)
    (folder / "model_index.json").write_text(json.dumps(index))
    advised = load(folder)
    expected = relevance(native, latent, "0.5, 0.7", 2)
    assert torch.allclose(relevance(advised, latent, "recommended", 0), expected, atol=1e-6)
    clone = advised[0].clone()  # a patched model is still this checkpoint's
    assert torch.allclose(relevance((clone, *advised[1:]), latent, "recommended", 0), expected, atol=1e-6)
    assert torch.allclose(relevance(native, latent, "recommended", 0), relevance(native, latent, "0.8", 2), atol=1e-6)


def test_no_difference_is_a_flat_map_of_zeros(native, latent, caplog):
    with caplog.at_level(logging.WARNING):
        found = relevance(native, latent, text="")
    assert (found == 0).all()
    assert "is flat" in caplog.text


def test_patches_of_the_model_apply(native, latent):
    model, seen = native[0].clone(), []

    def watch(apply, arguments):
        seen.append((len(arguments["input"]), float(arguments["timestep"][0])))
        return apply(arguments["input"], arguments["timestep"], **arguments["c"])

    model.set_model_unet_function_wrapper(watch)
    relevance((model, *native[1:]), latent, "0.6, 0.8", 3)
    assert [items for items, _ in seen] == [2] * 6  # text and no text in one call, for each draw and level
    sigmas = native[0].model.model_sampling.sigmas
    assert [sigma for _, sigma in seen] == pytest.approx([float(sigmas[600])] * 3 + [float(sigmas[800])] * 3)


def test_progress_is_reported_and_cancel_stops(native, latent):
    import comfy.model_management as management
    import comfy.utils

    told = []

    def hook(value, total, *_, **__):
        told.append((value, total))
        if value == 2:
            management.interrupt_current_processing(True)

    comfy.utils.set_progress_bar_global_hook(hook)
    try:
        with pytest.raises(management.InterruptProcessingException):
            relevance(native, latent, "0.6, 0.8", 2)
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
    assert told == [(1, 4), (2, 4)]
    assert relevance(native, latent).max() > 0  # nothing is left of the cancelled run


def test_inputs_are_not_changed(native, latent):
    positive, negative = texts(native[1])
    kept = latent["samples"].clone()
    conditionings = pack("comfy_native.inputs").Conditionings(positive, negative)
    options = pack("comfy_native.relevance").RelevanceOptions([0.8], 1, 0)
    pack("comfy_native.relevance").relevance_mask(native[0], conditionings, latent, options)
    assert torch.equal(latent["samples"], kept)
    assert "concat_latent_image" not in positive[0][1] and "concat_latent_image" not in negative[0][1]


def test_latents_of_another_model_are_rejected(native):
    with pytest.raises(ValueError, match=r"`latent` must have shape \(batch, 4"):
        relevance(native, {"samples": torch.zeros(1, 16, 8, 8)})


def test_texts_longer_than_the_encoder(native, latent):
    """ComfyUI encodes a long text in sections, so the lengths of the two branches differ."""
    found = relevance(native, latent, text=PROMPT + " " + PROMPT)
    assert torch.isfinite(found).all()
