"""Draws of training samples: every epoch covers all samples, in any number of processes, and resumes exactly."""

import pytest
import torch

from x2x_core.common.seeds import seeded_generator
from x2x_core.training.data_loader import ProcessSampler, ProcessShare, SeededSamples, make_loader


def test_every_epoch_covers_every_sample_once_in_a_new_order():
    samples = SeededSamples(7, lambda index, generator: {"index": index}, seed=3)
    epochs = [[samples[draw]["index"] for draw in range(start, start + 7)] for start in (0, 7, 14)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_processes_split_the_draws():
    alone = list(ProcessSampler(range(4), 6))
    shared = [list(ProcessSampler(range(4), 3, ProcessShare(rank, 2))) for rank in range(2)]
    assert sorted(shared[0] + shared[1]) == alone
    for step in range(4):
        batch = shared[0][step * 3 : step * 3 + 3] + shared[1][step * 3 : step * 3 + 3]
        assert batch == alone[step * 6 : step * 6 + 6]


def _noise(index, generator):
    return {"index": index, "noise": torch.rand(2, generator=generator)}


def test_loading_processes_and_resuming_do_not_change_the_batches():
    samples = SeededSamples(5, _noise, seed=1)
    plain = [batch["noise"] for batch in make_loader(samples, ProcessSampler(range(4), 2))]
    for loader in (make_loader(samples, ProcessSampler(range(4), 2), workers=1),):
        assert all(torch.equal(a, b["noise"]) for a, b in zip(plain, loader))
    resumed = [batch["noise"] for batch in make_loader(samples, ProcessSampler(range(2, 4), 2))]
    assert torch.equal(torch.stack(resumed), torch.stack(plain[2:]))


def test_streams_are_independent():
    first, second = (torch.rand(4, generator=seeded_generator(0, stream, 0)) for stream in (0, 1))
    assert not torch.equal(first, second)


def test_an_empty_dataset_is_an_error():
    with pytest.raises(ValueError, match="there is no data"):
        SeededSamples(0, _noise, 0)
