"""Cleaning of lung masks: small islands, and slivers that no reader would outline."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .lung_masks import INSIDE

ISLAND = 0.15  # of the largest component's area: smaller components are removed
TAIL = 0.08  # of a lung field's height: narrower parts are tails
TAIL_REACH = 0.10  # of a lung field's height: how far a tail may extend
_TAIL_VIEW = 192  # longer side in pixels at which tails are searched


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

    The recess between diaphragm and chest wall continues as a sliver of lung that a radiograph does not show.
    """
    cleaned = probabilities.clone()
    for field in cleaned[0, :2]:
        body = _body(field > INSIDE)
        if body is not None:
            field[~body] = 0
    return cleaned


def _body(inside: torch.Tensor) -> torch.Tensor | None:
    """Return the region of a mask `(h, w)` bool outside of which only tails lie; ``None`` if no part is lung-wide.

    Tails are narrower than `TAIL` and further than `TAIL_REACH` from the rest.
    """
    mask = inside.numpy().astype(np.float32)
    scale = min(1.0, _TAIL_VIEW / max(mask.shape))
    small = np.asarray(cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)) > 0.5
    rows = np.flatnonzero(small.any(1))
    if not len(rows):
        return None
    height = rows[-1] - rows[0] + 1
    wide = cv2.morphologyEx(small.astype(np.uint8), cv2.MORPH_OPEN, _disc(TAIL / 2 * height))
    if not wide.any():
        return None
    near = cv2.dilate(largest_component(wide).astype(np.uint8), _disc(TAIL_REACH * height))
    return torch.from_numpy(cv2.resize(near, mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _disc(radius: float) -> np.ndarray:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def largest_component(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected component of a mask `(h, w)` that is not empty, as bool."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
