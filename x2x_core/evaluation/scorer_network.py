"""The network behind the bundled scorers: a small convolutional encoder of a 128 x 128 view of a radiograph."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from x2x_core.lung_network import ResidualBlock

VIEW = 128  # pixels to a side of what the network sees
CHANNELS = (16, 32, 64, 96, 128)  # of the levels, finest first; multiples of 8
FEATURES = 64  # numbers that a view is summed up in
_CELLS = 4  # to a side of the coarsest level, so that what is where is kept
_NEIGHBOURHOOD = 25  # pixels to a side
_FAINTEST = 1e-4  # spread of grey under which a view counts as flat
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


class ScorerNetwork(nn.Module):
    """Residual blocks (He et al., CVPR 2016) down to a 4 x 4 grid, then two linear layers.

    It is fed the view as it is, and relative to itself and to its neighbourhood, and told the quantiles of grey and of
    fine detail, which say how the film was exposed and processed.

    Args:
        outputs: numbers that it gives.
        channels: of the levels, finest first; multiples of 8.
    """

    def __init__(self, outputs: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels[0], 5, 2, 2)
        self.down = nn.ModuleList(ResidualBlock(fine, coarse, 2) for fine, coarse in zip(channels, channels[1:]))
        self.sum_up = nn.Linear(channels[-1] * _CELLS**2 + 2 * len(_QUANTILES), FEATURES)
        self.give = nn.Linear(FEATURES, outputs)

    def features(self, view: torch.Tensor) -> torch.Tensor:
        """`(B, 1, h, w)` in [0, 1], sides multiples of 32, to `(B, FEATURES)`."""
        x = F.silu(self.stem(renderings(view)))
        for block in self.down:
            x = block(x)
        x = F.adaptive_avg_pool2d(x, _CELLS).flatten(1)
        return F.silu(self.sum_up(torch.cat([x, tones(view)], 1)))

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """`(B, 1, h, w)` in [0, 1] to `(B, outputs)`."""
        return self.give(self.features(view))


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
