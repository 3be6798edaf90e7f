"""Augmentation keeps words and pictures together, and draws from its generator alone."""

import pytest
import torch

from x2x_core.common.seeds import seeded_generator
from x2x_core.pairs.augmentation import AugmentConfig, augment, reverse
from x2x_core.training.draws import DrawnSamples, RankDraws, make_loader

STILL = AugmentConfig(flip=0, rotation=0)
WORDS = "Add the finding of moderate left pleural effusion."


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def pair():
    return torch.rand(2, 32, 32, generator=generator(9))


def test_nothing_asked_nothing_changed(pair):
    images, words = augment(pair, WORDS, STILL, generator())
    assert torch.equal(images, pair) and words == WORDS


def test_a_flip_swaps_the_sides_in_the_words(pair):
    images, words = augment(pair, WORDS, AugmentConfig(flip=1, rotation=0), generator())
    assert torch.equal(images, pair.flip(-1)) and words == "Add the finding of moderate right pleural effusion."


def test_both_images_vary_alike(pair):
    same = pair[:1].expand(2, -1, -1)
    config = AugmentConfig(1, 5, 0.1, 0.1, 1, 1, 0.05)
    for seed in range(5):
        images, _ = augment(same, WORDS, config, generator(seed))
        assert torch.equal(images[0], images[1])
        assert images.min() >= 0 and images.max() <= 1 and not torch.equal(images, same)


def test_a_tone_curve_keeps_the_order_and_the_ends_and_whitens_what_is_bright():
    ramp = torch.linspace(0, 1, 32).expand(2, 32, 32)
    for seed in range(20):
        images, words = augment(ramp, WORDS, AugmentConfig(flip=0, rotation=0, curve=1), generator(seed))
        assert words == WORDS and torch.equal(images[0], images[1])
        assert images.min() < 1e-6 and images.max() > 1 - 1e-6 and (images.diff(dim=-1) > 0).all()
        assert (images - ramp)[..., 20:31].min() > 0  # bright tissue goes towards white
        assert images[..., 31:].sub(images[..., 27:28]).max() < ramp[..., 31:].sub(ramp[..., 27:28]).max()


def test_a_tone_curve_is_drawn_by_chance(pair):
    config = AugmentConfig(flip=0, rotation=0, curve=0.5)
    bent = [not torch.equal(augment(pair, WORDS, config, generator(seed))[0], pair) for seed in range(100)]
    assert 30 < sum(bent) < 70


@pytest.mark.parametrize("name", ["flip", "reverse", "curve"])
def test_a_chance_is_a_share(name):
    with pytest.raises(ValueError, match=rf"`{name}` must lie in \[0, 1\], got 1.5"):
        AugmentConfig(**{name: 1.5})


def test_rotation_fills_with_the_border():
    flat = torch.full((2, 24, 24), 0.7)
    images, _ = augment(flat, WORDS, AugmentConfig(flip=0, rotation=30), generator())
    assert torch.allclose(images, flat, atol=1e-5)


def test_the_same_generator_gives_the_same(pair):
    config = AugmentConfig(0.5, 5, 0.1, 0.1, 1, 1, 0.05)
    first, again, other = (augment(pair, WORDS, config, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and first[1] == again[1]
    assert not torch.equal(first[0], other[0])


def test_a_reversed_pair_has_the_opposite_instruction(pair):
    images, words = reverse(pair, "Add edema. Change the level of left effusion from small to large.", 1, generator())
    assert torch.equal(images, pair.flip(0))
    assert words == "Change the level of left pleural effusion from large to small. Remove the finding of edema."
    kept = reverse(pair, "make it better", 1, generator())
    assert torch.equal(kept[0], pair) and kept[1] == "make it better"


def test_every_epoch_sees_every_sample_once_in_another_order():
    samples = DrawnSamples(7, lambda index, generator: {"index": index}, seed=3)
    epochs = [[samples[draw]["index"] for draw in range(start, start + 7)] for start in (0, 7, 14)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_processes_share_the_draws_between_them():
    alone = list(RankDraws(0, 4, 6))
    shared = [list(RankDraws(0, 4, 3, rank, 2)) for rank in range(2)]
    assert sorted(shared[0] + shared[1]) == alone
    for step in range(4):
        batch = shared[0][step * 3 : step * 3 + 3] + shared[1][step * 3 : step * 3 + 3]
        assert batch == alone[step * 6 : step * 6 + 6]


def _noise(index, generator):
    return {"index": index, "noise": torch.rand(2, generator=generator)}


def test_loading_processes_and_resuming_do_not_change_the_batches():
    samples = DrawnSamples(5, _noise, seed=1)
    plain = [batch["noise"] for batch in make_loader(samples, 0, 4, 2)]
    for loader in (make_loader(samples, 0, 4, 2, workers=1),):
        assert all(torch.equal(a, b["noise"]) for a, b in zip(plain, loader))
    resumed = [batch["noise"] for batch in make_loader(samples, 2, 4, 2)]
    assert torch.equal(torch.stack(resumed), torch.stack(plain[2:]))


def test_streams_do_not_meet():
    first, second = (torch.rand(4, generator=seeded_generator(0, stream, 0)) for stream in (0, 1))
    assert not torch.equal(first, second)


def test_no_data_is_an_error():
    with pytest.raises(ValueError, match="there is no data"):
        DrawnSamples(0, _noise, 0)
