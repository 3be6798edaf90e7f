"""Segmentation loss of the extent finder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from x2x_core.pseudomasks.extent_network import ExtentNetwork

_PRESENT = 3.0  # weight of what takes part in a finding


class ExtentLoss(nn.Module):
    """Cross-entropy with soft targets, and soft Dice (Milletari et al., 3DV 2016) of the finding that a view shows."""

    def __init__(self, network: ExtentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, view: torch.Tensor, part: torch.Tensor, known: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return `loss` and its terms.

        Args:
            view: `(B, 1, h, w)` in [0, 1].
            part: `(B, F, h, w)` in [0, 1], how much each pixel takes part in each finding.
            known: `(B, F)`, 1 where that is known.
        """
        logits = self.network(view)
        weight = known[..., None, None] * (1 + (_PRESENT - 1) * part)
        entropy = (F.binary_cross_entropy_with_logits(logits, part, reduction="none") * weight).mean((0, 2, 3)).sum()
        present = (part.amax((-2, -1)) > 0).float()
        probability = logits.sigmoid()
        shared = (probability * part).sum((-2, -1))
        total = (probability.square() + part.square()).sum((-2, -1))
        dice = ((2 * shared + 1) / (total + 1) * present).sum() / present.sum().clamp_min(1)
        return {"loss": entropy + 1 - dice, "entropy": entropy, "dice": dice}
