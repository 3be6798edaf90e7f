"""Seam of an edit: how abruptly its change ends at the border of its mask, read off the pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def seam(before: torch.Tensor, after: torch.Tensor, mask: torch.Tensor) -> float | None:
    """Return the mean absolute change on the mask's inner border over that in the whole mask.

    0: the change fades before the border. 1: it is as strong on the border as inside, so it ends in a step. The edge of
    the picture is not a border.

    Args:
        before: `(C, H, W)` in [0, 1].
        after: like `before`.
        mask: `(1, H, W)` bool, where the image could change.

    Returns:
        At least 0; ``None`` if nothing changes in the mask, or if it has no border.
    """
    change = (after - before).double().abs().mean(0, keepdim=True)
    outside = F.pad((~mask)[None].double(), (1, 1, 1, 1))  # 0 beyond the picture
    border = mask & (F.max_pool2d(outside, 3, stride=1)[0] > 0)
    inside = float(change[mask].mean()) if mask.any() else 0.0
    return float(change[border].mean()) / inside if inside and border.any() else None
