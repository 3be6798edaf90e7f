"""The place hint: where a finding is to lie, told to a model through its noise.

A model that is trained to regress a picture from pure noise cannot know where, in the region that the instruction
leaves open, its pair shows the finding: it predicts the mean of all places, a thin veil. The place hint tells it. The
noise is shifted, in training where the pair differs, in an edit where the finding is to lie. Channels, weights and
schedule of the model stay those of InstructPix2Pix, and noise without the shift leaves the place open, as for a
removal.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

_LEAST = 1e-3  # greatest extent under which there is none


def graded_cells(extents: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """Return how much each latent cell takes part in a finding, relative to the cell that does most.

    Args:
        extents: `(B, 1, H, W)` in [-1, 1], of canvases; see `x2x_core.pseudomasks.extents`.
        cells: `(h, w)` of the latents.

    Returns:
        `(B, 1, h, w)` in [0, 1]; all 0 without an extent.
    """
    shares = F.adaptive_avg_pool2d(extents.abs(), cells)
    return shares / shares.flatten(1).amax(dim=1)[:, None, None, None].clamp_min(_LEAST)


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
