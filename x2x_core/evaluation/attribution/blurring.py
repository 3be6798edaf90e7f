"""A blurred image, in which pixels are missing."""

from __future__ import annotations

import cv2
import torch

WIDTH = 0.06  # standard deviation of the blur, as a share of the longer side


def blurred(image: torch.Tensor) -> torch.Tensor:
    """Return `(1, 1, H, W)` in [0, 1] blurred by a Gaussian of `WIDTH`."""
    values = image[0, 0].detach().cpu().float().numpy()
    smooth = cv2.GaussianBlur(values, (0, 0), WIDTH * max(values.shape), borderType=cv2.BORDER_REFLECT_101)
    return torch.from_numpy(smooth)[None, None].clamp(0, 1)
