"""The network that finds extents: where each finding lies that a radiograph shows."""

from __future__ import annotations

from pathlib import Path

import torch

from x2x_core.anatomy.lung_network import CHANNELS
from x2x_core.anatomy.view_unet import ViewUNet, load_view_unet
from x2x_core.simulation.findings import SIMULATED_FINDINGS

VIEW = 192  # side length of the network's input in pixels
#: The bright line at which the air of a pneumothorax ends.
PLEURA = "visceral pleura"
OUTPUTS = (*SIMULATED_FINDINGS, PLEURA)


class ExtentNetwork(ViewUNet):
    """The U-Net that maps views to logits of how much each pixel takes part in each finding.

    The logistic function of a logit is the change of grey that the finding makes, relative to `scale`.

    Args:
        channels: number of channels of each level, finest first; multiples of 8.
    """

    scale: torch.Tensor

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__(channels, len(OUTPUTS))
        self.register_buffer("scale", torch.ones(len(OUTPUTS)))  # usual greatest change of each, in spreads of the view

    @torch.no_grad()
    def changes(self, view: torch.Tensor) -> torch.Tensor:
        """Return by how much each of `OUTPUTS` changes the greys of a view, `(B, F, h, w)`, at least 0.

        The brightness of a view does not matter, and the change is proportional to its contrast.

        Args:
            view: `(B, 1, h, w)` in [0, 1].
        """
        return self(view).sigmoid() * self.scale[:, None, None] * spread_of(view)


def spread_of(view: torch.Tensor) -> torch.Tensor:
    """Return the standard deviation of each view's greys, `(B, 1, 1, 1)`."""
    return view.std((-3, -2, -1), keepdim=True)


def load_extent_network(path: str | Path) -> ExtentNetwork:
    """Read the network with the weights of a file (`.safetensors`), in float32.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it does not hold weights of this network.
    """
    return load_view_unet(path, ExtentNetwork, "extent finder")
