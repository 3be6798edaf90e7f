"""Choosing windows: the part of its canvas that an edit with `mask_context` encodes, denoises and decodes."""

from __future__ import annotations

import torch

from .backbones.protocol import DenoisesWindows, EditBackbone
from .windows import Windows, windows_around


def find_windows(backbone: EditBackbone, context: int | None, cells: torch.Tensor) -> Windows | None:
    """Return the windows around masks, in latent cells; ``None``: the whole canvas.

    Args:
        backbone: the model.
        context: around the mask, pixels of the canvas; ``None``: no windows.
        cells: `(B, 1, h, w)` bool, the masks on the latents.
    """
    if context is None or not isinstance(backbone, DenoisesWindows):
        return None
    return windows_around(cells, -(-context // backbone.geometry.cell), backbone.window_step)
