"""Relevance: which parts of an image a model would change for an instruction.

The image is noised, and the U-Net predicts that noise twice: with the instruction and without it. Where the two
predictions disagree, the instruction matters (Couairon et al., *DiffEdit*, 2022; Mirzaei et al., *Watch Your Steps*,
2023; Min et al., *InstructX2X*, 2025).

Pure functions on tensors; the pipeline makes the predictions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

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
        ValueError: another prediction type.
    """
    signal, deviation = alpha_cumprod**0.5, (1 - alpha_cumprod) ** 0.5
    if prediction_type == "epsilon":
        return model_output
    if prediction_type == "v_prediction":
        return signal * model_output + deviation * noisy_latents
    if prediction_type == "sample":
        return (noisy_latents - signal * model_output) / deviation
    raise ValueError(
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
        ValueError: a wrong shape, no valid cell, or a value that is not a number.
    """
    if disagreement.ndim != 4 or 0 in disagreement.shape:
        raise ValueError(f"`disagreement` must be (B, K, h, w), got shape {tuple(disagreement.shape)}.")
    if not torch.isfinite(disagreement).all():
        raise ValueError(
            "The noise predictions for the relevance map are not finite numbers. In half precision, load the "
            "pipeline in float32 or bfloat16."
        )
    mean = disagreement.float().mean(dim=1, keepdim=True)
    cells = mean.flatten(1) if valid is None else mean[:, 0, valid]
    if cells.shape[1] == 0:
        raise ValueError("`valid` must mark at least one cell of the map.")
    lowest, highest = _range_below_fence(cells, fence_factor)
    flat = highest - lowest <= FLAT_RANGE
    span = torch.where(flat, torch.ones_like(lowest), highest - lowest)
    stretched = (torch.minimum(mean, _per_map(highest)) - _per_map(lowest)) / _per_map(span)
    return torch.where(_per_map(flat), torch.zeros_like(mean), stretched).clamp(0, 1), flat


def _range_below_fence(cells: torch.Tensor, fence_factor: float) -> tuple[torch.Tensor, torch.Tensor]:
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
