"""Smoothing: estimates of the probability that a finding covers a point, from boxes.

The plain estimate, the share of boxes that cover a point, is exact only in the limit. Two ways to smooth it:

- "frequency": blur the number of boxes over each pixel with a Gaussian;
- "kernel": a kernel density over the boxes' centres and sizes (Parzen, 1962). Each box represents similar boxes,
  with a Gaussian distribution of centres and a log-normal distribution of sizes; the probability is the mean of their
  rectangles, in closed form. With `adaptivity`, the bandwidth grows where boxes are rare (Abramson, Annals of
  Statistics 1982).

Both can be shrunk towards a prior map that counts as a number of boxes (the mean of a beta posterior).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from x2x_core.common.errors import InputError

# Nodes and weights of Gauss-Hermite quadrature for a standard normal variable.
_NODES, _WEIGHTS = (-np.sqrt(3.0), 0.0, np.sqrt(3.0)), (1 / 6, 2 / 3, 1 / 6)
_WIDEST, _NARROWEST = 4.0, 0.25  # limits of the factor by which adaptivity changes a bandwidth


@dataclass(frozen=True)
class Smoothing:
    """Parameters of one smoothing method."""

    method: str = "kernel"  # "frequency" or "kernel"
    bandwidth: float = 0.04  # standard deviation of the centres, share of the image's side
    size_bandwidth: float = 0.0  # of the logarithm of a box's width and height; kernel only
    adaptivity: float = 0.0  # exponent with which the bandwidth falls with the density of centres; kernel only
    pseudo_boxes: float = 0.0  # number of boxes that the prior counts as

    def __post_init__(self) -> None:
        if self.method not in ("frequency", "kernel"):
            raise InputError(f"`method` must be frequency or kernel, got {self.method!r}.")
        if self.bandwidth <= 0:
            raise InputError(f"`bandwidth` must be positive, got {self.bandwidth}.")
        for name in ("size_bandwidth", "adaptivity", "pseudo_boxes"):
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must not be negative, got {getattr(self, name)}.")


# The candidates of the cross-validation.
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
    """Estimate the probability that a box of the kind of `rectangles` covers each pixel.

    Args:
        rectangles: `(n, 4)` float64: centre x, centre y, width, height, shares of the frame.
        smoothing: the method; its prior is not applied here.
        resolution: side length in pixels.

    Returns:
        `(resolution, resolution)` float64 in [0, 1]; zeros without boxes.
    """
    if not len(rectangles):
        return np.zeros((resolution, resolution))
    if smoothing.method == "frequency":
        sigma = smoothing.bandwidth * resolution
        counts = count(rectangles, resolution) / len(rectangles)
        return cv2.GaussianBlur(counts, (0, 0), sigma, borderType=cv2.BORDER_REFLECT).clip(0, 1)
    bandwidths = _bandwidths(rectangles, smoothing, resolution)
    across = _profiles(rectangles[:, 0], rectangles[:, 2], bandwidths, smoothing.size_bandwidth, resolution)
    down = _profiles(rectangles[:, 1], rectangles[:, 3], bandwidths, smoothing.size_bandwidth, resolution)
    return (down.T @ across / len(rectangles)).clip(0, 1)


def count(rectangles: np.ndarray, resolution: int) -> np.ndarray:
    """Count the rectangles `(n, 4)` over each pixel, `(resolution, resolution)`; each covers at least one pixel."""
    counts = np.zeros((resolution, resolution))
    centres, halves = rectangles[:, :2], rectangles[:, 2:] / 2
    first = np.round((centres - halves) * resolution).astype(int).clip(0, resolution - 1)
    last = np.maximum(np.round((centres + halves) * resolution).astype(int), first + 1)
    for (left, top), (right, bottom) in zip(first.tolist(), last.tolist()):
        counts[top:bottom, left:right] += 1
    return counts


def _bandwidths(rectangles: np.ndarray, smoothing: Smoothing, resolution: int) -> np.ndarray:
    """Return the bandwidth of each box `(n,)`: larger where centres are rare, with the set geometric mean."""
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
    centres: np.ndarray, lengths: np.ndarray, bandwidths: np.ndarray, size_bandwidth: float, resolution: int
) -> np.ndarray:
    """Return the probability that each box covers each pixel of one axis, `(n, resolution)`."""
    pixels = (np.arange(resolution) + 0.5) / resolution
    nodes = zip(_NODES, _WEIGHTS) if size_bandwidth else ((0.0, 1.0),)
    profiles = np.zeros((len(centres), resolution))
    for node, weight in nodes:
        half = lengths * np.exp(size_bandwidth * node) / 2
        start = (pixels - (centres - half)[:, None]) / bandwidths[:, None]
        end = (pixels - (centres + half)[:, None]) / bandwidths[:, None]
        profiles += weight * (_normal(start) - _normal(end))
    return profiles


def _normal(values: np.ndarray) -> np.ndarray:
    """Return the standard normal distribution function."""
    return torch.special.ndtr(torch.from_numpy(values)).numpy()
