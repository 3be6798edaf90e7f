"""Depth of values in 16-bit containers: cameras and detectors often write 10, 12 or 14 bits without scaling them."""

from __future__ import annotations

import logging

import numpy as np

logger = logging.getLogger(__name__)

FULL, DEEPEST, SHALLOWEST = 2**16 - 1, 16, 8
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")  # of Pillow
_DARK_BITS, _DARK_SHARE = 12, 99.9  # of a picture that looks dark: at least this percentage of values has so few bits


def white_level(greatest: int) -> int:
    """Return the value that means white in a 16-bit picture whose greatest value is `greatest`.

    The picture's depth is the number of bits that its greatest value needs, at least 8: white is 4095 for a picture of
    12 bits in 16.
    """
    bits = max(SHALLOWEST, int(greatest).bit_length())
    return 2**bits - 1 if greatest > 0 and bits < DEEPEST else FULL


def depth_note(white: int) -> str | None:
    """Return a sentence about a picture that does not use all of its 16 bits, `None` if it does."""
    if white == FULL:
        return None
    return f"Its values use {white.bit_length()} of 16 bits: {white} is shown as white."


def warn_if_dark(values: np.ndarray, name: str) -> None:
    """Warn of a 16-bit picture that looks dark because of a few much brighter pixels, such as a label's.

    Args:
        values: of all 16 bits.
        name: the picture's, to begin the sentence with.
    """
    if values.size and values.max() > FULL // 2 and np.percentile(values, _DARK_SHARE) < 2**_DARK_BITS:
        logger.warning(
            "%s holds values of at most %d of its 16 bits, except for a few brighter pixels: it looks dark. Clip these "
            "pixels, and scale it to 16 bits.",
            name,
            _DARK_BITS,
        )
