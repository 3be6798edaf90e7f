"""Preservation of edges outside a region, read off the pixels."""

from __future__ import annotations

import cv2
import numpy as np
import torch


def structure(edited: torch.Tensor, after: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return Pearson's correlation between the Scharr gradient magnitudes of edit and truth over the pixels outside.

    1 if every edge of ribs, heart, lungs and skin is where it was.

    Args:
        edited: `(1, H, W)` in [0, 1]; `after` is the truth.
        after: like `edited`.
        region: `(1, H, W)` bool.

    Returns:
        In [-1, 1]; 0 if only the edit has no edges there, ``None`` if the truth has none.
    """
    outside = (~region)[0].numpy()
    found, true = (_gradient_magnitude(image)[outside] for image in (edited, after))
    if not true.size or np.ptp(true) == 0:
        return None
    return float(np.corrcoef(found, true)[0, 1]) if np.ptp(found) > 0 else 0.0


def _gradient_magnitude(image: torch.Tensor) -> np.ndarray:
    """Return the gradient magnitude of `(1, H, W)` as `(H, W)` float64 (Scharr, 2000)."""
    grey = image[0].double().numpy()
    return np.hypot(cv2.Scharr(grey, cv2.CV_64F, 1, 0), cv2.Scharr(grey, cv2.CV_64F, 0, 1))
