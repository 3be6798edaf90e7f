"""Checks of generators and given noise."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch

from x2x_core.common.errors import InputError

# Seeds that PyTorch's generators accept.
_LOWEST_SEED, _HIGHEST_SEED = -(2**63), 2**64 - 1


def read_generators(
    generator: Any, outputs: int, device: torch.device
) -> torch.Generator | list[torch.Generator] | None:
    """Return the generator, or one for each output; whole numbers are seeds.

    Args:
        generator: the caller's: a generator or a seed, a list of either, or ``None``.
        outputs: B.
        device: of the pipeline.

    Raises:
        InputError: another type or number of generators, or generators on a device that can't be used.
    """
    if isinstance(generator, (list, tuple)):
        if len(generator) != outputs:
            raise InputError(
                f"`generator` must be one, or one for each of the {outputs} edited images, got {len(generator)}."
            )
        return [_read_generator(own, device) for own in generator]
    return None if generator is None else _read_generator(generator, device)


def _read_generator(generator: Any, device: torch.device) -> torch.Generator:
    if isinstance(generator, Integral) and not isinstance(generator, bool):
        seed = int(generator)
        if not _LOWEST_SEED <= seed <= _HIGHEST_SEED:
            raise InputError(f"`generator` as a seed must lie in [-2**63, 2**64), got {seed}.")
        return torch.Generator().manual_seed(seed)
    if not isinstance(generator, torch.Generator):
        raise InputError(
            "`generator` must be a torch.Generator, a whole number as a seed, or a list of either, got "
            f"{type(generator).__name__}."
        )
    if generator.device.type not in ("cpu", device.type):
        raise InputError(
            f"`generator` must be on the CPU or on the pipeline's device, {device.type}, got {generator.device.type}."
        )
    return generator


def check_noise(name: str, noise: Any, outputs: int, shape: tuple[int, ...], draws: bool) -> None:
    """Check that given noise is `(B, *shape)`, or with `draws` also `(B, K, *shape)`, B being 1 or `outputs`.

    Raises:
        InputError: it is not, or it is not finite.
    """
    expected = f"({outputs}, {', '.join(str(side) for side in shape)})"
    if not isinstance(noise, torch.Tensor):
        raise InputError(f"`{name}` must be a tensor {expected}, got {type(noise).__name__}.")
    fits = noise.ndim in ((4, 5) if draws else (4,)) and tuple(noise.shape[-3:]) == shape
    if not fits or noise.shape[0] not in (1, outputs) or 0 in noise.shape:
        raise InputError(f"`{name}` must be of shape {expected}, got {tuple(noise.shape)}.")
    if not torch.isfinite(noise).all():
        raise InputError(f"`{name}` must hold finite numbers, got NaN or infinity.")


def check_draws(relevance_noise: torch.Tensor, levels: int) -> None:
    """Check that given draws can be split evenly over the noise levels.

    Raises:
        InputError: they can't.
    """
    if relevance_noise.ndim == 5 and relevance_noise.shape[1] % levels:
        raise InputError(
            f"`relevance_noise` must hold as many draws for each of {levels} noise levels, got "
            f"{relevance_noise.shape[1]}."
        )
