"""Contrast of pictures in a narrow range of greys, which a model would edit with the contrast of ordinary radiographs.

Such a picture is stretched to [0, 1] for the model, and its edit is brought back: what the model changes, times the
picture's own range of greys. So a finding that is as bright as bone for the model is as bright as bone in the picture,
and no value leaves the picture's range. Pictures with an ordinary range are not changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

NARROW = 0.4  # range of greys below which a picture is stretched; ordinary radiographs span 0.5 to 1
_LOW, _HIGH = 0.005, 0.995  # quantiles that bound the range, so that labels and dead pixels do not count
_FLAT = 1 / 255  # range below which there is nothing to stretch


@dataclass(frozen=True)
class Contrast:
    """The range of greys of each of N pictures."""

    low: torch.Tensor  # (N, 1, 1, 1) float32, shown to the model as 0
    span: torch.Tensor  # (N, 1, 1, 1) float32, width of the range; 1 for pictures that are not stretched

    @classmethod
    def of(cls, pixels: torch.Tensor) -> Contrast:
        """Measure the range of greys of pictures `(N, C, H, W)` in [0, 1]."""
        values = pixels.detach().float().flatten(1)
        ranks = [round(share * (values.shape[1] - 1)) for share in (_LOW, _HIGH)]
        ordered = np.partition(values.cpu().numpy(), ranks, axis=1)[:, ranks]  # faster than PyTorch's `kthvalue`
        low, high = torch.from_numpy(ordered).to(values.device).unbind(dim=1)
        span = high - low
        stretched = (span < NARROW) & (span > _FLAT)
        low = torch.where(stretched, low, 0.0)
        span = torch.where(stretched, span, 1.0)
        return cls(low[:, None, None, None], span[:, None, None, None])

    def __getitem__(self, index: list[int]) -> Contrast:
        """Return the ranges of the pictures with these numbers."""
        return Contrast(self.low[index], self.span[index])

    @property
    def is_stretched(self) -> torch.Tensor:
        """`(N, 1, 1, 1)` bool, True for pictures that are stretched."""
        return self.span < 1

    def to_model(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the pictures `(N, C, H, W)` as the model is to see them, in [0, 1]; the same bits if not stretched."""
        if not self.is_stretched.any():
            return pixels
        stretched = ((pixels - self.low) / self.span).clamp(0, 1)
        return torch.where(self.is_stretched, stretched, pixels)

    def from_model(self, edited: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Bring edits back to the pictures' own range.

        Args:
            edited: edits `(N, C, H, W)` of `to_model(pixels)`, in [0, 1].
            pixels: the pictures.

        Returns:
            `(N, C, H, W)`: the bits of `pixels` where an edit equals `to_model(pixels)`, elsewhere values within the
            picture's own range. For pictures that are not stretched, `edited`.
        """
        if not self.is_stretched.any():
            return edited
        changed = pixels + (edited - self.to_model(pixels)) * self.span
        lowest, highest = torch.minimum(pixels, self.low), torch.maximum(pixels, self.low + self.span)
        within = torch.minimum(torch.maximum(changed, lowest), highest)
        return torch.where(self.is_stretched, within, edited)
