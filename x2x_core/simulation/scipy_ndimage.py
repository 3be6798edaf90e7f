"""SciPy's image filters, which the simulator needs and an extra installs."""

from __future__ import annotations

from types import ModuleType

from x2x_core.common.extras import needs_extra


def load_ndimage() -> ModuleType:
    """Import and return `scipy.ndimage`.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    with needs_extra("Simulating radiographs", "SciPy", "simulate"):
        from scipy import ndimage
    return ndimage
