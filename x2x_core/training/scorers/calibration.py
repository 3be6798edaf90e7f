"""Decision thresholds of the finding scorer."""

from __future__ import annotations

import torch


def youden_threshold(logits: torch.Tensor, present: torch.Tensor) -> float:
    """Return the logit threshold with the highest sensitivity plus specificity (Youden, 1950).

    Args:
        logits: `(n,)` float.
        present: `(n,)` bool.

    Returns:
        The threshold; 0 if all images have the finding, or none.
    """
    if present.all() or not present.any():
        return 0.0
    ordered, order = logits.sort()
    hits = present[order].double()
    sensitivity = 1 - (hits.cumsum(0) - hits) / hits.sum()
    specificity = ((1 - hits).cumsum(0) - (1 - hits)) / (1 - hits).sum()
    best = int((sensitivity + specificity).argmax())  # of the rule "at least the best-th logit"
    return float((ordered[best] + ordered[max(0, best - 1)]) / 2)
