"""Displacements: moving the pixels of a film."""

from __future__ import annotations

import cv2
import numpy as np

#: Displacement in pixels below which a pixel stays exactly as it is.
LEAST_DISPLACEMENT = 0.02
_GRAIN_LEVEL = 5.0  # pixels over which the strength of grain is measured


def warp(field: np.ndarray, down: np.ndarray | float, right: np.ndarray | float) -> np.ndarray:
    """Read each pixel of a field from another place by cubic interpolation, as float32.

    Args:
        field: `(H, W)`.
        down: rows from a pixel to the place it is read from, `(H, W)` or a number.
        right: columns likewise.

    Returns:
        `(H, W)`, within the range of `field`, and equal to it to the bit where nothing moves.
    """
    rows, columns = np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float32)
    source_columns, source_rows = (columns + right).astype(np.float32), (rows + down).astype(np.float32)
    moved = cv2.remap(
        field.astype(np.float32), source_columns, source_rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    still = (np.abs(down) < LEAST_DISPLACEMENT) & (np.abs(right) < LEAST_DISPLACEMENT)
    return np.where(still, field, moved.clip(field.min(), field.max())).astype(np.float32)


def move_but_grain(field: np.ndarray, shift: np.ndarray, grain: np.ndarray, metal: np.ndarray) -> np.ndarray:
    """Read each pixel of a field from another place, while its grain, and metal in front of it, stay where they are.

    The grain gets the strength that it has at the place that is read, or lung's would be seen on a heart that is moved
    over it.

    Args:
        field: `(H, W)`.
        shift: rows and columns from a pixel to the place it is read from, `(2, H, W)`; where both are 0 the field
            stays to the bit.
        grain: `(H, W)`, the part of the field that is grain.
        metal: `(H, W)`, the part that is leads, electrodes and wires, which a shift would bend.

    Returns:
        `(H, W)`, within the range of `field`.
    """
    level = cv2.GaussianBlur(np.abs(grain).astype(np.float32), (0, 0), _GRAIN_LEVEL)
    kept = (warp(level, *shift) / np.maximum(level, 1e-6)).clip(0, 1)
    moved = warp(field - grain - metal, *shift) + kept * grain + metal
    return np.where(shift.any(axis=0), moved.clip(field.min(), field.max()), field)
