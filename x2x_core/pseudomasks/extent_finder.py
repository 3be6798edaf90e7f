"""Finding the extents of the findings that a radiograph shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import torch

from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.geometry import crop, fit_to, resize
from x2x_core.imaging.wide_blur import smooth
from x2x_core.simulation.films.extents import DARKER_FINDINGS

from .extent_network import OUTPUTS, PLEURA, VIEW, ExtentNetwork, load_extent_network

_GRID = 1.2  # standard deviation that hides the grid of the network's upsampling, pixels of its view
_FAINT = (0.15, 0.3)  # share of a finding's greatest change: up to the first it counts as none, from the second in full


class FoundExtents(Mapping[str, torch.Tensor]):
    """The extents found on one picture, by finding; each is resampled to the picture's size when it is asked for.

    Args:
        changes: of the view, by the names of `OUTPUTS`, `(1, 1, h, w)`, at least 0.
        size: of the picture, `(height, width)`.
    """

    def __init__(self, changes: Mapping[str, torch.Tensor], size: tuple[int, int]) -> None:
        self._changes, self._size = changes, size

    def __getitem__(self, finding: str) -> torch.Tensor:
        if finding == PLEURA:
            raise KeyError(finding)
        extent = self._at_size(finding)
        if finding not in DARKER_FINDINGS:
            return extent
        pleura = self._at_size(PLEURA)
        return torch.where(pleura > extent, pleura, -extent)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._changes if name != PLEURA)

    def __len__(self) -> int:
        return len(self._changes) - 1

    def _at_size(self, name: str) -> torch.Tensor:
        return resize(self._changes[name], self._size).clamp(0, 1)


class ExtentFinder:
    """Find by how much each finding that a radiograph shows changes its pixels, on the CPU, deterministically.

    Args:
        network: the network with its weights.
    """

    def __init__(self, network: ExtentNetwork) -> None:
        self.network = network.float().eval().requires_grad_(False)

    @classmethod
    def bundled(cls) -> ExtentFinder:
        """Return the bundled finder; its weights are read on the first call."""
        return _bundled()

    @classmethod
    def load(cls, path: str | Path) -> ExtentFinder:
        """Read weights (`.safetensors`).

        Raises:
            InputNotFoundError: there is no such file.
            InputError: it does not hold weights of this network.
        """
        return cls(load_extent_network(path))

    def find(self, grey: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Find the extent of each finding.

        Args:
            grey: `(1, 1, H, W)` in [0, 1], a frontal radiograph, bright for dense.

        Returns:
            By finding: `(1, 1, H, W)` in grey values, [-1, 1], about how much brighter it makes each pixel, or darker
            (below 0) for air in the pleural space. What is much fainter than the finding's most is left out.
        """
        view, padding = fit_to(grey.float(), VIEW)
        changes = crop(self.network.changes(view), padding).split(1, dim=1)
        shown = {name: _without_faint(own) for name, own in zip(OUTPUTS, changes, strict=True)}
        return FoundExtents(shown, (grey.shape[-2], grey.shape[-1]))


def _without_faint(change: torch.Tensor) -> torch.Tensor:
    """Return a change `(1, 1, h, w)` without the network's grid and without what is much fainter than its most."""
    change = torch.from_numpy(smooth(change[0, 0].numpy(), _GRID))[None, None]
    share = change / change.amax().clamp_min(1e-6)
    return change * ((share - _FAINT[0]) / (_FAINT[1] - _FAINT[0])).clamp(0, 1)


@lru_cache(maxsize=1)
def _bundled() -> ExtentFinder:
    return ExtentFinder.load(bundled_path("extents"))
