"""Measures of one edit inside and outside its guidance mask."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .change_outside import largest_change_outside
from .psnr import psnr
from .ssim import SSIM_REACH, ssim


def mask_measures(
    image: torch.Tensor, before: torch.Tensor, target: torch.Tensor, mask: torch.Tensor
) -> dict[str, float | None]:
    """Measure change and likeness inside and outside a guidance mask.

    Args:
        image: image to judge, `(1, H, W)` float32 in [0, 1]: the edited image, the input itself, or the real target.
        before: the input, like `image`.
        target: real image that the input should become, like `image`.
        mask: `(1, H, W)` bool, where the model was allowed to change the input.

    Returns:
        "change_outside_mask": largest absolute change outside the mask; "editable_share": share of the image that the
        mask covers; "changed_share": share of pixels that differ from the input; "ssim_inside", "psnr_inside": to the
        target, over the mask; "ssim_outside", "psnr_outside": to the input, over the pixels whose window of the
        similarity map does not touch the mask. ``None`` over no pixels.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    outside = far_outside(mask)
    return {
        "change_outside_mask": largest_change_outside(image, before, mask),
        "editable_share": float(mask.double().mean()),
        "changed_share": float(((image - before) != 0).double().mean()),
        "ssim_inside": ssim(image, target, mask),
        "psnr_inside": psnr(image, target, mask),
        "ssim_outside": ssim(image, before, outside),
        "psnr_outside": psnr(image, before, outside),
    }


def far_outside(mask: torch.Tensor) -> torch.Tensor:
    """Return the pixels whose window of 11 x 11 pixels does not touch the mask, `(1, H, W)` bool."""
    side = 2 * SSIM_REACH + 1
    return F.max_pool2d(mask[None].float(), side, stride=1, padding=SSIM_REACH)[0] == 0
