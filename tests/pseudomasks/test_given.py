"""Masks that the caller supplies, read by one rule as pseudomasks and as guidance masks."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import seeded

from x2x_core.pseudomasks.given import as_guidance_mask, as_pseudomask


def random_mask(height, width, seed=1):
    return torch.rand(1, 1, height, width, generator=seeded(seed)) < 0.5


FORMS = {
    "bool tensor": lambda mask: mask,
    "(B, H, W)": lambda mask: mask[0],
    "(H, W)": lambda mask: mask[0, 0],
    "float32 tensor": lambda mask: mask.float(),
    "float16 tensor": lambda mask: mask[0].half(),
    "bool array": lambda mask: mask.numpy(),
    "0 and 1 in uint8": lambda mask: mask[0, 0].numpy().astype(np.uint8),
    "0 and 255 in uint8": lambda mask: mask[0, 0].numpy().astype(np.uint8) * 255,
    "0 and 255 in int64": lambda mask: mask[0, 0].numpy().astype(np.int64) * 255,
    "0 and 255 in float32": lambda mask: mask.float() * 255,
    "0 and 65535 in uint16": lambda mask: mask[0, 0].numpy().astype(np.uint16) * 65535,
    "float64 array": lambda mask: mask[0, 0].numpy().astype(np.float64),
    "8-bit picture": lambda mask: Image.fromarray(mask[0, 0].numpy().astype(np.uint8) * 255),
    "16-bit picture": lambda mask: Image.fromarray(mask[0, 0].numpy().astype(np.uint16) * 65535),
    "1-bit picture": lambda mask: Image.fromarray(mask[0, 0].numpy()),
    "colour picture": lambda mask: Image.fromarray(mask[0, 0].numpy().astype(np.uint8) * 255).convert("RGB"),
}


@pytest.mark.parametrize("form", FORMS)
def test_both_masks_read_every_form_by_the_same_rule(form):
    mask = random_mask(6, 9)
    value = FORMS[form](mask)
    assert torch.equal(as_guidance_mask(value, (6, 9)), mask)
    pseudomask = as_pseudomask(value, (6, 9))
    assert torch.equal(pseudomask, mask.float()) and pseudomask.dtype == torch.float32


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(6, 4),
        torch.ones(1, 6, 4, dtype=torch.float16),
        torch.ones(2, 1, 6, 4, dtype=torch.bool),
        np.ones((6, 4), bool),
        np.full((6, 4), 255, np.uint8),
        np.ones((6, 4), np.uint8),
        Image.new("L", (4, 6), 255),
        Image.new("1", (4, 6), 1),
    ],
)
def test_a_pseudomask_is_resampled_and_broadcast_to_the_batch(value):
    mask = as_pseudomask(value, (12, 9), batch=2)
    assert mask.shape == (2, 1, 12, 9) and mask.dtype == torch.float32
    assert mask.min() == mask.max() == 1


def test_grey_levels_are_kept_by_a_pseudomask_and_cut_at_one_half_by_a_guidance_mask():
    grey = np.array([[0, 100, 127, 128, 255]], np.uint8)
    assert torch.equal(as_pseudomask(grey, (1, 5)), torch.from_numpy(grey)[None, None].float() / 255)
    assert as_guidance_mask(grey, (1, 5)).tolist() == [[[[False, False, False, True, True]]]]
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert torch.allclose(as_pseudomask(deep, (1, 5)), as_pseudomask(grey, (1, 5)))


BAD = [
    ("left", "tensor, an array or a picture, got str"),
    (np.array([["x"]]), "must hold numbers"),
    (torch.zeros(3, 3, 4, 4), r"\(B, 1, H, W\), got shape \(3, 3, 4, 4\)"),
    (torch.ones(4), r"\(B, 1, H, W\), got shape \(4,\)"),
    (torch.ones(0, 4, 4), r"\(B, 1, H, W\), got shape \(0, 4, 4\)"),
    (torch.full((4, 4), 1.4), r"must lie in \[0, 1\].* got 1.4 to 1.4"),
    (torch.full((4, 4), torch.nan), r"must lie in \[0, 1\].* got nan"),
    (torch.full((4, 4), -1.0), r"must lie in \[0, 1\].* got -1 to -1"),
    (np.full((4, 4), 70000), r"up to 255 or 65535, got 70000"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_a_bad_mask_is_refused_by_both(value, message):
    for read, name in ((as_pseudomask, "pseudomask"), (as_guidance_mask, "guidance_mask")):
        with pytest.raises(ValueError, match=f"`{name}` .*{message}"):
            read(value, (4, 4))


def test_a_number_of_pseudomasks_that_does_not_fit_the_batch_is_refused():
    with pytest.raises(ValueError, match="`pseudomask` must hold 1 mask or one for each of 2 images, got 3"):
        as_pseudomask(torch.ones(3, 4, 4), (4, 4), batch=2)


def test_a_guidance_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"`guidance_mask` must be of the image's size, 8x8 pixels .* got 8x4"):
        as_guidance_mask(torch.zeros(8, 4), (8, 8))


def test_the_callers_mask_is_not_modified():
    mine = torch.zeros(4, 4)
    as_pseudomask(mine, (4, 4))[:] = 1
    assert mine.max() == 0
