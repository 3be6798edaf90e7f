"""Pictures as models outside of this process get them: grey PNG files that do not say what they are.

A result of this project carries in its metadata that it is synthetic and how it was made. A model that is audited must
not read the answer there, so these pictures have no metadata; they are not kept.
"""

from __future__ import annotations

import torch

from x2x_core.imaging.files import encode_png, to_values


def plain_png(image: torch.Tensor) -> bytes:
    """Return an image `(1, H, W)` in [0, 1] as 8-bit PNG without metadata."""
    return encode_png(to_values(image, 8))
