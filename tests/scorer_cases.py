"""Networks and images that several tests of scorers share."""

import json
from pathlib import Path

import torch
from torch import nn

NETWORKS = Path(__file__).parent / "fixtures" / "networks"


class Grey(nn.Module):
    """Mean and highest grey of each image."""

    def forward(self, images):
        return torch.stack([images.mean((1, 2, 3)), images.amax((1, 2, 3))], 1)


def images(n=3, size=20):
    """Random images `(n, 1, size, size)` in [0, 1]."""
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(0))


def describe(path, **fields):
    """Write a scorer's description beside a network's file; return the file's name."""
    path.with_suffix(".json").write_text(json.dumps({"labels": ["a", "b"], "kind": "probability", **fields}))
    return str(path)
