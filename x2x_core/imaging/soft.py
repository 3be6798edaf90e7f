"""Soft edges: the smoothstep ramp, and masks that fade towards their own outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
import torch

_Values = TypeVar("_Values", np.ndarray, torch.Tensor)


def smoothstep(share: _Values) -> _Values:
    """Return 3 s^2 - 2 s^3, which rises smoothly from 0 (for `share` <= 0) to 1 (for `share` >= 1)."""
    clipped = share.clip(0, 1)
    return clipped * clipped * (3 - 2 * clipped)


def inverse_smoothstep(level: float) -> float:
    """Return the share at which `smoothstep` reaches a level in [0, 1]."""
    return float(0.5 - np.sin(np.arcsin(1 - 2 * level) / 3))


def soft_edges(mask: torch.Tensor, width: float | Sequence[float]) -> torch.Tensor:
    """Soften a mask inside its own outline: 0 outside, rising to 1 at `width` pixels inside.

    Args:
        mask: `(B, 1, H, W)` bool.
        width: width of the ramp in pixels, for all masks or one for each; 0 keeps a hard edge. The image's border is
            not an edge. In a mask thinner than four widths the ramp takes half of its greatest depth, so that its
            middle reaches 1.

    Returns:
        `(B, 1, H, W)` float32 in [0, 1], above 0 exactly where the mask is.
    """
    widths = width if isinstance(width, Sequence) else [width] * len(mask)
    inside = mask[:, 0].cpu().numpy()
    soft = np.stack([_soften(single, ramp) for single, ramp in zip(inside, widths, strict=True)])
    return torch.from_numpy(soft)[:, None].to(mask.device)


def _soften(inside: np.ndarray, width: float) -> np.ndarray:
    if width <= 0 or inside.all() or not inside.any():
        return inside.astype(np.float32)
    padded = np.pad(inside.astype(np.uint8), 1, mode="edge")
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    deepest = float(depth.max())
    width = min(width, deepest / 2, deepest - 1)
    return smoothstep(depth / (width + 1)).astype(np.float32)  # depth is 1 on the outermost pixel inside
