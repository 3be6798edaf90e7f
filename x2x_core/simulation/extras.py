"""What the simulator needs beside the library's own requirements."""

from __future__ import annotations

from types import ModuleType

from x2x_core.common.errors import MissingExtraError


def scipy_ndimage() -> ModuleType:
    """`scipy.ndimage`.

    Raises:
        MissingExtraError: SciPy is not installed; the message names the extra.
    """
    try:
        from scipy import ndimage
    except ImportError as error:
        raise MissingExtraError(
            "Simulating radiographs needs SciPy: install the extra with `pip install 'instructx2x[simulate]'`."
        ) from error
    return ndimage
