"""Relevance: which parts of an image a model would change for an instruction.

The image is noised, and the U-Net predicts that noise twice: with the instruction and without it. Where the two
predictions disagree, the instruction matters (Couairon et al., *DiffEdit*, 2022; Mirzaei et al., *Watch Your Steps*,
2023; Min et al., *InstructX2X*, 2025).

Pure functions on tensors; the pipeline makes the predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError

SOURCES = ("noise", "attention", "both")  # what a relevance map can be read from; see also `attention_relevance`
FENCE_FACTOR = 1.5  # outliers lie beyond Q3 + FENCE_FACTOR * (Q3 - Q1)
# Two noise predictions of variance 1 that differ by less than this differ by rounding only.
FLAT_RANGE = 1e-6


def noise_timestep(noise_level: float, num_train_timesteps: int = 1000) -> int:
    """The timestep of a noise level: 0.8 of 1000 steps is 800; 1 is the last of them.

    Args:
        noise_level: [0, 1].
        num_train_timesteps: timesteps of the model's noise schedule.
    """
    return min(int(noise_level * num_train_timesteps), num_train_timesteps - 1)


@dataclass(frozen=True)
class NoiseLevel:
    """A noise level on a model's schedule."""

    timestep: int
    alpha_cumprod: float  # share of the signal's variance that is left, (0, 1)


def noise_levels(
    shares: float | Sequence[float], alphas_cumprod: torch.Tensor, num_train_timesteps: int = 1000
) -> list[NoiseLevel]:
    """One noise level or several on a schedule.

    Args:
        shares: of the schedule, [0, 1] each.
        alphas_cumprod: the schedule's, `(num_train_timesteps,)`.
        num_train_timesteps: timesteps of it.
    """
    shares = shares if isinstance(shares, Sequence) else (shares,)
    timesteps = [noise_timestep(share, num_train_timesteps) for share in shares]
    return [NoiseLevel(timestep, float(alphas_cumprod[timestep])) for timestep in timesteps]


def add_noise(latents: torch.Tensor, noise: torch.Tensor, alpha_cumprod: float) -> torch.Tensor:
    """Noise latents as the model saw them in training, whatever solver denoises them later.

    Args:
        latents: `(B, C, h, w)`, scaled.
        noise: of the same shape, standard normal.
        alpha_cumprod: share of the signal's variance that is left, [0, 1].
    """
    return alpha_cumprod**0.5 * latents + (1 - alpha_cumprod) ** 0.5 * noise


def predicted_noise(
    model_output: torch.Tensor,
    noisy_latents: torch.Tensor,
    alpha_cumprod: float,
    prediction_type: str,
) -> torch.Tensor:
    """The noise that a U-Net predicts, whatever it was trained to give.

    Args:
        model_output: `(B, C, h, w)`.
        noisy_latents: its input at noise level `alpha_cumprod`, of the same shape.
        alpha_cumprod: share of the signal's variance, (0, 1).
        prediction_type: "epsilon", "v_prediction" or "sample".

    Raises:
        InputError: another prediction type.
    """
    signal, deviation = alpha_cumprod**0.5, (1 - alpha_cumprod) ** 0.5
    if prediction_type == "epsilon":
        return model_output
    if prediction_type == "v_prediction":
        return signal * model_output + deviation * noisy_latents
    if prediction_type == "sample":
        return (noisy_latents - signal * model_output) / deviation
    raise InputError(
        f"`prediction_type` of the scheduler must be epsilon, v_prediction or sample, got {prediction_type!r}."
    )


def noise_disagreement(noise_pred_text: torch.Tensor, noise_pred_image: torch.Tensor) -> torch.Tensor:
    """How far the noise predicted with the instruction is from that without it.

    Args:
        noise_pred_text: `(N, C, h, w)`, predicted from text and image.
        noise_pred_image: `(N, C, h, w)`, predicted from the image alone.

    Returns:
        `(N, 1, h, w)` float32, at least 0: absolute differences summed over the channels.
    """
    return (noise_pred_text - noise_pred_image).abs().float().sum(dim=1, keepdim=True)


