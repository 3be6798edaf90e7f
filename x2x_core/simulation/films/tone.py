"""The tone curve of a film: adding optical thickness to grey levels.

Attenuations add along a ray, and a film shows their sum through a curve that saturates at the grey of soft tissue. With
the exponential curve g(L) = c (1 - exp(-L)), where c is the ceiling, adding a thickness T to any grey g is

    g' = c - (c - g) exp(-T),

which needs no estimate of the thickness L that is there already. Contrast under an opacity shrinks by exp(-T), as ribs
do under fluid.
"""

from __future__ import annotations

import numpy as np

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
    added = ceiling - (ceiling - grey) * np.exp(-thickness)
    return np.where((grey < ceiling) & (thickness > LEAST_THICKNESS), added, grey)
