"""Encoding windows of pictures with the latents of the whole pictures, nearly.

What an `AutoencoderKL` makes of a cell depends on its surroundings, by the convolutions, and on the whole picture by
the means and variances of its group normalisations. A window's own are others, since a detail has not the contrast of
the whole. They are taken from the whole picture at a small size, which costs little. (So does a window of diffusers'
tiled encoding see its own tile alone in the attention of the coarsest layer, where there is one.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import AutoencoderKL

from x2x_core.imaging.geometry import fit_size, resize

from ..windows import Windows

# Longer side in pixels at which the whole picture is encoded for its statistics.
_STATISTICS_SIDE = 192
# Latent cells around a window that are encoded with it.
_MARGIN = 2
# Share of the cost of encoding the whole from which it is encoded.
_LARGEST_SHARE = 0.5

Statistics = dict[torch.nn.GroupNorm, tuple[torch.Tensor, torch.Tensor]]  # variance and mean, (V, groups) each
Encode = Callable[[torch.Tensor], torch.Tensor]


def encode_windows(vae: Any, encode: Encode, pixels: torch.Tensor, windows: Windows) -> torch.Tensor:
    """Return latents `(V, C, h, w)` that are known in windows; away from them they are known or 0.

    Whole pictures are encoded where that costs less than twice as much, by a VAE of another kind than `AutoencoderKL`,
    and by one that encodes in tiles or slices.

    Args:
        vae: the autoencoder.
        encode: encodes pictures `(V, C, H, W)` with it.
        pixels: `(V, C, H, W)`.
        windows: of the V pictures, in latent cells.
    """
    seen, small = windows.grown(_MARGIN), _small_size(pixels, windows)
    area = pixels.shape[-2] * pixels.shape[-1]
    cost = (seen.size[0] * seen.size[1]) / (windows.whole[0] * windows.whole[1]) + small[0] * small[1] / area
    if cost > _LARGEST_SHARE or type(vae) is not AutoencoderKL or vae.use_tiling or vae.use_slicing:
        return encode(pixels)
    norms = [module for module in vae.encoder.modules() if isinstance(module, torch.nn.GroupNorm)]
    known: Statistics = {}
    with _hooked(norms, lambda norm, inputs, _: known.update({norm: _statistics(norm, inputs[0])})):
        encode(resize(pixels, small))
    if len(known) < len(norms):  # a compiled encoder calls no hooks
        return encode(pixels)
    with _hooked(norms, lambda norm, inputs, _: _normalised(norm, inputs[0], *known[norm])):
        latents = encode(seen.scaled(pixels.shape[-1] // windows.whole[1]).cut(pixels))
    return seen.paste(latents)


def _small_size(pixels: torch.Tensor, windows: Windows) -> tuple[int, int]:
    """Return the size `(height, width)` in whole cells at which pictures are encoded for their statistics."""
    cell = pixels.shape[-1] // windows.whole[1]
    height, width = fit_size((pixels.shape[-2], pixels.shape[-1]), _STATISTICS_SIDE)
    return max(round(height / cell), 1) * cell, max(round(width / cell), 1) * cell


@contextmanager
def _hooked(norms: list[torch.nn.GroupNorm], hook: Callable[..., Any]) -> Iterator[None]:
    """Call a hook after each of some modules; what it returns replaces the module's output, unless it is ``None``."""
    handles = [norm.register_forward_hook(hook) for norm in norms]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _statistics(norm: torch.nn.GroupNorm, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the variance and mean of each group of `(V, C, ...)`, `(V, groups)` float32."""
    groups = values.float().unflatten(1, (norm.num_groups, -1)).flatten(2)
    return torch.var_mean(groups, dim=2, correction=0)


def _normalised(
    norm: torch.nn.GroupNorm, values: torch.Tensor, variance: torch.Tensor, mean: torch.Tensor
) -> torch.Tensor:
    """Return what a normalisation makes of values `(V, C, ...)` with these statistics."""
    channels = norm.num_channels // norm.num_groups
    deviation = (variance + norm.eps).rsqrt().repeat_interleave(channels, dim=1)
    scale = norm.weight.float() * deviation
    shift = norm.bias.float() - mean.repeat_interleave(channels, dim=1) * scale
    shape = (*scale.shape, *(1,) * (values.ndim - 2))
    return torch.addcmul(shift.view(shape).to(values), values, scale.view(shape).to(values))
