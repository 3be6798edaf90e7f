"""SimpleITK, which registration needs and an extra installs."""

from __future__ import annotations

from typing import Any

import numpy as np

from x2x_core.common.extras import needs_extra


def load_simpleitk() -> Any:
    """Import and return SimpleITK.

    Raises:
        MissingExtraError: SimpleITK is not installed.
    """
    with needs_extra("Registering images", "SimpleITK", "dataset"):
        import SimpleITK
    return SimpleITK


def as_itk_image(values: np.ndarray) -> Any:
    """Convert a square array to an ITK image whose unit of length is the side and whose origin is the centre."""
    side = values.shape[0]
    image = load_simpleitk().GetImageFromArray(values)
    image.SetSpacing((1 / side, 1 / side))
    image.SetOrigin((0.5 / side - 0.5, 0.5 / side - 0.5))
    return image
