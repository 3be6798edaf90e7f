"""Conversion between ComfyUI's tensors and the library's."""

import pytest
import torch
from comfy_pack import pack


def test_grey_comes_back_bit_for_bit():
    image = torch.rand(2, 5, 7, 1).expand(-1, -1, -1, 3)
    there = pack("work.tensors").to_library(image)
    assert there.shape == (2, 1, 5, 7)
    assert torch.equal(pack("work.tensors").to_image(there), image)


def test_colour_stays_colour():
    image = torch.rand(1, 4, 4, 3)
    assert torch.equal(pack("work.tensors").to_image(pack("work.tensors").to_library(image)), image)


def test_alpha_is_laid_over_black():
    image = torch.full((1, 2, 2, 4), 0.8)
    image[..., 3] = 0.5
    assert torch.allclose(pack("work.tensors").to_library(image), torch.full((1, 1, 2, 2), 0.4))


@pytest.mark.parametrize("wrong", [torch.rand(4, 4), torch.rand(1, 4, 4, 2), torch.rand(0, 4, 4, 3), None])
def test_other_shapes_are_rejected_by_name(wrong):
    with pytest.raises(ValueError, match="`before` must be an IMAGE"):
        pack("work.tensors").to_library(wrong, "before")


@pytest.mark.parametrize(("value", "said"), [(1.5, "must lie in"), (-0.5, "must lie in"), (float("nan"), "finite")])
def test_values_out_of_range_are_rejected(value, said):
    with pytest.raises(ValueError, match=f"`image` {said}|`image` must hold {said}"):
        pack("work.tensors").to_library(torch.full((1, 2, 2, 3), value))


@pytest.mark.parametrize("convert", ["to_library", "as_maps"])
def test_overshoot_of_resampling_is_clipped(convert):
    values = torch.rand(2, 16, 16, 3) if convert == "to_library" else torch.rand(2, 16, 16)
    values[0, 0, 0], values[1, 3, 3] = -0.02, 1.03
    clipped = getattr(pack("work.tensors"), convert)(values, "image")
    assert clipped.min() >= 0 and clipped.max() <= 1
    expected = values.clamp(0, 1).movedim(-1, 1) if convert == "to_library" else values.clamp(0, 1)[:, None]
    assert torch.equal(clipped, expected)


def test_pictures_in_minus_one_to_one_are_rejected():
    with pytest.raises(ValueError, match="`after` must lie in"):
        pack("work.tensors").to_library(torch.rand(1, 16, 16, 3) * 2 - 1, "after")


def test_inputs_are_not_changed():
    image = torch.rand(1, 4, 4, 3)
    kept = image.clone()
    pack("work.tensors").to_library(image).mul_(0)
    assert torch.equal(image, kept)


@pytest.mark.parametrize("shape", [(6, 8), (1, 6, 8), (3, 6, 8), (3, 1, 6, 8), (1, 3, 4)])
def test_masks_of_any_size_and_batch(shape):
    maps = pack("work.tensors").to_map(torch.ones(shape), (6, 8), 3, "mask")
    assert maps.shape == (3, 1, 6, 8) and (maps == 1).all()


def test_a_mask_for_another_number_of_images_is_rejected():
    with pytest.raises(ValueError, match="`guidance_mask` must hold one mask, or one for each of the 3 images, got 2"):
        pack("work.tensors").to_map(torch.ones(2, 4, 4), (4, 4), 3, "guidance_mask")


def test_an_image_is_refused_as_a_mask():
    with pytest.raises(ValueError, match="Convert an IMAGE"):
        pack("work.tensors").to_map(torch.ones(1, 4, 4, 3), (4, 4), 1, "mask")
