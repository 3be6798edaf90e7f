"""Networks of the bundled scorers: small convolutional encoders of a 128 x 128 view of a radiograph."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from x2x_core.anatomy.view_unet import ResidualBlock

VIEW = 128  # side of the view in pixels
CHANNELS = (16, 32, 64, 96, 128)  # of the resolutions, finest first; multiples of 8
FEATURES = 64  # length of the feature vector
STRIDE = 8  # side in pixels of a cell in which findings are detected
_MAP_LEVEL = 2  # resolution of the encoder whose cells are `STRIDE` wide
_CELLS = 4  # side of the grid that attributes are read from; a grid preserves positions
_NEIGHBOURHOOD = 25  # side in pixels
_MIN_STD = 1e-4  # standard deviation of grey below which a view counts as flat
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


class Encoder(nn.Module):
    """Residual blocks (He et al., CVPR 2016), each at half the resolution of the previous one.

    Args:
        channels: of the resolutions, finest first; multiples of 8.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels[0], 5, 2, 2)
        self.down = nn.ModuleList(ResidualBlock(fine, coarse, 2) for fine, coarse in pairwise(channels))

    def forward(self, view: torch.Tensor) -> list[torch.Tensor]:
        """Encode a view.

        Args:
            view: `(B, 1, h, w)` in [0, 1]; the sides are multiples of `2 ** len(channels)`.

        Returns:
            Features at each resolution, `(B, channels[n], h / 2^(n+1), w / 2^(n+1))`.
        """
        levels = [F.silu(self.stem(renderings(view)))]
        for block in self.down:
            levels.append(block(levels[-1]))
        return levels


class AttributeNetwork(nn.Module):
    """Predicts numbers that describe the whole view, from a coarse grid of features and the view's grey values.

    Args:
        outputs: number of predictions.
        channels: see `Encoder`.
    """

    def __init__(self, outputs: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.encoder = Encoder(channels)
        self.sum_up = nn.Linear(channels[-1] * _CELLS**2 + 2 * len(_QUANTILES), FEATURES)
        self.give = nn.Linear(FEATURES, outputs)

    def features(self, view: torch.Tensor) -> torch.Tensor:
        """Return features `(B, FEATURES)` of a view `(B, 1, h, w)` in [0, 1]."""
        grid = F.adaptive_avg_pool2d(self.encoder(view)[-1], _CELLS).flatten(1)
        return F.silu(self.sum_up(torch.cat([grid, tones(view)], 1)))

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """Return predictions `(B, outputs)` for a view `(B, 1, h, w)` in [0, 1]."""
        return self.give(self.features(view))


class FindingNetwork(nn.Module):
    """Detects findings in every cell of the view; evidence in one cell suffices.

    The resolutions are merged from coarse to fine (Lin et al., *Feature pyramid networks*, CVPR 2017), and the evidence
    of the cells by a soft maximum (Pinheiro and Collobert, CVPR 2015).

    Args:
        outputs: number of findings.
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
        if self.look.bias is not None:
            nn.init.constant_(self.look.bias, -3.0)  # findings are rare, also for an untrained network
        self.scale, self.shift = nn.Parameter(torch.ones(outputs)), nn.Parameter(torch.full((outputs,), -2.0))
        self.whole = nn.Linear(FEATURES, outputs)

    def cells(self, view: torch.Tensor) -> torch.Tensor:
        """Return features of each cell, `(B, FEATURES, h / STRIDE, w / STRIDE)`."""
        levels = self.encoder(view)[_MAP_LEVEL:]
        joined = self.across[-1](levels[-1])
        for convolution, level in zip(reversed(self.across[:-1]), reversed(levels[:-1])):
            joined = convolution(level) + F.interpolate(
                joined, size=level.shape[-2:], mode="bilinear", align_corners=False
            )
        return self.join(F.silu(joined))

    def features(self, view: torch.Tensor) -> torch.Tensor:
        """Return features `(B, FEATURES)` of a view `(B, 1, h, w)` in [0, 1]: the mean over the cells."""
        return self.cells(view).mean((-2, -1))

    def forward_with_maps(self, view: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of the view `(B, outputs)` and of its cells `(B, outputs, h / STRIDE, w / STRIDE)`."""
        cells = self.cells(view)
        maps = self.look(cells)
        strongest = torch.logsumexp(2 * maps.flatten(2), dim=-1) / 2
        return self.scale * strongest + self.shift + self.whole(cells.mean((-2, -1))), maps

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """Return logits `(B, outputs)` of a view `(B, 1, h, w)` in [0, 1]."""
        return self.forward_with_maps(view)[0]


def renderings(view: torch.Tensor) -> torch.Tensor:
    """Return three renderings of a view, `(B, 3, h, w)`.

    The first is the view scaled to [-1, 1]; the second is standardised over the view; the third is the second minus its
    local mean. The last two are invariant to brightness and contrast, and 0 for a uniform view.

    Args:
        view: `(B, 1, h, w)` in [0, 1].
    """
    centred = view - view.mean((-2, -1), keepdim=True)
    std = centred.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(_MIN_STD)
    standardised = centred / std
    return torch.cat([2 * view - 1, standardised, standardised - _local_mean(standardised)], dim=1)


def _local_mean(values: torch.Tensor) -> torch.Tensor:
    margin = _NEIGHBOURHOOD // 2
    rows = F.avg_pool2d(F.pad(values, (margin,) * 4, mode="replicate"), (1, _NEIGHBOURHOOD), stride=1)
    return F.avg_pool2d(rows, (_NEIGHBOURHOOD, 1), stride=1)


def tones(view: torch.Tensor) -> torch.Tensor:
    """Return quantiles of grey and of fine detail, `(B, 14)`, of a view `(B, 1, h, w)` in [0, 1]."""
    quantiles = view.new_tensor(_QUANTILES)
    detail = (view - F.avg_pool2d(F.pad(view, (1,) * 4, mode="replicate"), 3, stride=1)).abs()
    sparse = (values[..., ::2, ::2].flatten(1) for values in (view, detail))  # as informative, in a quarter of the time
    grey, fine = (torch.quantile(values, quantiles, dim=1).T for values in sparse)
    return torch.cat([2 * grey - 1, 10 * fine], 1)
