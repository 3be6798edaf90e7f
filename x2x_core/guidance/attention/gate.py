"""Gating: the text branch of a guidance batch follows the instruction only inside the guidance mask.

At position x of a layer, with m(x) = 1 where the guidance mask allows a change,

    out(x) = m(x) A(q(x), K_text, V_text) + (1 - m(x)) A(q(x), K_null, V_null),

A being attention and "null" the text of the image branch (the negative prompt, or the empty text). The choice is
between outputs, not scores: each position attends to one whole text, and each softmax stays as it was in training.
With m = 1 everywhere this is the stock layer; with m = 0 everywhere the text branch equals the image branch, and text
guidance vanishes. m is taken to the layer's grid by its maximum over each position, so whatever touches the mask
follows the instruction. Self-attention and convolutions still carry information across the mask's edge: gating keeps
the instruction out of the background, and blending the latents preserves it. (*Paint-with-words* restricts text to a
region by raising scores instead: Balaji et al., *eDiff-I*, 2022.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError

from .grids import grid_at


@dataclass(frozen=True)
class AttentionGate:
    """The region in which the text branch follows the instruction.

    Args:
        mask: `(B, 1, h, w)` bool on the latents, of the B images of a guidance batch.
        null_states: `(B, T, width)`, the text states that the other positions follow; ``None``: those of the image
            branch of a batch [text, image, unconditional]. A batch of the text branch alone needs them.

    Raises:
        InputError: `mask` has another shape or type.
    """

    mask: torch.Tensor
    null_states: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.mask.ndim != 4 or self.mask.shape[1] != 1 or 0 in self.mask.shape or self.mask.dtype is not torch.bool:
            raise InputError(f"`mask` must be (B, 1, h, w) bool, got {tuple(self.mask.shape)} {self.mask.dtype}.")

    def inside(self, level: int) -> torch.Tensor:
        """Return the positions of a layer's grid that touch the mask, `(B, positions, 1)` bool."""
        height, width = self.mask.shape[-2:]
        pooled = F.adaptive_max_pool2d(self.mask.float().cpu(), grid_at(level, (height, width)))  # MPS: divisible sizes
        return (pooled > 0).flatten(2).transpose(1, 2).to(self.mask.device)
