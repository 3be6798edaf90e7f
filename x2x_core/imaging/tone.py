"""The tone curve of a film.

Attenuations add along a ray, and a film shows their sum through a curve that saturates at a grey c, that of soft
tissue. With the exponential curve g(L) = c (1 - exp(-L)), adding an optical thickness T to any grey g gives

    g' = c - (c - g) exp(-T),

which needs no estimate of the thickness L that is there already. Contrast under an opacity shrinks by exp(-T), as ribs
do under fluid.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch

_Values = TypeVar("_Values", np.ndarray, torch.Tensor)


def brightening(grey: _Values, thickness: _Values, ceiling: _Values | float) -> _Values:
    """Return by how much an optical thickness brightens a film: g' - g = (c - g) (1 - exp(-T)).

    Args:
        grey: g, in [0, 1]; bright is dense.
        thickness: T, dimensionless, of a shape that broadcasts with `grey`'s.
        ceiling: c, a number or values that broadcast with `grey`.

    Returns:
        Exactly 0 where the thickness is 0, and where a pixel is at least as bright as the ceiling.
    """
    expm1 = torch.expm1 if isinstance(thickness, torch.Tensor) else np.expm1
    return (ceiling - grey).clip(0) * -expm1(-thickness)
