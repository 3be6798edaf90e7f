"""Batches of a run, each a function of the seed and its number alone.

A run that was interrupted therefore continues exactly as if it had not been, whatever the number of data loading
processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import ORDER, SAMPLE, seeded_generator


class SeededSamples(Dataset):
    """Samples by their number in the run; every epoch is a new permutation of the data.

    Args:
        length: number of samples of the data.
        make: makes a sample from its index in the data and a generator.
        seed: seed of the run.

    Raises:
        InputError: there is no data.
    """

    def __init__(self, length: int, make: Callable[[int, torch.Generator], dict[str, Any]], seed: int) -> None:
        if length < 1:
            raise InputError("`length` must be at least 1: there is no data.")
        self.length, self.make, self.seed = length, make, seed
        self._epoch = -1  # the epoch of `_permutation`
        self._permutation: list[int] = []

    def _order(self, epoch: int) -> list[int]:
        if epoch != self._epoch:
            generator = seeded_generator(self.seed, ORDER, epoch)
            self._epoch, self._permutation = epoch, torch.randperm(self.length, generator=generator).tolist()
        return self._permutation

    def __getitem__(self, number: int) -> dict[str, Any]:
        epoch, position = divmod(number, self.length)
        return self.make(self._order(epoch)[position], seeded_generator(self.seed, SAMPLE, number))


@dataclass(frozen=True)
class ProcessShare:
    """One process among those that train together."""

    rank: int = 0  # number of this process
    world: int = 1  # number of processes

    def number(self, turn: int) -> int:
        """Return the number of this process's batch in a turn; the batches of a run go to the processes in turn."""
        return turn * self.world + self.rank


#: Training on one process alone.
SINGLE_PROCESS = ProcessShare()


class ProcessSampler(Sampler):
    """Sample numbers of one process.

    Args:
        turns: the process's batches, counted from the start of the run.
        batch_size: samples in a batch.
        share: this process among all.
    """

    def __init__(self, turns: range, batch_size: int, share: ProcessShare = SINGLE_PROCESS) -> None:
        self.turns, self.batch_size, self.share = turns, batch_size, share

    def __len__(self) -> int:
        return len(self.turns) * self.batch_size

    def __iter__(self) -> Iterator[int]:
        for turn in self.turns:
            first = self.share.number(turn) * self.batch_size
            yield from range(first, first + self.batch_size)


def make_loader(samples: SeededSamples, sampler: ProcessSampler, workers: int = 0) -> DataLoader:
    """Return the loader of one process's batches."""
    return DataLoader(samples, batch_size=sampler.batch_size, sampler=sampler, num_workers=workers)
