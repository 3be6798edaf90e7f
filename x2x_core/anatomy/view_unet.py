"""A small U-Net that maps a square view of a radiograph to maps of the view's size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import nn

from x2x_core.common.errors import InputError, InputNotFoundError

_GROUPS = 8
_NEIGHBOURHOOD = 25  # side length in pixels over which local contrast is normalised
_FAINTEST = 0.02  # standard deviation of grey below which a neighbourhood counts as flat


def normalise(view: torch.Tensor) -> torch.Tensor:
    """Normalise a view: grey relative to the whole view, and relative to the neighbourhood.

    The result does not depend on the brightness and contrast of the view.

    Args:
        view: `(B, 1, h, w)` in [0, 1].

    Returns:
        `(B, 2, h, w)`; both channels have about mean 0 and standard deviation 1, and are 0 for a uniform view.
    """
    mean = view.mean((-2, -1), keepdim=True)
    spread = view.std((-2, -1), keepdim=True)
    even = view.new_tensor(1e-4)
    whole = (view - mean) / torch.maximum(spread, even)
    local_mean = _local_mean(whole)
    local_spread = (_local_mean(whole.square()) - local_mean.square()).clamp_min(0).sqrt()
    local = (whole - local_mean) / (local_spread + _FAINTEST * 5)
    flat = (spread <= even).to(view.dtype)
    return torch.cat([whole, local], dim=1) * (1 - flat)


def _local_mean(values: torch.Tensor) -> torch.Tensor:
    """Return the mean over each neighbourhood, rows first and columns second, which costs a twelfth of both at once."""
    margin = _NEIGHBOURHOOD // 2
    padded = F.pad(values, (margin,) * 4, mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, (1, _NEIGHBOURHOOD), stride=1), (_NEIGHBOURHOOD, 1), stride=1)


class ResidualBlock(nn.Module):
    """Two convolutions with a shortcut; with stride 2 the size is halved."""

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(_GROUPS, outer)
        self.second = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(_GROUPS, outer)
        self.shortcut = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(B, inner, h, w)` to `(B, outer, h / stride, w / stride)`."""
        short = self.shortcut(F.avg_pool2d(x, 2) if self.stride == 2 else x)
        x = F.silu(self.first_norm(self.first(x)))
        return F.silu(self.second_norm(self.second(x)) + short)


class ViewUNet(nn.Module):
    """A U-Net (Ronneberger et al., MICCAI 2015) whose finest level has half the resolution of the view.

    With five levels, the receptive field of the coarsest is the whole view, which tells the right lung from the left.

    Args:
        channels: number of channels of each level, finest first; multiples of 8.
        outputs: number of maps.
    """

    def __init__(self, channels: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.channels = channels
        self.stem = nn.Conv2d(2, channels[0], 5, 2, 2)
        self.enter = ResidualBlock(channels[0], channels[0])
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(ResidualBlock(fine, coarse, 2) for fine, coarse in pairs)
        self.middle = ResidualBlock(channels[-1], channels[-1])
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in reversed(pairs))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(fine, fine, 3, 1, 1, bias=False), nn.GroupNorm(_GROUPS, fine), nn.SiLU())
            for fine, _ in reversed(pairs)
        )
        self.draw = nn.Conv2d(channels[0], 4 * outputs, 3, 1, 1)

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """Map views `(B, 1, h, w)` in [0, 1], sides multiples of 2 for each level, to `(B, outputs, h, w)`."""
        x = self.enter(F.silu(self.stem(normalise(view))))
        levels = []
        for down in self.down:
            levels.append(x)
            x = down(x)
        x = self.middle(x)
        for narrow, up in zip(self.narrow, self.up):
            x = F.interpolate(narrow(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = up(x + levels.pop())
        return F.pixel_shuffle(self.draw(x), 2)


def channels_of(weights: Mapping[str, torch.Tensor], prefix: str = "") -> tuple[int, ...]:
    """Read the number of channels of each level from the weights of a network with a `stem` and blocks `down`.

    Args:
        weights: weights by name.
        prefix: prefix of the names, such as "encoder." for a part of a network.

    Raises:
        KeyError: weights of another network.
    """
    downs = sum(name.startswith(f"{prefix}down.") and name.endswith(".first.weight") for name in weights)
    return (
        len(weights[f"{prefix}stem.weight"]),
        *(len(weights[f"{prefix}down.{n}.first.weight"]) for n in range(downs)),
    )


_Network = TypeVar("_Network", bound=ViewUNet)


def load_view_unet(path: str | Path, make: Callable[[tuple[int, ...]], _Network], finder: str) -> _Network:
    """Read a network with the weights of a file (`.safetensors`), in float32.

    Args:
        path: the file.
        make: makes the network of given channels.
        finder: what the network is part of, such as "lung finder"; for errors.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it does not hold weights of this network.
    """
    path = Path(path)
    if not path.is_file():
        article = "an" if finder[0] in "aeiou" else "a"
        raise InputNotFoundError(f"There are no weights of {article} {finder} at `{path}`.")
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
        network = make(channels_of(weights))
        network.load_state_dict(weights)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise InputError(f"`{path}` must hold weights of the {finder}, but cannot be used: {error}.") from error
    return network