def balance_levels(disagreement: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Bring several noise levels to one scale, so that their average is led by none of them.

    How much the two predictions disagree depends on the level, and so do its outliers. So each level is held to its own
    fence and stretched to its own range, by the rule of `relevance_from_disagreement` on the mean of its draws, and all
    count the same. A flat level (see `FLAT_RANGE`) tells no place from another and counts for nothing.

    Args:
        disagreement: `(B, L, K, h, w)`: K draws at each of L levels for each of B images, at least 0.
        valid: `(h, w)` bool, the cells that count for fence and range.

    Returns:
        `(B, L * K, h, w)` float32 for `relevance_from_disagreement`; with one level the values as they came. Where a
        level's mean is over its fence, all its draws are lowered by as much as the mean is: their spread stays.
    """
    values = disagreement.float()
    if values.shape[1] == 1:
        return values.flatten(1, 2)
    _check_disagreement(values.flatten(1, 2))
    images, levels = values.shape[:2]
    mean = values.mean(dim=2, keepdim=True)
    bounds = _range_below_fence(_counted(mean[:, :, 0].flatten(0, 1)[:, None], valid))
    lowest, highest = (bound.view(images, levels, 1, 1, 1) for bound in bounds)
    flat = highest - lowest <= FLAT_RANGE
    span = torch.where(flat, torch.ones_like(lowest), highest - lowest)
    excess = (mean - highest).clamp_min(0)
    return ((values - excess - lowest) / span).masked_fill(flat, 0).flatten(1, 2)


def relevance_from_disagreement(
    disagreement: torch.Tensor,
    valid: torch.Tensor | None = None,
    fence_factor: float = FENCE_FACTOR,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The relevance map: disagreement averaged over draws, outliers held to a fence, stretched to [0, 1].

    The fence is Q3 + 1.5 (Q3 - Q1) over the map, quartiles taken by the midpoint rule.

    Args:
        disagreement: `(B, K, h, w)`: K draws of the noise for each of B images, at least 0.
        valid: `(h, w)` bool, cells that show the image; those of padding count for nothing in the statistics.
        fence_factor: what counts as an outlier.

    Returns:
        The map `(B, 1, h, w)` float32 in [0, 1] (1 on fenced outliers), and `(B,)` bool: which maps are flat. A flat
        map has no relevant place: it is 0 everywhere.

    Raises:
        InputError: a wrong shape, no valid cell, or a value that is not a number.
    """
    _check_disagreement(disagreement)
    mean = disagreement.float().mean(dim=1, keepdim=True)
    lowest, highest = _range_below_fence(_counted(mean, valid), fence_factor)
    flat = highest - lowest <= FLAT_RANGE
    span = torch.where(flat, torch.ones_like(lowest), highest - lowest)
    stretched = (torch.minimum(mean, _per_map(highest)) - _per_map(lowest)) / _per_map(span)
    return torch.where(_per_map(flat), torch.zeros_like(mean), stretched).clamp(0, 1), flat


def relevance_uncertainty(
    disagreement: torch.Tensor,
    valid: torch.Tensor | None = None,
    fence_factor: float = FENCE_FACTOR,
) -> torch.Tensor | None:
    """How far another average of as many draws would be from this one: its standard error.

    The spread is taken over all draws of all levels, so that levels that point at different places count as uncertain
    too, and is given in the units of the stretched map: 0.1 is a tenth of the way from the least relevant place to the
    most relevant.

    Args:
        disagreement, valid, fence_factor: as for `relevance_from_disagreement`.

    Returns:
        `(B, 1, h, w)` float32 in [0, 1], 0 where the map is flat; ``None`` for a single draw, which has no spread.

    Raises:
        InputError: as `relevance_from_disagreement`.
    """
    _check_disagreement(disagreement)
    draws = disagreement.shape[1]
    if draws == 1:
        return None
    values = disagreement.float()
    lowest, highest = _range_below_fence(_counted(values.mean(dim=1, keepdim=True), valid), fence_factor)
    flat = highest - lowest <= FLAT_RANGE
    span = torch.where(flat, torch.full_like(lowest, torch.inf), highest - lowest)
    error = values.std(dim=1, keepdim=True) / draws**0.5
    return (error / _per_map(span)).clamp(0, 1)


def _check_disagreement(disagreement: torch.Tensor) -> None:
    if disagreement.ndim != 4 or 0 in disagreement.shape:
        raise InputError(f"`disagreement` must be (B, K, h, w), got shape {tuple(disagreement.shape)}.")
    if not torch.isfinite(disagreement).all():
        raise InputError(
            "The noise predictions for the relevance map are not finite numbers. In half precision, load the "
            "pipeline in float32 or bfloat16."
        )


def _counted(mean: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """The cells of maps `(B, 1, h, w)` that count for the statistics, `(B, N)`."""
    cells = mean.flatten(1) if valid is None else mean[:, 0, valid]
    if cells.shape[1] == 0:
        raise InputError("`valid` must mark at least one cell of the map.")
    return cells


def _range_below_fence(cells: torch.Tensor, fence_factor: float = FENCE_FACTOR) -> tuple[torch.Tensor, torch.Tensor]:
    """Lowest and highest value of each row `(B, N)` once outliers are held to the fence: two tensors `(B,)`."""
    lower = torch.quantile(cells, 0.25, dim=1, interpolation="midpoint")
    upper = torch.quantile(cells, 0.75, dim=1, interpolation="midpoint")
    fence = upper + fence_factor * (upper - lower)
    return cells.amin(dim=1), torch.minimum(cells.amax(dim=1), fence)


def _per_map(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None]


def upsample(latent_map: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Bring a map from latents to pixels by bilinear interpolation.

    Args:
        latent_map: `(B, 1, h, w)`.
        size: `(height, width)` in pixels.

    Returns:
        `(B, 1, H, W)`, in the map's own range.
    """
    return F.interpolate(latent_map, size, mode="bilinear", align_corners=False)
