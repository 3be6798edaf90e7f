"""Weights of the loss where the images of a pair differ."""

from __future__ import annotations

import torch
import torch.nn.functional as F

#: Mean absolute grey difference that counts as a full change.
FULL_CHANGE = 0.12
#: Upper limit of a balanced weight.
MAX_BALANCED = 8.0


def change_weight(pair: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Measure how much the images of a pair differ at each latent.

    Args:
        pair: `(2, H, W)` in [0, 1].
        size: height and width of the latents.

    Returns:
        `(1, h, w)` in [0, 1]: 1 where the mean absolute difference is `FULL_CHANGE` or more.
    """
    difference = (pair[1] - pair[0]).abs()[None]
    return (F.adaptive_avg_pool2d(difference, size) / FULL_CHANGE).clamp(max=1)


def balance(weight: torch.Tensor, power: float) -> torch.Tensor:
    """Raise the weights of pairs with faint changes.

    A squared error shrinks with the square of the change: a pneumothorax, a fifth as bright a change as a pleural
    effusion, hardly contributes to the loss. The weights of each pair are therefore divided by a power of the pair's
    strength, `sum w^2 / sum w`.

    Args:
        weight: `(B, 1, h, w)` in [0, 1], from `change_weight`.
        power: 0 leaves the weights unchanged, 1 weights all changed places equally, more favours faint changes.

    Returns:
        `(B, 1, h, w)` in [0, `MAX_BALANCED`].
    """
    strength = weight.square().sum((1, 2, 3), keepdim=True) / weight.sum((1, 2, 3), keepdim=True).clamp_min(1e-6)
    return (weight / strength.clamp_min(1e-3) ** power).clamp(max=MAX_BALANCED)
