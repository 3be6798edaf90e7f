"""Losses of the finding network and the attribute network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from x2x_core.scorers.network import AttributeNetwork, FindingNetwork

_CELL_WEIGHT = 2.0  # weight of the loss in cells
_PRESENT_WEIGHT = torch.tensor(3.0)  # weight of cells with a finding


class ScorersLoss(nn.Module):
    """Cross-entropy of the findings, per view and per cell, and smooth L1 error of the standardised attributes."""

    def __init__(self, findings: FindingNetwork, attributes: AttributeNetwork) -> None:
        super().__init__()
        self.findings, self.attributes = findings, attributes

    def forward(self, finding_views, present, places, known, attribute_view, values) -> dict[str, torch.Tensor]:
        """Return `loss` and its terms; the arguments are the batched samples of `ScorersTask.make`."""
        logits, maps = self.findings.forward_with_maps(finding_views.flatten(0, 1)[:, None])
        entropy = F.binary_cross_entropy_with_logits(logits, present.flatten(0, 1))
        cells = F.binary_cross_entropy_with_logits(
            maps, places.flatten(0, 1), reduction="none", pos_weight=_PRESENT_WEIGHT
        )
        counted = known.flatten(0, 1)[..., None, None]
        cell_entropy = (cells * counted).sum() / (counted.sum() * cells[0, 0].numel()).clamp_min(1)
        error = F.smooth_l1_loss(self.attributes(attribute_view), values)
        terms = {"entropy": entropy, "cell_entropy": cell_entropy, "error": error}
        return {"loss": entropy + _CELL_WEIGHT * cell_entropy + error, **terms}
