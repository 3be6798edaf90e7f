"""Means of the losses between two entries of the log."""

from __future__ import annotations

from collections.abc import Mapping

import torch


class LossMeans:
    """Running means of losses."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, losses: Mapping[str, torch.Tensor]) -> None:
        """Add the losses of one batch."""
        self._count += 1
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)

    def take(self) -> dict[str, float]:
        """Return the means since the last call, and start anew."""
        means = {name: value / max(1, self._count) for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        return means
