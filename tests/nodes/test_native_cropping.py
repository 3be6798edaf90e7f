"""Sizes that are not multiples of 8: what VAE Encode crops stays aligned with the image."""

from __future__ import annotations

import logging

import pytest
import torch
from comfy_pack import pack, run
from native_graph import guide, texts, to_image
from tiny_models import make_radiograph

pytestmark = pytest.mark.usefixtures("without_gradients")

VAE_CELL = 8


def crop(image, cell=VAE_CELL):
    """ComfyUI's own crop in VAE Encode, of `(B, H, W, ...)`."""
    rows, columns = (side // cell * cell for side in image.shape[1:3])
    top, left = (image.shape[1] - rows) // 2, (image.shape[2] - columns) // 2
    return image[:, top : top + rows, left : left + columns]


def tiles(height, width, side=16):
    """A chessboard `(1, H, W)` whose corner shows a shift of one pixel."""
    rows, columns = torch.arange(height) // side, torch.arange(width) // side
    return ((rows[:, None] + columns) % 2).float()[None]


@pytest.mark.parametrize("size", [(37, 38), (518, 512), (519, 517), (15, 15), (512, 512), (8, 23)])
def test_the_encoded_part_is_what_vae_encode_keeps(size):
    import comfy.sd

    vae = comfy.sd.VAE.__new__(comfy.sd.VAE)
    vae.downscale_ratio, vae.crop_input, vae.output_channels = VAE_CELL, True, 3
    numbered = torch.arange(size[0] * size[1]).reshape(1, *size, 1).expand(-1, -1, -1, 3)
    kept = vae.vae_encode_crop_pixels(numbered)
    cells = tuple(side // VAE_CELL for side in size)
    rows, columns = pack("comfy_native.cropping").encoded_part(size, cells)
    assert torch.equal(numbered[:, rows, columns], kept)
    assert torch.equal(crop(numbered), kept)


def test_a_mask_is_cropped_as_the_image_is():
    mask = tiles(37, 38)[:, None] > 0
    cells = pack("comfy_native.inputs").mask_cells(mask, (4, 4))
    expected = torch.nn.functional.max_pool2d(crop(mask[:, 0].float())[:, None], VAE_CELL) > 0
    assert torch.equal(cells, expected)


@pytest.mark.parametrize("size", [(518, 518), (515, 512)])
def test_an_edit_stays_in_place(size, caplog):
    """The edited tiles land where they are in the image, though the crop is smaller."""
    image = tiles(*size)[..., None].expand(-1, -1, -1, 3).contiguous()
    edited, everywhere = crop(image), torch.ones(1, *size)
    with caplog.at_level(logging.WARNING):
        result = run(
            "X2XNativeCompose", image=image, edited=edited, guidance_mask=everywhere, soft_edge=0.0, strength=1.0
        )[0]
    assert torch.equal(result, image)
    assert "VAE Encode cropped the image" in caplog.text


def test_a_mask_of_the_crop_stays_in_place():
    """A relevance map without `image` has the size of the crop, and so has its mask."""
    image, mask = torch.zeros(1, 518, 518, 3), tiles(518, 518)
    edited, cropped = torch.ones(1, 512, 512, 3), crop(mask)
    result = run("X2XNativeCompose", image=image, edited=edited, guidance_mask=cropped, soft_edge=0.0, strength=1.0)[0]
    inside = torch.zeros(1, 518, 518)
    inside[:, 3:515, 3:515] = cropped
    assert torch.equal(result[..., 0], inside)


@pytest.mark.parametrize(("cell", "size"), [(16, (525, 541)), (32, (541, 573))])
def test_crops_to_larger_cells_stay_in_place(cell, size):
    """An autoencoder with cells of 16 or 32 pixels crops more."""
    image = tiles(*size)[..., None].expand(-1, -1, -1, 3).contiguous()
    rows, columns = (slice(side % cell // 2, side % cell // 2 + side // cell * cell) for side in size)
    chosen = {"image": image, "edited": image[:, rows, columns], "guidance_mask": torch.ones(1, 8, 8)}
    encoded = {} if cell == 16 else {"encoded": image}  # a crop to 32 could be a picture that was scaled
    result = run("X2XNativeCompose", **chosen, **encoded, soft_edge=0.0, strength=1.0)[0]
    assert torch.equal(result, image)


def test_a_scaled_and_cropped_image_stays_in_place():
    """An image of 1036 pixels, scaled to 518 and cropped to 512."""
    original = tiles(1036, 1036, 32)[..., None].expand(-1, -1, -1, 3).contiguous()
    scaled = tiles(518, 518)[..., None].expand(-1, -1, -1, 3).contiguous()
    chosen = {"image": original, "edited": crop(scaled), "guidance_mask": torch.ones(1, 64, 64)}
    result = run("X2XNativeCompose", **chosen, soft_edge=0.0, strength=1.0, encoded=scaled)[0]
    off = (result - original).abs()[:, 16:-16, 16:-16, 0]
    blurred = off > 0.01  # scaling mixes two pixels on each side of an edge
    assert blurred.float().mean() < 0.25 and off.mean() < 0.08
    shifted = run("X2XNativeCompose", **chosen, soft_edge=0.0, strength=1.0)[0]  # stretched over the original
    assert (shifted - original).abs().mean() > 2 * (result - original).abs().mean()


def test_sizes_that_do_not_belong_together_are_rejected():
    image, edited, mask = torch.zeros(1, 500, 400, 3), torch.zeros(1, 248, 200, 3), torch.ones(1, 8, 8)
    chosen = {"image": image, "edited": edited, "guidance_mask": mask, "soft_edge": 0.0, "strength": 1.0}
    with pytest.raises(ValueError, match=r"`edited` must have the aspect ratio of `image`.*connect .* to `encoded`"):
        run("X2XNativeCompose", **chosen)
    assert run("X2XNativeCompose", **chosen, encoded=torch.zeros(1, 255, 204, 3))[0].shape == image.shape
    with pytest.raises(ValueError, match="`encoded` must be the image given to VAE Encode"):
        run("X2XNativeCompose", **chosen, encoded=torch.zeros(1, 300, 240, 3))


def test_the_relevance_map_is_aligned_to_the_image(native):
    """The tiny autoencoder's cells are smaller; an odd size is cropped by a pixel."""
    image = to_image(make_radiograph())[:, :61, :63]
    latent = {"samples": native[2].encode(image)}
    positive, negative = texts(native[1])
    chosen = {"model": native[0], "positive": positive, "negative": negative, "latent": latent}
    chosen = {**chosen, "noise_level": "0.8", "draws": 1, "seed": 0}
    aligned = run("X2XNativeRelevanceMap", **chosen, image=image)[0]
    assert aligned.shape == (1, 61, 63)
    cropped = image[:, : 61 // 2 * 2, : 63 // 2 * 2]
    whole = run("X2XNativeRelevanceMap", **chosen, image=cropped)[0]
    assert torch.equal(aligned[:, :60, :62], whole)
    assert torch.equal(aligned[:, 60], aligned[:, 59]) and torch.equal(aligned[:, :, 62], aligned[:, :, 61])
    with pytest.raises(ValueError, match="`image` must be the image that `latent` was encoded from"):
        run("X2XNativeRelevanceMap", **chosen, image=torch.zeros(1, 40, 90, 3))


def test_a_relevance_map_that_looks_cropped_is_reported(caplog):
    rules = {"mask_rule": "threshold", "threshold": 0.5, "remove_islands": False, "close_holes": False}
    with caplog.at_level(logging.WARNING):
        run("X2XGuidanceMap", pseudomask=torch.ones(1, 64, 64), relevance=torch.ones(1, 64, 64), **rules, soft_edge=0.0)
        assert not caplog.text
        run("X2XGuidanceMap", pseudomask=torch.ones(1, 70, 64), relevance=torch.ones(1, 64, 64), **rules, soft_edge=0.0)
    assert "connect the image to Relevance Map (Native)" in caplog.text


@pytest.mark.parametrize("name", ["guidance_scale", "image_guidance_scale"])
def test_scales_that_are_not_finite_are_rejected(native, name):
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    scales = {"guidance_scale": 1.0, "image_guidance_scale": 1.0, name: float("nan")}
    with pytest.raises(ValueError, match=f"`{name}` must be a finite number"):
        guide(native, latent, scales=tuple(scales.values()))
