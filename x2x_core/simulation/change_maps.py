"""Change maps as 16-bit images: exact at zero and at both ends."""

from __future__ import annotations

import numpy as np
import torch

#: Pixel value of no change, and the distance from it to a change of +1.
CHANGE_ZERO, CHANGE_SCALE = 32768, 32767


def encode_change(change: torch.Tensor) -> np.ndarray:
    """Encode a change map in [-1, 1] as uint16: 32768 is no change, 65535 is +1, 1 is -1."""
    values = (change.double().clamp(-1, 1) * CHANGE_SCALE).round() + CHANGE_ZERO
    return values.numpy().astype(np.uint16)


def decode_change(values: np.ndarray) -> torch.Tensor:
    """Invert `encode_change`: float32 in [-1, 1], exactly 0 where nothing changed."""
    return torch.from_numpy((values.astype(np.float32) - CHANGE_ZERO) / CHANGE_SCALE)
