"""Losses on the split "val", which training does not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import default_collate

from x2x_core.common.seeds import VALIDATION, seeded_generator

from .data_loader import SINGLE_PROCESS, ProcessShare


@torch.no_grad()
def validation_losses(
    make: Callable[[int], dict[str, Any]],
    count: int,
    batch_size: int,
    loss: Callable[[dict[str, Any], torch.Generator], dict[str, torch.Tensor]],
    seed: int,
    share: ProcessShare = SINGLE_PROCESS,
) -> torch.Tensor:
    """Compute one process's share of the validation losses.

    Noise and timesteps of a batch depend only on the seed and the batch's number, so losses can be compared between
    steps and between numbers of processes. All processes make the same number of calls, as sharded weights require;
    surplus calls do not count.

    Args:
        make: returns a sample by its index, without augmentation.
        count: number of samples.
        batch_size: samples per call.
        loss: returns `error` and `change` of a batch, given the generator of its random numbers.
        seed: seed of the run.
        share: this process among all.

    Returns:
        `(3,)` float64: sums of `error` and `change` over this process's samples, and their number.
    """
    starts = range(0, count, batch_size)
    sums = torch.zeros(3, dtype=torch.float64)
    for turn in range(-(-len(starts) // share.world)):
        number = share.number(turn)
        counts = number < len(starts)
        first = starts[number if counts else 0]
        samples = [make(index) for index in range(first, min(first + batch_size, count))]
        losses = loss(default_collate(samples), seeded_generator(seed, VALIDATION, number))
        if counts:
            values = [float(losses["error"]), float(losses["change"]), 1.0]
            sums += len(samples) * torch.tensor(values, dtype=torch.float64)
    return sums
