"""Cleaning of lung masks: small islands, and slivers and spikes that no reader would outline."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .lung_masks import INSIDE

ISLAND = 0.15  # of the largest component's area: smaller components are removed
# Narrower parts of a right and a left field are tails: their width, and how far they may extend, shares of its height.
# A left field is narrow beside the heart.
TAILS = ((0.17, 0.10), (0.10, 0.08))
SPIKES = (0.05, 0.02)  # the same of spikes in the upper part of either field
UPPER = 0.55  # share of a field's height that counts as its upper part
_CLEANING_VIEW = 192  # longer side in pixels at which fields are cleaned


def without_islands(probabilities: torch.Tensor) -> torch.Tensor:
    """Return probabilities `(1, C, h, w)` with the small components of each lung set to 0."""
    cleaned = probabilities.clone()
    for lung in cleaned[0]:
        _, labels, stats, _ = cv2.connectedComponentsWithStats((lung > INSIDE).numpy().astype(np.uint8))
        areas = stats[1:, cv2.CC_STAT_AREA]
        small = 1 + np.flatnonzero(areas < ISLAND * max(areas, default=0))
        if len(small):
            lung[torch.from_numpy(np.isin(labels, small))] = 0
    return cleaned


def without_tails(probabilities: torch.Tensor) -> torch.Tensor:
    """Return probabilities `(1, 4, h, w)` whose lung fields end where a reader's outline does.

    The recess between diaphragm and chest wall continues as a sliver of lung that a radiograph does not show, and an
    apex may run out along a clavicle.
    """
    cleaned = probabilities.clone()
    for field, tail in zip(cleaned[0, :2], TAILS):
        body = _body((field > INSIDE).numpy(), tail)
        if body is not None:
            field[~torch.from_numpy(body)] = 0
    return cleaned


def reduced(picture: np.ndarray) -> np.ndarray:
    """Return a picture `(h, w)`, or a mask as floats, at the size at which fields are cleaned, float32."""
    scale = min(1.0, _CLEANING_VIEW / max(picture.shape))
    smaller = cv2.resize(picture.astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller)


def _body(mask: np.ndarray, tail: tuple[float, float]) -> np.ndarray | None:
    """Return the region of a mask `(h, w)` bool beyond which only tails and spikes lie; ``None`` if all is."""
    small = reduced(mask) > 0.5
    rows = np.flatnonzero(small.any(1))
    if not len(rows):
        return None
    parts = [_near_wide(small, *(share * len(rows) for share in cut)) for cut in (SPIKES, tail)]
    if parts[0] is None or parts[1] is None:
        return None
    middle = rows[0] + round(UPPER * len(rows))
    near = np.concatenate([parts[0][:middle], parts[1][middle:]])
    return np.asarray(cv2.resize(near, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)) > 0


def _near_wide(mask: np.ndarray, width: float, reach: float) -> np.ndarray | None:
    """Return what is within `reach` pixels of the parts of a mask that are at least `width` wide, uint8."""
    wide = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(width / 2))
    return np.asarray(cv2.dilate(largest_component(wide).astype(np.uint8), _disc(reach))) if wide.any() else None


def _disc(radius: float) -> np.ndarray:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def largest_component(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected component of a mask `(h, w)` that is not empty, as bool."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
