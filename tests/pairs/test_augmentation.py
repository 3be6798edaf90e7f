"""Augmentation keeps images and instructions in step and draws only from its generator."""

import pytest
import torch

from x2x_core.pairs.augmentation import AugmentConfig, augment, reverse

STILL = AugmentConfig(flip=0, rotation=0)
WORDS = "Add the finding of moderate left pleural effusion."


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def pair():
    return torch.rand(2, 32, 32, generator=generator(9))


def test_all_augmentations_off_change_nothing(pair):
    images, words = augment(pair, WORDS, STILL, generator())
    assert torch.equal(images, pair) and words == WORDS


def test_a_flip_swaps_the_sides_in_the_instruction(pair):
    images, words = augment(pair, WORDS, AugmentConfig(flip=1, rotation=0), generator())
    assert torch.equal(images, pair.flip(-1)) and words == "Add the finding of moderate right pleural effusion."


def test_both_images_are_augmented_alike(pair):
    same = pair[:1].expand(2, -1, -1)
    config = AugmentConfig(1, 5, 0.1, 0.1, 1, 1, 0.05)
    for seed in range(5):
        images, _ = augment(same, WORDS, config, generator(seed))
        assert torch.equal(images[0], images[1])
        assert images.min() >= 0 and images.max() <= 1 and not torch.equal(images, same)


def test_a_tone_curve_is_monotonic_keeps_both_ends_and_brightens_bright_pixels():
    ramp = torch.linspace(0, 1, 32).expand(2, 32, 32)
    for seed in range(20):
        images, words = augment(ramp, WORDS, AugmentConfig(flip=0, rotation=0, curve=1), generator(seed))
        assert words == WORDS and torch.equal(images[0], images[1])
        assert images.min() < 1e-6 and images.max() > 1 - 1e-6 and (images.diff(dim=-1) > 0).all()
        assert (images - ramp)[..., 20:31].min() > 0  # bright tissue goes towards white
        assert images[..., 31:].sub(images[..., 27:28]).max() < ramp[..., 31:].sub(ramp[..., 27:28]).max()


def test_a_tone_curve_is_applied_with_its_probability(pair):
    config = AugmentConfig(flip=0, rotation=0, curve=0.5)
    bent = [not torch.equal(augment(pair, WORDS, config, generator(seed))[0], pair) for seed in range(100)]
    assert 30 < sum(bent) < 70


@pytest.mark.parametrize("name", ["flip", "reverse", "curve", "close_up"])
def test_a_probability_must_lie_between_0_and_1(name):
    with pytest.raises(ValueError, match=rf"`{name}` must lie in \[0, 1\], got 1.5"):
        AugmentConfig(**{name: 1.5})


def test_rotation_pads_with_the_border():
    flat = torch.full((2, 24, 24), 0.7)
    images, _ = augment(flat, WORDS, AugmentConfig(flip=0, rotation=30), generator())
    assert torch.allclose(images, flat, atol=1e-5)


def test_equal_generators_give_equal_results(pair):
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
