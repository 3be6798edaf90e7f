"""The relevance map R: which parts of an image a model would change for an instruction.

The image is noised, and the model predicts that noise twice: with the instruction and without it. Where the two
predictions disagree, the instruction matters (Couairon et al., *DiffEdit*, 2022; Mirzaei et al., *Watch Your Steps*,
2023; Min et al., *InstructX2X*, 2025).

These are pure functions on tensors; the stages of an edit make the predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError

SOURCES = ("noise", "attention", "both")  # of a relevance map; see also `attention.relevance`
FENCE_FACTOR = 1.5  # outliers lie beyond Q3 + FENCE_FACTOR * (Q3 - Q1)
# A range below this is rounding error: noise predictions have variance 1.
FLAT_RANGE = 1e-6


def noise_timestep(noise_level: float, num_train_timesteps: int = 1000) -> int:
    """Return the timestep of a noise level: 0.8 of 1000 steps is 800, and 1 is the last step.

    Args:
        noise_level: [0, 1].
        num_train_timesteps: timesteps of the model's noise schedule.
    """
    return min(int(noise_level * num_train_timesteps), num_train_timesteps - 1)


@dataclass(frozen=True)
class NoiseLevel:
    """A noise level on a model's schedule."""

    timestep: int
    alpha_cumprod: float  # remaining share of the signal's variance, [0, 1)


def noise_levels(
    shares: float | Sequence[float], alphas_cumprod: torch.Tensor, num_train_timesteps: int = 1000
) -> list[NoiseLevel]:
    """Return one or several noise levels on a schedule.

    Args:
        shares: of the schedule, [0, 1] each.
        alphas_cumprod: of the schedule, `(num_train_timesteps,)`.
        num_train_timesteps: of the schedule.
    """
    shares = shares if isinstance(shares, Sequence) else (shares,)
    timesteps = [noise_timestep(share, num_train_timesteps) for share in shares]
    return [NoiseLevel(timestep, float(alphas_cumprod[timestep])) for timestep in timesteps]


def first_level(levels: Sequence[float]) -> int | None:
    """Return the index of level 1, whose first draw is the diffusion noise: denoising starts from the same latents."""
    return list(levels).index(1.0) if 1.0 in levels else None


def add_noise(latents: torch.Tensor, noise: torch.Tensor, alpha_cumprod: float) -> torch.Tensor:
    """Noise latents as in training, independent of the solver that denoises them later.

    Args:
        latents: `(B, C, h, w)`, scaled.
        noise: of the same shape, standard normal.
        alpha_cumprod: remaining share of the signal's variance, [0, 1].
    """
    return alpha_cumprod**0.5 * latents + (1 - alpha_cumprod) ** 0.5 * noise


def predicted_noise(
    model_output: torch.Tensor,
    noisy_latents: torch.Tensor,
    alpha_cumprod: float,
    prediction_type: str,
) -> torch.Tensor:
    """Convert a model's output to the noise that it predicts.

    Where no signal remains, any output that is not noise itself implies the same noise; it is returned as it is, so
    that predictions with and without an instruction can be compared there too.

    Args:
        model_output: `(B, C, h, w)`.
        noisy_latents: the model's input at noise level `alpha_cumprod`, of the same shape.
        alpha_cumprod: remaining share of the signal's variance, [0, 1).
        prediction_type: "epsilon", "v_prediction" or "sample".

    Raises:
        InputError: an unknown prediction type.
    """
    signal, deviation = alpha_cumprod**0.5, (1 - alpha_cumprod) ** 0.5
    if prediction_type == "epsilon" or (signal == 0 and prediction_type in ("v_prediction", "sample")):
        return model_output
    if prediction_type == "v_prediction":
        return signal * model_output + deviation * noisy_latents
    if prediction_type == "sample":
        return (noisy_latents - signal * model_output) / deviation
    raise InputError(
        f"`prediction_type` of the scheduler must be epsilon, v_prediction or sample, got {prediction_type!r}."
    )


def noise_disagreement(noise_pred_text: torch.Tensor, noise_pred_image: torch.Tensor) -> torch.Tensor:
    """Return the difference between the noise predicted with the instruction and without it.

    Args:
        noise_pred_text: `(N, C, h, w)`, predicted from text and image.
        noise_pred_image: `(N, C, h, w)`, predicted from the image alone.

    Returns:
        `(N, 1, h, w)` float32, at least 0: absolute differences summed over the channels.
    """
    return (noise_pred_text - noise_pred_image).abs().float().sum(dim=1, keepdim=True)


