"""Parts that transformers with flow matching share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from einops import rearrange

from .conditioning import Conditioning
from .protocol import Geometry

# Side of a token in cells of the autoencoder.
PATCH = 2


def flow_geometry(pipe: Any, channels: int, cell: int) -> Geometry:
    """Return the sizes of a transformer's pipeline.

    Args:
        pipe: the pipeline.
        channels: of the latents.
        cell: side of a latent cell in cells of the autoencoder.
    """
    scale = pipe.vae_scale_factor
    side = pipe.default_sample_size * scale
    return Geometry(channels, pipe.vae.config.get("in_channels", 3), scale * cell, side, scale * PATCH)


def each_branch(
    conditioning: Conditioning, predict: Callable[[Conditioning], torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """Return the prediction of each branch, one call of the network for each: large models fit no more in memory."""
    return tuple(predict(conditioning.of(branch)) for branch in conditioning.branches)


def to_tokens(latents: torch.Tensor, patch: int) -> torch.Tensor:
    """Rearrange latents `(N, C, h, w)` to tokens `(N, h w / patch^2, C patch^2)`, row by row."""
    return rearrange(latents, "n c (h p) (w q) -> n (h w) (c p q)", p=patch, q=patch)


def to_latents(tokens: torch.Tensor, shape: Sequence[int], patch: int) -> torch.Tensor:
    """Rearrange tokens to latents of a shape `(N, C, h, w)`."""
    return rearrange(tokens, "n (h w) (c p q) -> n c (h p) (w q)", h=shape[-2] // patch, p=patch, q=patch)
