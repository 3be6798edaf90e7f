"""Preparation of images for a network, and of its output."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from torch import nn

from x2x_core.common.errors import InputError
from x2x_core.imaging.geometry import crop, fit_to, resize

from .scorer import check_images

Network = Callable[[torch.Tensor], torch.Tensor]
#: Activations by name; "exp" is for log-probabilities.
ACTIVATIONS: dict[str, Network] = {
    "none": lambda output: output,
    "sigmoid": torch.sigmoid,
    "softmax": lambda output: output.softmax(1),
    "exp": lambda output: output.exp().clamp(0, 1),
}


@dataclass(frozen=True)
class Preparation:
    """Conversion of images to a network's input.

    Raises:
        InputError: a field has a wrong type or value.
    """

    size: int | None = None  # side in pixels, after padding to a square; None: unchanged
    low: float = 0.0  # value of black
    high: float = 1.0  # value of white
    channels: int = 1  # 1, or 3 equal ones
    mean: tuple[float, ...] = ()  # of each channel, subtracted last
    std: tuple[float, ...] = ()  # of each channel, divided by last

    def __post_init__(self) -> None:
        if self.size is not None and (type(self.size) is not int or self.size < 1):
            raise InputError(f"`size` must be a whole number of at least 1, got {self.size!r}.")
        if self.channels not in (1, 3):
            raise InputError(f"`channels` must be 1 or 3, got {self.channels!r}.")
        for name in ("low", "high"):
            if not _is_number(getattr(self, name)):
                raise InputError(f"`{name}` must be a number, got {getattr(self, name)!r}.")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if not isinstance(values, Sequence) or not all(_is_number(value) for value in values):
                raise InputError(f"`{name}` must be a list of numbers, got {values!r}.")
            object.__setattr__(self, name, tuple(values))
            if len(values) not in (0, self.channels):
                raise InputError(f"`{name}` must be left out or have {self.channels} numbers, got {tuple(values)}.")
        if 0 in self.std:
            raise InputError(f"`std` must not contain 0, got {self.std}.")

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return the network's input `(B, channels, h, w)` float32 for images `(B, 1, H, W)` in [0, 1]."""
        prepared = check_images(images).float()
        prepared = fit_to(prepared, self.size)[0] if self.size else prepared
        prepared = (self.low + (self.high - self.low) * prepared).expand(-1, self.channels, -1, -1)
        if self.mean:
            prepared = prepared - prepared.new_tensor(self.mean)[:, None, None]
        if self.std:
            prepared = prepared / prepared.new_tensor(self.std)[:, None, None]
        return prepared

    def undo(self, maps: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Resize and crop maps to the images.

        Args:
            maps: `(B, S, any, any)`, over the network's input.
            images: `(B, 1, H, W)`, as passed to `__call__`.

        Returns:
            `(B, S, H, W)`.
        """
        height, width = images.shape[-2:]
        if not self.size:
            return resize(maps, (height, width))
        _, padding = fit_to(images[:1].float(), self.size)
        return resize(crop(resize(maps, (self.size, self.size)), padding), (height, width))


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def activation_of(name: str) -> Network:
    """Return an activation by name.

    Raises:
        InputError: the name is unknown.
    """
    if name not in ACTIVATIONS:
        raise InputError(f"`activation` must be one of {', '.join(ACTIVATIONS)}, got {name!r}.")
    return ACTIVATIONS[name]


def on_device(network: Network, device: str | torch.device) -> Network:
    """Move a torch module to a device, in evaluation mode; other functions are returned unchanged."""
    return network.to(device).eval() if isinstance(network, nn.Module) else network


def named_outputs(names: Sequence[str]) -> list[int]:
    """Return the indices of outputs with a name; outputs named "" are ignored."""
    return [index for index, name in enumerate(names) if name.strip()]


def run_network(network: Network, name: str, images: torch.Tensor) -> torch.Tensor:
    """Run a network that the caller supplied, with its errors as one sentence.

    Args:
        network: maps `(B, channels, h, w)` to a tensor.
        name: for the message.
        images: prepared images.

    Raises:
        InputError: the network raises an error or does not return a tensor.
    """
    try:
        output = network(images)
    except InputError:
        raise
    except Exception as error:  # a caller's network may raise anything
        raise InputError(f"The network {name!r} failed on images {tuple(images.shape)}: {last_line(error)}") from error
    if not isinstance(output, torch.Tensor):
        raise InputError(f"The network {name!r} must return a tensor, got {type(output).__name__}.")
    return output


def last_line(error: Exception) -> str:
    """Return the last line of an error's message: TorchScript puts pages of code before it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[-1] if lines else ""
    return text if re.match(r"\w+(Error|Exception): ", text) else f"{type(error).__name__}: {text}"