def balance_levels(disagreement: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Normalise several noise levels to one scale, so that none dominates their average.

    How much the two predictions disagree depends on the level, and so do its outliers. Each level is therefore clipped
    to its own fence and normalised to its own range, by the rule of `relevance_from_disagreement` on the mean of its
    draws. A flat level (see `FLAT_RANGE`) contributes 0.

    Args:
        disagreement: `(B, L, K, h, w)`: K draws at each of L levels for each of B images, at least 0.
        valid: `(h, w)` bool, the cells that enter the statistics.

    Returns:
        `(B, L * K, h, w)` float32 for `relevance_from_disagreement`; with one level the values are unchanged. Where a
        level's mean exceeds its fence, all its draws are lowered by the same excess, so their spread is kept.
    """
    values = disagreement.float()
    if values.shape[1] == 1:
        return values.flatten(1, 2)
    _check_disagreement(values.flatten(1, 2))
    images, levels = values.shape[:2]
    mean = values.mean(dim=2, keepdim=True)
    bounds = _range_below_fence(_valid_cells(mean[:, :, 0].flatten(0, 1)[:, None], valid))
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
    """Return the relevance map: disagreement averaged over draws, outliers clipped, normalised to [0, 1].

    Outliers are clipped to the fence Q3 + 1.5 (Q3 - Q1) of the map, with quartiles by the midpoint rule.

    Args:
        disagreement: `(B, K, h, w)`: K draws of the noise for each of B images, at least 0.
        valid: `(h, w)` bool, cells that show the image; padding does not enter the statistics.
        fence_factor: distance of the fence from Q3, in interquartile ranges.

    Returns:
        The map `(B, 1, h, w)` float32 in [0, 1] (1 on clipped outliers), and `(B,)` bool: True for flat maps, which are
        0 everywhere.

    Raises:
        InputError: a wrong shape, no valid cell, or a value that is not finite.
    """
    _check_disagreement(disagreement)
    mean = disagreement.float().mean(dim=1, keepdim=True)
    lowest, highest = _range_below_fence(_valid_cells(mean, valid), fence_factor)
    flat = highest - lowest <= FLAT_RANGE
    span = torch.where(flat, torch.ones_like(lowest), highest - lowest)
    normalised = (torch.minimum(mean, _per_map(highest)) - _per_map(lowest)) / _per_map(span)
    return torch.where(_per_map(flat), torch.zeros_like(mean), normalised).clamp(0, 1), flat


def relevance_uncertainty(
    disagreement: torch.Tensor,
    valid: torch.Tensor | None = None,
    fence_factor: float = FENCE_FACTOR,
) -> torch.Tensor | None:
    """Return the standard error of the relevance map over its draws.

    The spread is taken over all draws of all levels, so disagreement between levels counts as uncertainty too. It is in
    units of the normalised map: 0.1 is a tenth of the way from the least to the most relevant place.

    Args:
        disagreement: as for `relevance_from_disagreement`.
        valid: as for `relevance_from_disagreement`.
        fence_factor: as for `relevance_from_disagreement`.

    Returns:
        `(B, 1, h, w)` float32 in [0, 1], 0 where the map is flat; ``None`` for a single draw, which has no spread.

    Raises:
        InputError: as for `relevance_from_disagreement`.
    """
    _check_disagreement(disagreement)
    draws = disagreement.shape[1]
    if draws == 1:
        return None
    values = disagreement.float()
    lowest, highest = _range_below_fence(_valid_cells(values.mean(dim=1, keepdim=True), valid), fence_factor)
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


def _valid_cells(mean: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """Return the cells of maps `(B, 1, h, w)` that enter the statistics, `(B, N)`."""
    cells = mean.flatten(1) if valid is None else mean[:, 0, valid]
    if cells.shape[1] == 0:
        raise InputError("`valid` must mark at least one cell of the map.")
    return cells


def _range_below_fence(cells: torch.Tensor, fence_factor: float = FENCE_FACTOR) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the lowest and highest value of each row `(B, N)` after clipping outliers: two tensors `(B,)`."""
    lower = torch.quantile(cells, 0.25, dim=1, interpolation="midpoint")
    upper = torch.quantile(cells, 0.75, dim=1, interpolation="midpoint")
    fence = upper + fence_factor * (upper - lower)
    return cells.amin(dim=1), torch.minimum(cells.amax(dim=1), fence)


def _per_map(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None]


def with_neighbours(latent_map: torch.Tensor) -> torch.Tensor:
    """Return a map `(B, 1, h, w)` in which each cell has the most of its neighbours and itself.

    A model knows a place to about a cell, and a mask that is cut there would cut the outline of a drawn extent.
    """
    return F.max_pool2d(latent_map, 3, stride=1, padding=1)


def upsample(latent_map: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Upsample a map from latents to pixels by bilinear interpolation.

    Args:
        latent_map: `(B, 1, h, w)`.
        size: `(height, width)` in pixels.

    Returns:
        `(B, 1, H, W)`, in the map's own range.
    """
    return F.interpolate(latent_map, size, mode="bilinear", align_corners=False)
