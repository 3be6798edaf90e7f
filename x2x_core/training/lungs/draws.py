"""Random numbers of the lung finder's augmentation, and the sigmoid that several of its steps use.

Arrays are NumPy: images `(h, w)` float32 in [0, 1], masks `(h, w, M)` uint8 in 0..255 or float32 in [0, 1].
"""

from __future__ import annotations

import numpy as np

Draws = np.random.Generator


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return the logistic function of an array."""
    return 0.5 + 0.5 * np.tanh(0.5 * values)
