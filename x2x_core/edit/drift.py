"""The drift of colours and greys between an edit and its original, estimated where nothing should have changed.

A model that generates the whole picture anew shifts its colours a little, also outside the mask. Inside it the shift
would be taken for a part of the edit, and show as a seam at the mask's edge.
"""

from __future__ import annotations

import numpy as np
import torch

from x2x_core.imaging.continuation import continue_field

# Scales at which the drift is continued into the mask, from coarse to fine, shares of the longer side.
_SCALES = (0.2, 0.1, 0.05, 0.025)
# Share of a scale's surroundings that must lie outside the mask for its drift there to be trusted in full.
_OUTSIDE_SHARE = 0.25


def drift_of(change: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the change outside a mask, smoothed and continued into it.

    At each pixel it is a mean over the surroundings outside the mask (a normalised convolution: Knutsson and Westin,
    1993), from the narrowest of several scales that contain enough of it. A change that is the same everywhere is
    returned as it is, and no change outside the mask gives 0.

    Args:
        change: edit minus original `(B, C, H, W)`.
        mask: `(B, 1, H, W)` bool, where the edit is meant to change the picture.

    Returns:
        Of the shape of `change`; 0 for a picture that its mask covers as a whole.
    """
    planes = []
    for picture, region in zip(change.cpu().float().numpy(), mask[:, 0].cpu().numpy(), strict=True):
        outside = (~region).astype(np.float32)
        planes += [_continued(plane, outside) if outside.any() else np.zeros_like(plane) for plane in picture]
    return torch.from_numpy(np.stack(planes)).view(change.shape).to(change)


def _continued(plane: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Return a plane `(H, W)` float32, smoothed over the pixels where `outside` is 1."""
    start = np.full_like(plane, plane[outside > 0].mean(dtype=np.float64))
    sigmas = [share * max(plane.shape) for share in _SCALES]
    return continue_field(plane, outside, start, sigmas, _OUTSIDE_SHARE)
