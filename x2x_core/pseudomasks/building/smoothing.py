"""From boxes to the probability that a finding lies over a point: ways to smooth, to be chosen among by measurement.

The plain estimate, the share of boxes that lie over a point, is exact only with endless boxes. Two ways to smooth it:

- "frequency": count the boxes over each pixel and blur the counts with a Gaussian;
- "kernel": a kernel density over the boxes' centres and sizes (Parzen, 1962). Each box stands for boxes like it,
  with centres spread by a Gaussian and sizes by a log-normal factor; the probability is the mean of their rectangles,
  in closed form. With `adaptivity`, the spread is wider where boxes are rare (Abramson, Annals of Statistics 1982).

Either can be drawn toward a prior map as if it were that of some more boxes (the mean of a beta posterior).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from x2x_core.common.errors import InputError

# Nodes and weights of Gauss-Hermite quadrature for a standard normal variable.
_NODES, _WEIGHTS = (-np.sqrt(3.0), 0.0, np.sqrt(3.0)), (1 / 6, 2 / 3, 1 / 6)
_WIDEST, _NARROWEST = 4.0, 0.25  # limits on what adaptivity makes of a bandwidth, as factors


@dataclass(frozen=True)
class Smoothing:
    """One way to smooth."""

    method: str = "kernel"  # "frequency" or "kernel"
    bandwidth: float = 0.04  # standard deviation of the spread, share of the image's side
    size_bandwidth: float = 0.0  # of the logarithm of a box's width and height; kernel only
    adaptivity: float = 0.0  # power of the centres' density that the bandwidth falls with; kernel only
    pseudo_boxes: float = 0.0  # how many boxes the prior counts for

    def __post_init__(self) -> None:
        if self.method not in ("frequency", "kernel"):
            raise InputError(f"`method` must be frequency or kernel, got {self.method!r}.")
        if self.bandwidth <= 0:
            raise InputError(f"`bandwidth` must be positive, got {self.bandwidth}.")
        for name in ("size_bandwidth", "adaptivity", "pseudo_boxes"):
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must not be negative, got {getattr(self, name)}.")


# What cross-validation chooses from.
CANDIDATES: tuple[Smoothing, ...] = (
    Smoothing("frequency", 0.02),
    Smoothing("frequency", 0.04),
    Smoothing("frequency", 0.04, pseudo_boxes=10),
    Smoothing("kernel", 0.02),
    Smoothing("kernel", 0.04),
    Smoothing("kernel", 0.04, size_bandwidth=0.2),
    Smoothing("kernel", 0.04, adaptivity=0.5),
    Smoothing("kernel", 0.06, adaptivity=0.5),
    Smoothing("kernel", 0.04, adaptivity=0.5, pseudo_boxes=3),
    Smoothing("kernel", 0.04, adaptivity=0.5, pseudo_boxes=10),
    Smoothing("kernel", 0.04, adaptivity=0.5, pseudo_boxes=30),
    Smoothing("kernel", 0.04, adaptivity=0.5, pseudo_boxes=100),
)


def smooth(rectangles: np.ndarray, smoothing: Smoothing, resolution: int) -> np.ndarray:
    """The probability that a box of the kind of `rectangles` lies over each pixel.

    Args:
        rectangles: `(n, 4)` float64: centre x, centre y, width, height, shares of the frame.
        smoothing: how; its prior is not added here.
        resolution: pixels to a side.

    Returns:
        `(resolution, resolution)` float64 in [0, 1]; zeros where there is no box.
    """
    if not len(rectangles):
        return np.zeros((resolution, resolution))
    if smoothing.method == "frequency":
        spread = smoothing.bandwidth * resolution
        counts = count(rectangles, resolution) / len(rectangles)
        return cv2.GaussianBlur(counts, (0, 0), spread, borderType=cv2.BORDER_REFLECT).clip(0, 1)
    spread = _spreads(rectangles, smoothing, resolution)
    across = _profiles(rectangles[:, 0], rectangles[:, 2], spread, smoothing.size_bandwidth, resolution)
    down = _profiles(rectangles[:, 1], rectangles[:, 3], spread, smoothing.size_bandwidth, resolution)
    return (down.T @ across / len(rectangles)).clip(0, 1)


def count(rectangles: np.ndarray, resolution: int) -> np.ndarray:
    """How many rectangles `(n, 4)` lie over each pixel, `(resolution, resolution)` float64; each over one at least."""
    counts = np.zeros((resolution, resolution))
    centres, halves = rectangles[:, :2], rectangles[:, 2:] / 2
    first = np.round((centres - halves) * resolution).astype(int).clip(0, resolution - 1)
    last = np.maximum(np.round((centres + halves) * resolution).astype(int), first + 1)
    for (left, top), (right, bottom) in zip(first.tolist(), last.tolist()):
        counts[top:bottom, left:right] += 1
    return counts


def _spreads(rectangles: np.ndarray, smoothing: Smoothing, resolution: int) -> np.ndarray:
    """Each box's bandwidth `(n,)`: wider where centres are rare, its geometric mean as set."""
    if not smoothing.adaptivity:
        return np.full(len(rectangles), smoothing.bandwidth)
    pixels = (rectangles[:, :2] * resolution).astype(int).clip(0, resolution - 1)
    centres = np.zeros((resolution, resolution))
    np.add.at(centres, (pixels[:, 1], pixels[:, 0]), 1.0)
    pilot = cv2.GaussianBlur(centres, (0, 0), 2 * smoothing.bandwidth * resolution, borderType=cv2.BORDER_REFLECT)
    logarithm = np.log(pilot[pixels[:, 1], pixels[:, 0]])
    factor = np.exp(-smoothing.adaptivity * (logarithm - logarithm.mean()))
    return smoothing.bandwidth * factor.clip(_NARROWEST, _WIDEST)


def _profiles(
    centres: np.ndarray, lengths: np.ndarray, spreads: np.ndarray, size_bandwidth: float, resolution: int
) -> np.ndarray:
    """The probability that each box, spread, lies over each pixel of one axis: `(n, resolution)`."""
    pixels = (np.arange(resolution) + 0.5) / resolution
    nodes = zip(_NODES, _WEIGHTS) if size_bandwidth else ((0.0, 1.0),)
    profiles = np.zeros((len(centres), resolution))
    for node, weight in nodes:
        half = lengths * np.exp(size_bandwidth * node) / 2
        start = (pixels - (centres - half)[:, None]) / spreads[:, None]
        end = (pixels - (centres + half)[:, None]) / spreads[:, None]
        profiles += weight * (_normal(start) - _normal(end))
    return profiles


def _normal(values: np.ndarray) -> np.ndarray:
    """The standard normal distribution function."""
    return torch.special.ndtr(torch.from_numpy(values)).numpy()
