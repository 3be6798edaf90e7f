"""What an edit did to one image, measured on pixels: inside its guidance mask, outside of it, and on the lungs.

Masks are `(1, H, W)` bool, images `(1, H, W)` float32 in [0, 1].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.anatomy.lungs import INSIDE, LungFinder, LungMasks
from x2x_core.common.errors import InputError

from .fidelity import fidelity

SSIM_REACH = 5  # pixels to each side that a value of the similarity map looks at (a window of 11)
MASK_KEYS = (
    "change_outside_mask", "editable_share", "changed_share", "ssim_inside", "psnr_inside", "ssim_outside",
    "psnr_outside",
)  # fmt: skip


def mask_measures(
    image: torch.Tensor, before: torch.Tensor, target: torch.Tensor, mask: torch.Tensor
) -> dict[str, float | None]:
    """Change and likeness inside and outside a guidance mask.

    Args:
        image: what is judged: the edited image, the input itself, or the real target.
        before: the input.
        target: the real image that the input should become.
        mask: where the model was allowed to change the input.

    Returns:
        "change_outside_mask": the largest absolute change outside, which must be 0 for a restricted edit; "editable_share"
        of the image that the mask covers; "changed_share" of the image's pixels that differ from the input;
        "ssim_inside", "psnr_inside": against the target, over the mask; "ssim_outside", "psnr_outside": against the
        input, over the pixels whose window of the similarity map does not touch the mask. ``None`` over no pixels.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    change = (image - before).abs()
    outside = far_outside(mask)
    inner, outer = fidelity(image, before, target, mask), fidelity(image, before, before, outside)
    return {
        "change_outside_mask": float(change[~mask].max()) if (~mask).any() else None,
        "editable_share": float(mask.double().mean()),
        "changed_share": float((change > 0).double().mean()),
        "ssim_inside": inner["ssim"],
        "psnr_inside": inner["psnr"],
        "ssim_outside": outer["ssim"],
        "psnr_outside": outer["psnr"],
    }


def far_outside(mask: torch.Tensor) -> torch.Tensor:
    """Pixels whose window of 11 x 11 pixels does not touch the mask, `(1, H, W)` bool."""
    side = 2 * SSIM_REACH + 1
    return F.max_pool2d(mask[None].float(), side, stride=1, padding=SSIM_REACH)[0] == 0


def dice(first: torch.Tensor, second: torch.Tensor) -> float | None:
    """Dice's overlap (1945) of two bool masks of one shape, in [0, 1]; ``None`` where both are empty."""
    if first.shape != second.shape or first.dtype != torch.bool or second.dtype != torch.bool:
        raise InputError(
            f"Both masks must be bool and of one shape, got {tuple(first.shape)} and {tuple(second.shape)}."
        )
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else None


def find_lungs(image: torch.Tensor, finder: LungFinder | None = None) -> torch.Tensor:
    """Both lung fields together, `(1, H, W)` bool, by the project's own lung finder."""
    masks: LungMasks = (finder or LungFinder.bundled()).find(image[None])
    return (torch.maximum(masks.right, masks.left) > INSIDE)[0]
