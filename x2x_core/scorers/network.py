"""The networks behind the bundled scorers: small convolutional encoders of a 128 x 128 view of a radiograph."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from x2x_core.anatomy.lung_network import ResidualBlock

VIEW = 128  # pixels to a side of what the networks see
CHANNELS = (16, 32, 64, 96, 128)  # of the levels, finest first; multiples of 8
FEATURES = 64  # numbers that a view is summed up in
STRIDE = 8  # pixels of the view to a cell in which findings are looked for
_MAP_LEVEL = 2  # of the encoder, whose cells are `STRIDE` wide
_CELLS = 4  # to a side of the grid that attributes are read from, so that what is where is kept
_NEIGHBOURHOOD = 25  # pixels to a side
_FAINTEST = 1e-4  # spread of grey under which a view counts as flat
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


class Encoder(nn.Module):
    """Residual blocks (He et al., CVPR 2016), each at half the size of the one before.

    Args:
        channels: of the levels, finest first; multiples of 8.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels[0], 5, 2, 2)
        self.down = nn.ModuleList(ResidualBlock(fine, coarse, 2) for fine, coarse in zip(channels, channels[1:]))

    def forward(self, view: torch.Tensor) -> list[torch.Tensor]:
        """`(B, 1, h, w)` in [0, 1], sides multiples of 32, to the levels `(B, channels[n], h / 2^(n+1), ...)`."""
        levels = [F.silu(self.stem(renderings(view)))]
        for block in self.down:
            levels.append(block(levels[-1]))
        return levels


class AttributeNetwork(nn.Module):
    """Numbers that describe the whole view, from a coarse grid of it and from its tones.

    Args:
        outputs: numbers that it gives.
        channels: see `Encoder`.
    """

    def __init__(self, outputs: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.encoder = Encoder(channels)
        self.sum_up = nn.Linear(channels[-1] * _CELLS**2 + 2 * len(_QUANTILES), FEATURES)
        self.give = nn.Linear(FEATURES, outputs)

    def features(self, view: torch.Tensor) -> torch.Tensor:
        """`(B, 1, h, w)` in [0, 1] to `(B, FEATURES)`."""
        grid = F.adaptive_avg_pool2d(self.encoder(view)[-1], _CELLS).flatten(1)
        return F.silu(self.sum_up(torch.cat([grid, tones(view)], 1)))

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """`(B, 1, h, w)` in [0, 1] to `(B, outputs)`."""
        return self.give(self.features(view))


class FindingNetwork(nn.Module):
    """Findings looked for in every cell of the view, with what lies around it in mind; one cell is enough.

    The levels are joined from coarse to fine (Lin et al., *Feature pyramid networks*, CVPR 2017), and the evidence of
    the cells by a soft maximum (Pinheiro and Collobert, CVPR 2015).

    Args:
        outputs: findings.
        channels: see `Encoder`.
    """

    def __init__(self, outputs: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.encoder = Encoder(channels)
        self.across = nn.ModuleList(nn.Conv2d(width, FEATURES, 1) for width in channels[_MAP_LEVEL:])
        self.join = nn.Sequential(
            nn.Conv2d(FEATURES, FEATURES, 3, 1, 1, bias=False), nn.GroupNorm(8, FEATURES), nn.SiLU()
        )
        self.look = nn.Conv2d(FEATURES, outputs, 1)
        nn.init.constant_(self.look.bias, -3.0)  # findings are rare: a new network says so
        self.scale, self.shift = nn.Parameter(torch.ones(outputs)), nn.Parameter(torch.full((outputs,), -2.0))
        self.whole = nn.Linear(FEATURES, outputs)

    def cells(self, view: torch.Tensor) -> torch.Tensor:
        """What is seen in each cell, `(B, FEATURES, h / STRIDE, w / STRIDE)`."""
        levels = self.encoder(view)[_MAP_LEVEL:]
        joined = self.across[-1](levels[-1])
        for convolution, level in zip(reversed(self.across[:-1]), reversed(levels[:-1])):
            joined = convolution(level) + F.interpolate(
                joined, size=level.shape[-2:], mode="bilinear", align_corners=False
            )
        return self.join(F.silu(joined))

    def features(self, view: torch.Tensor) -> torch.Tensor:
        """`(B, 1, h, w)` in [0, 1] to `(B, FEATURES)`: the mean over the cells."""
        return self.cells(view).mean((-2, -1))

    def forward_with_maps(self, view: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the view `(B, outputs)` and of its cells `(B, outputs, h / STRIDE, w / STRIDE)`."""
        seen = self.cells(view)
        maps = self.look(seen)
        strongest = torch.logsumexp(2 * maps.flatten(2), dim=-1) / 2
        return self.scale * strongest + self.shift + self.whole(seen.mean((-2, -1))), maps

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """`(B, 1, h, w)` in [0, 1] to logits `(B, outputs)`."""
        return self.forward_with_maps(view)[0]


def renderings(view: torch.Tensor) -> torch.Tensor:
    """`(B, 1, h, w)` in [0, 1] as it is, relative to the whole view, and relative to its neighbourhood: `(B, 3, h, w)`.

    The last two heed neither brightness nor contrast, and are 0 for a view of one grey.
    """
    centred = view - view.mean((-2, -1), keepdim=True)
    spread = centred.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(_FAINTEST)
    whole = centred / spread
    return torch.cat([2 * view - 1, whole, whole - _local_mean(whole)], dim=1)


def _local_mean(values: torch.Tensor) -> torch.Tensor:
    margin = _NEIGHBOURHOOD // 2
    rows = F.avg_pool2d(F.pad(values, (margin,) * 4, mode="replicate"), (1, _NEIGHBOURHOOD), stride=1)
    return F.avg_pool2d(rows, (_NEIGHBOURHOOD, 1), stride=1)


def tones(view: torch.Tensor) -> torch.Tensor:
    """Quantiles of grey, and of the size of fine detail, of `(B, 1, h, w)`: `(B, 14)`."""
    wanted = view.new_tensor(_QUANTILES)
    detail = (view - F.avg_pool2d(F.pad(view, (1,) * 4, mode="replicate"), 3, stride=1)).abs()
    sparse = (values[..., ::2, ::2].flatten(1) for values in (view, detail))  # as telling, at a quarter of the time
    grey, fine = (torch.quantile(values, wanted, dim=1).T for values in sparse)
    return torch.cat([2 * grey - 1, 10 * fine], 1)
