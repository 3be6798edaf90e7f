"""Which sample and which random numbers belong to which step: functions of the seed and the step alone.

So a run that was stopped goes on exactly as if it had not been, and it does not matter how many processes load data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import ORDER, SAMPLE, seeded_generator


class DrawnSamples(Dataset):
    """Samples by their number in the run: `make(index, generator)` for the index that the draw falls on.

    Every epoch is a new permutation of the data.
    """

    def __init__(self, length: int, make: Callable[[int, torch.Generator], dict[str, Any]], seed: int) -> None:
        if length < 1:
            raise InputError("`length` must be at least 1: there is no data.")
        self.length, self.make, self.seed = length, make, seed
        self._epoch, self._permutation = -1, []  # the one last asked for

    def _order(self, epoch: int) -> list[int]:
        if epoch != self._epoch:
            generator = seeded_generator(self.seed, ORDER, epoch)
            self._epoch, self._permutation = epoch, torch.randperm(self.length, generator=generator).tolist()
        return self._permutation

    def __getitem__(self, draw: int) -> dict[str, Any]:
        epoch, position = divmod(draw, self.length)
        return self.make(self._order(epoch)[position], seeded_generator(self.seed, SAMPLE, draw))


class RankDraws(Sampler):
    """The draws of one process: batches are dealt to the processes in turn."""

    def __init__(self, start: int, stop: int, batch_size: int, rank: int = 0, world: int = 1) -> None:
        self.start, self.stop, self.batch_size, self.rank, self.world = start, stop, batch_size, rank, world

    def __len__(self) -> int:
        return max(0, self.stop - self.start) * self.batch_size

    def __iter__(self) -> Iterator[int]:
        for batch in range(self.start, self.stop):
            first = (batch * self.world + self.rank) * self.batch_size
            yield from range(first, first + self.batch_size)


def make_loader(
    samples: DrawnSamples, start: int, stop: int, batch_size: int, workers: int = 0, rank: int = 0, world: int = 1
) -> DataLoader:
    """The batches `start` to `stop` (exclusive) of a run, for one of `world` processes."""
    draws = RankDraws(start, stop, batch_size, rank, world)
    return DataLoader(samples, batch_size=batch_size, sampler=draws, num_workers=workers)
