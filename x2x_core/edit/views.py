"""Pictures on their canvases, with what a model makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class EncodedViews:
    """V encoded views: pictures on their canvases, as the model sees them."""

    pixels: torch.Tensor  # (V, C, H, W) in [0, 1]
    latents: torch.Tensor  # (V, ...), image latents
    decoded: torch.Tensor | None = None  # (V, C, H, W), what these decode to, if it is known

    def of(self, pictures: Sequence[int], device: torch.device) -> EncodedViews:
        """Return the views of some pictures, the latents on a device."""
        index = list(pictures)
        decoded = None if self.decoded is None else self.decoded[index].to(device)
        return EncodedViews(self.pixels[index], self.latents[index].to(device), decoded)
