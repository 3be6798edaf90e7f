"""Preservation: what an edit did where nothing should change, outside the true region.

None of these asks a network. Two say how much changed, three whether attributes of the patient and of the exposure that
can be read off the pixels there are kept.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch


def change_outside(edited: torch.Tensor, before: torch.Tensor, region: torch.Tensor) -> dict[str, float | None]:
    """How much an edit changed outside a region.

    Args:
        edited, before: `(1, H, W)` in [0, 1].
        region: `(1, H, W)` bool.

    Returns:
        "change_outside": mean absolute change over the pixels outside, grey values of [0, 1]; ``None`` where the region
        is the whole image. "energy_outside": the share of the edit's energy (sum of squared changes) that lies outside;
        0 where nothing changed.
    """
    change = (edited - before).double()
    outside, energy = change[~region], float(change.square().sum())
    return {
        "change_outside": float(outside.abs().mean()) if outside.numel() else None,
        "energy_outside": float(outside.square().sum()) / energy if energy else 0.0,
    }


def attributes_kept(edited: torch.Tensor, after: torch.Tensor, region: torch.Tensor) -> dict[str, float | None]:
    """Whether attributes of the picture outside a region are those of the true image.

    Args:
        edited, after: `(1, H, W)` in [0, 1]; `after` is the truth.
        region: `(1, H, W)` bool.

    Returns:
        "structure": Pearson's correlation between the two pictures' gradient magnitudes (Scharr) over the pixels
        outside: 1 where every edge of ribs, heart, lungs and skin is where it was; 0 for a picture without edges.
        "brightness_shift": the absolute difference of the mean grey values there, in the truth's standard deviations
        there. "contrast_shift": the absolute relative difference of the standard deviations there. Each ``None``
        where the truth has no edges, or no contrast, to compare with.
    """
    outside = (~region)[0].numpy()
    edges = [_edges(image)[outside] for image in (edited, after)]
    new, old = (image[~region].double() for image in (edited, after))
    spread = float(old.std(correction=0)) if old.numel() else 0.0
    return {
        "structure": _correlation(*edges),
        "brightness_shift": float((new.mean() - old.mean()).abs()) / spread if spread else None,
        "contrast_shift": abs(float(new.std(correction=0)) / spread - 1) if spread else None,
    }


def _edges(image: torch.Tensor) -> np.ndarray:
    """Gradient magnitude of `(1, H, W)`: `(H, W)`."""
    grey = image[0].double().numpy()
    return np.hypot(cv2.Scharr(grey, cv2.CV_64F, 1, 0), cv2.Scharr(grey, cv2.CV_64F, 0, 1))


def _correlation(found: np.ndarray, true: np.ndarray) -> float | None:
    """Pearson's; 0 where only `found` is constant, ``None`` where `true` is."""
    if not true.size or np.ptp(true) == 0:
        return None
    return float(np.corrcoef(found, true)[0, 1]) if np.ptp(found) > 0 else 0.0
