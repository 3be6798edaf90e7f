"""Relevance maps: range, outliers, flat maps, padding, what is predicted."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.guidance.relevance import (
    add_noise,
    balance_levels,
    noise_disagreement,
    noise_levels,
    noise_timestep,
    predicted_noise,
    relevance_from_disagreement,
    relevance_uncertainty,
    upsample,
)

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
FACTORS = st.floats(1e-3, 1e3)


def random_disagreement(shape, seed=0, outliers=True):
    draws = torch.rand(shape, generator=seeded(seed))
    return draws + 50 * (draws > 0.97) if outliers else draws


@given(shape=SHAPES, seed=st.integers(0, 99))
def test_a_map_lies_in_zero_to_one_and_touches_both(shape, seed):
    found, flat = relevance_from_disagreement(random_disagreement(shape, seed))
    assert found.shape == (shape[0], 1, *shape[2:]) and found.dtype == torch.float32
    assert found.min() >= 0 and found.max() <= 1
    for one, is_flat in zip(found, flat):
        assert (one.max() == 0) if is_flat else (one.min() == 0 and one.max() == 1)


@given(shape=SHAPES, seed=st.integers(0, 99), factor=FACTORS)
def test_the_scale_of_the_predictions_does_not_matter(shape, seed, factor):
    raw = random_disagreement(shape, seed)
    found, flat = relevance_from_disagreement(raw)
    scaled, _ = relevance_from_disagreement(raw * factor)
    if not flat.any():
        assert torch.allclose(found, scaled, atol=2e-3)


@given(seed=st.integers(0, 99), size=st.integers(2, 12))
def test_one_draw_follows_the_published_rule(seed, size):
    raw = random_disagreement((1, 1, size, size), seed)
    difference = raw[0, 0].numpy()
    first, third = np.percentile(difference, [25, 75], method="midpoint")
    fenced = np.clip(difference, 0, third + 1.5 * (third - first))
    expected = (fenced - fenced.min()) / (fenced.max() - fenced.min())
    assert np.allclose(relevance_from_disagreement(raw)[0][0, 0].numpy(), expected, atol=1e-5)


@given(seed=st.integers(0, 99))
def test_draws_are_averaged_before_they_are_stretched(seed):
    raw = random_disagreement((2, 5, 8, 8), seed)
    one, _ = relevance_from_disagreement(raw.mean(dim=1, keepdim=True))
    assert torch.allclose(relevance_from_disagreement(raw)[0], one)


def test_each_image_of_a_batch_is_stretched_by_itself():
    raw = random_disagreement((3, 2, 8, 8)) * torch.tensor([1.0, 10.0, 0.1])[:, None, None, None]
    together, _ = relevance_from_disagreement(raw)
    alone = torch.cat([relevance_from_disagreement(one[None])[0] for one in raw])
    assert torch.equal(together, alone)


def test_an_outlier_does_not_hide_the_rest():
    raw = random_disagreement((1, 1, 16, 16), outliers=False)
    raw[0, 0, 3, 3] = 1e4
    found, _ = relevance_from_disagreement(raw)
    assert found[0, 0, 3, 3] == 1 and found.median() > 0.2


@pytest.mark.parametrize("level", [0.0, 1.0, 7.5])
def test_a_flat_map_is_zero_and_said_to_be_flat(level):
    raw = torch.full((2, 3, 6, 6), level)
    raw[1, :, 2, 2] += 1
    found, flat = relevance_from_disagreement(raw)
    assert flat.tolist() == [True, True] or flat.tolist() == [True, False]
    assert torch.equal(found[0], torch.zeros(1, 6, 6)) and torch.isfinite(found).all()


def test_rounding_alone_is_flat():
    found, flat = relevance_from_disagreement(torch.rand(1, 1, 8, 8, generator=seeded()) * 1e-8)
    assert flat.all() and found.max() == 0


@settings(max_examples=30)
@given(seed=st.integers(0, 99), rows=st.integers(1, 6))
def test_padding_counts_for_nothing_in_the_statistics(seed, rows):
    raw = random_disagreement((1, 2, 8, 8), seed)
    valid = torch.zeros(8, 8, dtype=torch.bool)
    valid[:rows] = True
    whole, _ = relevance_from_disagreement(raw, valid)
    alone, _ = relevance_from_disagreement(raw[:, :, :rows])
    assert torch.allclose(whole[:, :, :rows], alone)
    assert whole.min() >= 0 and whole.max() <= 1


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_the_predicted_noise_is_found_whatever_the_model_gives(prediction_type):
    clean, noise = torch.randn(2, 2, 4, 5, 5, generator=seeded())
    alpha = 0.3
    noisy = add_noise(clean, noise, alpha)
    signal, deviation = alpha**0.5, (1 - alpha) ** 0.5
    outputs = {"epsilon": noise, "v_prediction": signal * noise - deviation * clean, "sample": clean}
    found = predicted_noise(outputs[prediction_type], noisy, alpha, prediction_type)
    assert torch.allclose(found, noise, atol=1e-5)


def test_another_prediction_type_is_refused():
    with pytest.raises(ValueError, match=r"`prediction_type` .* got 'flow'"):
        predicted_noise(torch.zeros(1), torch.zeros(1), 0.5, "flow")


def test_disagreement_sums_absolute_differences_over_channels():
    first, second = torch.randn(2, 3, 4, 5, 6, generator=seeded())
    found = noise_disagreement(first, second)
    assert found.shape == (3, 1, 5, 6)
    assert torch.allclose(found[1, 0], (first - second)[1].abs().sum(dim=0))
    assert noise_disagreement(first.half(), second.half()).dtype == torch.float32


@pytest.mark.parametrize(("level", "timestep"), [(0.8, 800), (0.0, 0), (0.7999, 799), (1.0, 999)])
def test_a_noise_level_is_a_timestep(level, timestep):
    assert noise_timestep(level) == timestep


def test_one_level_or_several_are_found_on_the_schedule():
    schedule = torch.linspace(0.9, 0.1, 1000)
    (one,) = noise_levels(0.8, schedule)
    assert (one.timestep, one.alpha_cumprod) == (800, float(schedule[800]))
    assert [level.timestep for level in noise_levels([0.5, 0.8, 1.0], schedule)] == [500, 800, 999]


# -- several levels ---------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 99), draws=st.integers(1, 4))
def test_a_single_level_is_left_as_it_is(seed, draws):
    raw = random_disagreement((2, draws, 7, 6), seed)
    assert torch.equal(balance_levels(raw[:, None]), raw)


@given(seed=st.integers(0, 99), factor=FACTORS, offset=st.floats(0, 10))
def test_no_level_leads_by_its_scale(seed, factor, offset):
    raw = random_disagreement((1, 3, 2, 8, 8), seed)
    scaled = raw.clone()
    scaled[:, 1] = scaled[:, 1] * factor + offset * factor
    first, second = (relevance_from_disagreement(balance_levels(values))[0] for values in (raw, scaled))
    assert torch.allclose(first, second, atol=5e-3)


@given(seed=st.integers(0, 99))
def test_a_flat_level_counts_for_nothing(seed):
    raw = random_disagreement((1, 2, 2, 8, 8), seed)
    flat = torch.cat([raw, torch.rand(1, 1, 2, 8, 8, generator=seeded(seed)) * 1e-8 + 3], dim=1)
    first, second = (relevance_from_disagreement(balance_levels(values))[0] for values in (raw, flat))
    assert torch.allclose(first, second, atol=1e-5)


def test_levels_that_are_all_flat_give_a_flat_map():
    found, flat = relevance_from_disagreement(balance_levels(torch.full((2, 3, 2, 4, 4), 5.0)))
    assert flat.all() and found.max() == 0


@given(seed=st.integers(0, 99), draws=st.integers(1, 4))
def test_several_levels_are_the_mean_of_their_own_maps(seed, draws):
    raw = random_disagreement((2, 3, draws, 8, 8), seed)
    own = torch.stack([relevance_from_disagreement(raw[:, level])[0] for level in range(3)]).mean(dim=0)
    found = relevance_from_disagreement(balance_levels(raw))[0]
    assert torch.allclose(found, relevance_from_disagreement(own)[0], atol=1e-5)


def test_padding_counts_for_nothing_in_the_range_of_a_level():
    raw = random_disagreement((1, 2, 2, 8, 8), outliers=False)
    valid = torch.ones(8, 8, dtype=torch.bool)
    valid[6:] = False
    loud = raw.clone()
    loud[..., 6:, :] += 100
    first, second = (balance_levels(values, valid)[..., :6, :] for values in (raw, loud))
    assert torch.allclose(first, second)


# -- uncertainty ------------------------------------------------------------------------------------------------------


def test_the_uncertainty_is_the_standard_error_in_the_units_of_the_map():
    raw = random_disagreement((1, 5, 9, 9), outliers=False)
    mean = raw.mean(dim=1, keepdim=True)
    found, _ = relevance_from_disagreement(raw)
    inner = (found > 0) & (found < 1)
    span = ((mean - mean.min()) / found)[inner].mean()
    expected = raw.std(dim=1, keepdim=True) / 5**0.5 / span
    assert torch.allclose(relevance_uncertainty(raw), expected, atol=1e-4)


@given(shape=SHAPES, seed=st.integers(0, 99))
def test_the_uncertainty_lies_in_zero_to_one_and_one_draw_has_none(shape, seed):
    found = relevance_uncertainty(random_disagreement(shape, seed))
    if shape[1] == 1:
        assert found is None
    else:
        assert found.shape == (shape[0], 1, *shape[2:]) and found.min() >= 0 and found.max() <= 1


def test_equal_draws_are_certain_and_more_draws_are_surer():
    one = random_disagreement((1, 1, 8, 8), outliers=False)
    assert relevance_uncertainty(one.expand(-1, 4, -1, -1)).max() < 1e-6
    noisy = one + 0.3 * torch.rand(1, 64, 8, 8, generator=seeded(1))
    few, many = relevance_uncertainty(noisy[:, :4]).mean(), relevance_uncertainty(noisy).mean()
    assert few > 3 * many > 0


def test_a_flat_map_has_no_uncertainty():
    assert relevance_uncertainty(torch.rand(1, 3, 6, 6, generator=seeded()) * 1e-8).max() == 0


def test_upsampling_keeps_the_range_and_constant_maps():
    assert torch.allclose(upsample(torch.full((1, 1, 4, 4), 0.3), (32, 40)), torch.full((1, 1, 32, 40), 0.3))


@pytest.mark.parametrize(
    ("raw", "valid", "message"),
    [
        (torch.zeros(4, 4), None, r"\(B, K, h, w\), got shape \(4, 4\)"),
        (torch.full((1, 1, 2, 2), float("nan")), None, "not finite"),
        (torch.ones(1, 1, 2, 2), torch.zeros(2, 2, dtype=torch.bool), "`valid` must mark at least one"),
    ],
)
def test_what_is_no_disagreement_is_refused(raw, valid, message):
    with pytest.raises(ValueError, match=message):
        relevance_from_disagreement(raw, valid)
