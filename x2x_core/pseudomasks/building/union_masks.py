"""Masks in the published style: the union of all boxes of a category, as `pseudo_mask_<Category>.npy`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .boxes import Box
from .maps_from_boxes import DEFAULT_POOLS
from .model import group_boxes

PUBLISHED_SIZE = 512  # side length in pixels


def union_masks(boxes: Iterable[Box]) -> dict[str, np.ndarray]:
    """Return the union of the boxes of each category, as the published masks are made from MS-CXR.

    Args:
        boxes: boxes of any tables.

    Returns:
        Category to its mask `(512, 512)` uint8 of 0 and 1, for every category with a box; categories that an atlas
        pools from others (`DEFAULT_POOLS`) are pooled here too.
    """
    masks = {}
    for category, members in group_boxes(boxes, DEFAULT_POOLS).items():
        mask = np.zeros((PUBLISHED_SIZE, PUBLISHED_SIZE), np.uint8)
        for box in members:
            left, top, right, bottom = (round(edge * PUBLISHED_SIZE) for edge in box.edges)
            mask[top : max(bottom, top + 1), left : max(right, left + 1)] = 1
        masks[category] = mask
    return masks


def save_union_masks(boxes: Iterable[Box], folder: str | Path) -> list[Path]:
    """Write `union_masks` to `pseudo_mask_<Category>.npy` in a folder, creating it, and return the files.

    A slash in the name of a category becomes a hyphen.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for category, mask in union_masks(boxes).items():
        paths.append(folder / f"pseudo_mask_{category.replace('/', '-')}.npy")
        np.save(paths[-1], mask)
    return paths
