"""The loss on pairs that training does not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import default_collate

from x2x_core.common.seeds import VALIDATION, seeded_generator


@torch.no_grad()
def validation_losses(
    make: Callable[[int], dict[str, Any]],
    count: int,
    batch_size: int,
    loss: Callable[[dict[str, Any], torch.Generator], dict[str, torch.Tensor]],
    seed: int,
    rank: int = 0,
    world: int = 1,
) -> torch.Tensor:
    """One process's share of the validation losses.

    Noise and timesteps of a batch depend on its number and the seed alone, so that losses of different steps, and of
    different numbers of processes, can be compared. Every process makes the same number of calls, as sharded weights
    demand; those that nothing is left for count nothing.

    Args:
        make: the sample of a number, not augmented.
        count: of samples.
        batch_size: of each call.
        loss: `error` and `change` of a batch, its draws made with the generator.
        seed: of the run.
        rank, world: this process, and how many there are.

    Returns:
        `(3,)` float64: the sums over this process's samples of `error` and `change`, and their number.
    """
    starts = range(0, count, batch_size)
    sums = torch.zeros(3, dtype=torch.float64)
    for turn in range(-(-len(starts) // world)):
        number = turn * world + rank
        counts = number < len(starts)
        first = starts[number if counts else 0]
        samples = [make(index) for index in range(first, min(first + batch_size, count))]
        losses = loss(default_collate(samples), seeded_generator(seed, VALIDATION, number))
        if counts:
            values = [float(losses["error"]), float(losses["change"]), 1.0]
            sums += len(samples) * torch.tensor(values, dtype=torch.float64)
    return sums
