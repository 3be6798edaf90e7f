"""The place hint: where a finding is to lie, told to a model through its noise.

A model that is trained to regress a picture from pure noise cannot know where, in the region that the instruction
leaves open, its pair shows the finding: it predicts the mean of all places, a thin veil. The place hint tells it. The
noise is shifted, in training where the pair differs, in an edit where the finding is to lie. Channels, weights and
schedule of the model stay those of InstructPix2Pix, and noise without the shift leaves the place open, as for a
removal.
"""

from __future__ import annotations

import torch


def add_place_hint(noise: torch.Tensor, cells: torch.Tensor, strength: float) -> torch.Tensor:
    """Shift noise within a region.

    Args:
        noise: `(B, C, h, w)`, standard normal.
        cells: `(B, 1, h, w)`, bool or in [0, 1]: the region in latent cells.
        strength: the shift, in standard deviations of the noise; 0 gives no hint.

    Returns:
        `(B, C, h, w)`.
    """
    return noise + strength * cells.to(noise) if strength else noise
