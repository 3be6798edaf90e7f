"""Classifiers whose explanation is known: a weighted sum of pixels, and a small convolution."""

import torch
from torch import nn

from x2x_core.scorers.adapters import ModuleScorer

SIDE = 48


class WeightedSum(nn.Module):
    """Logit of a weighted sum of the pixels, less a threshold."""

    def __init__(self, weights, threshold=0.0):
        super().__init__()
        self.weights, self.threshold = nn.Parameter(weights, requires_grad=False), threshold

    def forward(self, images):
        return (images[:, 0] * self.weights).sum((1, 2))[:, None] - self.threshold


class Convolution(nn.Module):
    """Two convolutions and a mean."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.give = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 1)

    def forward(self, images):
        return self.give(torch.relu(self.last(torch.relu(self.first(images)))).mean((2, 3)))


def scorer_of(module):
    return ModuleScorer(module, ["edema"], "probability", activation="sigmoid")


def weights_in(region, strength=0.1):
    weights = torch.zeros(SIDE, SIDE)
    weights[region] = strength
    return weights
