"""Segmentation loss of the lung finder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from x2x_core.anatomy.lung_network import LungNetwork

_OUTPUT_WEIGHTS = (1.0, 1.0, 0.5, 0.5)  # of the outputs; the fields are used most


class LungLoss(nn.Module):
    """Cross-entropy and soft Dice (Milletari et al., 3DV 2016), weighted over the outputs."""

    def __init__(self, network: LungNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, view: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return `loss` and its terms for `view` `(B, 1, h, w)` and `masks` `(B, 4, h, w)`, both in [0, 1].

        `known` `(B, 4)` is 1 where a view has a truth of an output and 0 where it has none.
        """
        logits = self.network(view)
        weights = logits.new_tensor(_OUTPUT_WEIGHTS) / sum(_OUTPUT_WEIGHTS)
        every = F.binary_cross_entropy_with_logits(logits, masks, reduction="none").mean((2, 3))
        entropy = ((every * known).sum(0) / known.sum(0).clamp_min(1) * weights).sum()
        shown = known[..., None, None]
        dice = (soft_dice(logits.sigmoid() * shown, masks * shown) * weights).sum()
        return {"loss": entropy + 1 - dice, "entropy": entropy, "dice": dice}


def soft_dice(probability: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Return the Dice coefficients `(C,)` of `(B, C, h, w)` in [0, 1], over batch and pixels."""
    intersection = (probability * masks).sum((0, 2, 3))
    return (2 * intersection + 1) / (probability.sum((0, 2, 3)) + masks.sum((0, 2, 3)) + 1)
