"""The guidance scales of a call, and as they are while it runs: callbacks may change them on the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Scales:
    """The guidance scales of a call."""

    text: list[float]  # B: s_T of each output
    image: float  # s_I

    @property
    def largest(self) -> float:
        """The largest s_T, by amount: the pipeline's `guidance_scale`."""
        return max(self.text, key=abs)

    @property
    def shares(self) -> torch.Tensor | None:
        """Each s_T as a share of the largest, `(B, 1, 1, 1)`; ``None`` if all are the same."""
        if len(set(self.text)) == 1:
            return None
        return torch.tensor(self.text).view(-1, 1, 1, 1) / self.largest

    @property
    def guide(self) -> bool:
        """True if classifier-free guidance makes a difference: a scale differs from 1."""
        return len(set(self.text)) > 1 or not (self.largest == 1 and self.image == 1)


def set_scales(pipe: Any, scales: Scales) -> None:
    """Give a pipeline the scales of a call, as its own call would, for callbacks to read and to change."""
    pipe._guidance_scale, pipe._image_guidance_scale = scales.largest, scales.image


def text_scale_of(pipe: Any, scales: Scales) -> float | torch.Tensor:
    """Return s_T of each output as it is now: one number, or `(B, 1, 1, 1)`."""
    return pipe._guidance_scale if scales.shares is None else pipe._guidance_scale * scales.shares


def image_scale_of(pipe: Any, scales: Scales) -> float:
    """Return s_I as it is now."""
    return pipe._image_guidance_scale
