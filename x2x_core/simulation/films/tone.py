"""Adding optical thickness to the grey levels of a film, along the tone curve of `x2x_core.imaging.tone`."""

from __future__ import annotations

import numpy as np

from x2x_core.imaging.tone import brightening

#: Thickness below which a pixel stays exactly as it is, so that a change map is 0 away from the lesion.
LEAST_THICKNESS = 1e-3


def add_thickness(grey: np.ndarray, thickness: np.ndarray, ceiling: np.ndarray | float) -> np.ndarray:
    """Add an optical thickness to a film.

    Args:
        grey: `(H, W)` in [0, 1]; bright is dense.
        thickness: `(H, W)`, dimensionless, at least 0; up to `LEAST_THICKNESS` it changes nothing.
        ceiling: grey of soft tissue, a number or `(H, W)`. Pixels that are brighter stay as they are.

    Returns:
        `(H, W)`: at least `grey` everywhere.
    """
    return np.where(thickness > LEAST_THICKNESS, grey + brightening(grey, thickness, ceiling), grey)
