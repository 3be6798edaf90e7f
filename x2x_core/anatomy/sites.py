"""Anatomy of the typical frontal radiograph: soft masks of anatomic sites, sides and zones.

Coordinates are shares of the whole image, x from its left edge and y from its top edge: the image is the unit square.
The patient's right is on the left of the image.

The outlines of the sites are in `x2x_core.anatomy.outlines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.imaging.soft import inverse_smoothstep, smoothstep

from .outlines import SHAPES, Point

SITE_RESOLUTION = 256  # side length in pixels at which outlines are drawn

# A mask is 1 inside and falls smoothly to 0 across its outline. The published threshold on the guidance map G = P * R
# is 0.1 and R is at most 1. With the level 0.1 exactly on the outline, nothing outside can pass the threshold, and
# near the outline only strong relevance passes.
EDGE_LEVEL = 0.1
EDGE_WIDTH = 0.05  # width of the fall from 1 to 0, share of the image's side

MIDLINE = 0.5
SIDE_OVERLAP = 0.03  # distance past the midline at which the mask of a side falls to EDGE_LEVEL

# Thirds of the lung field (apices near 0.08, bases near 0.77 of the height); the outer ones extend to the borders of
# the image, since effusions reach below the lungs.
ZONE_BANDS = {
    "upper": (0.0, 0.34),
    "middle": (0.28, 0.58),
    "lower": (0.50, 1.0),
    "apical": (0.0, 0.25),
    "basal": (0.56, 1.0),
}
# Zones that are sites instead of bands.
ZONE_SITES = {"perihilar": "hila", "hilar": "hila", "retrocardiac": "heart", "costophrenic": "costophrenic angles"}


def soften(region: np.ndarray, edge_width: float = EDGE_WIDTH) -> np.ndarray:
    """Return a soft mask of a region: 1 inside, falling to 0 across its outline, `EDGE_LEVEL` on the outline.

    Args:
        region: `(h, w)` of bool.
        edge_width: width of the fall from 1 to 0, as a share of the image's longer side.

    Returns:
        `(h, w)` float32 in [0, 1], at least `EDGE_LEVEL` inside the region and less outside. An empty region gives
        zeros, the whole image gives ones.

    Raises:
        InputError: `region` is not 2-dimensional, or `edge_width` is not positive.
    """
    if region.ndim != 2 or edge_width <= 0:
        raise InputError(f"`region` must be (h, w) and `edge_width` positive, got {region.shape} and {edge_width}.")
    inside = np.pad(region.astype(np.uint8), 1, mode="edge")  # the border of the image is not an outline
    depth = _distance(inside) - _distance(1 - inside)  # pixels, positive inside; +-0.5 beside the outline
    outline = inverse_smoothstep(EDGE_LEVEL)
    share = outline + depth[1:-1, 1:-1] / (edge_width * max(region.shape))
    return smoothstep(share).astype(np.float32)


def _distance(inside: np.ndarray) -> np.ndarray:
    """Return the distance of inner pixels to the outline; 0 elsewhere."""
    if inside.all():
        return np.full(inside.shape, float(sum(inside.shape)))
    distance = cv2.distanceTransform(np.ascontiguousarray(inside), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.maximum(distance - 0.5, 0)


@cache
def _site(name: str) -> np.ndarray:
    canvas = np.zeros((SITE_RESOLUTION, SITE_RESOLUTION), np.uint8)
    for outline in SHAPES[name]:
        cv2.fillPoly(canvas, [_round_outline(outline)], 1)
    mask = soften(canvas > 0)
    mask.setflags(write=False)
    return mask


def _round_outline(points: Sequence[Point]) -> np.ndarray:
    """Smooth a polygon by cutting its corners twice (Chaikin, 1974); returns `(n, 1, 2)` int32 pixels."""
    corners = np.asarray(points, np.float64)
    for _ in range(2):
        following = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], 1).reshape(-1, 2)
    pixels = np.round(corners * SITE_RESOLUTION - 0.5).astype(np.int32)
    return pixels[:, None]


def site_mask(name: str) -> torch.Tensor:
    """Return the soft mask of an anatomic site in the unit square.

    Args:
        name: a key of `SHAPES`.

    Returns:
        `(SITE_RESOLUTION, SITE_RESOLUTION)` float32 in [0, 1].

    Raises:
        InputError: there is no such site.
    """
    if name not in SHAPES:
        raise InputError(f"`name` must be an anatomic site ({', '.join(sorted(SHAPES))}), got {name!r}.")
    return torch.from_numpy(_site(name).copy())


def side_mask(side: str, size: tuple[int, int]) -> torch.Tensor:
    """Return the mask of the patient's left or right: 1 there, falling smoothly just past the midline.

    Args:
        side: "left", "right" or "bilateral" (everywhere). The patient's left is on the right of the image.
        size: `(height, width)` in pixels.

    Returns:
        `(H, W)` float32 in [0, 1].

    Raises:
        InputError: another side.
    """
    if side == "bilateral":
        return torch.ones(size)
    if side not in ("left", "right"):
        raise InputError(f"`side` must be left, right or bilateral, got {side!r}.")
    x = _centres(size[1])
    toward = (x - MIDLINE) if side == "left" else (MIDLINE - x)
    outline = inverse_smoothstep(EDGE_LEVEL)
    window = smoothstep(outline + (toward + SIDE_OVERLAP) / EDGE_WIDTH)
    return window.expand(size).clone()


def zone_mask(zone: str, size: tuple[int, int]) -> torch.Tensor:
    """Return the mask of a zone of the lungs: a third of their height, or a site such as "perihilar".

    Args:
        zone: a key of `ZONE_BANDS` or `ZONE_SITES`.
        size: `(height, width)` in pixels.

    Returns:
        `(H, W)` float32 in [0, 1], with soft edges. Neighbouring thirds overlap.

    Raises:
        InputError: an unknown zone.
    """
    if zone in ZONE_SITES:
        mask = site_mask(ZONE_SITES[zone])[None, None]
        return F.interpolate(mask, size, mode="bilinear", align_corners=False)[0, 0]
    if zone not in ZONE_BANDS:
        raise InputError(f"`zone` must be one of {', '.join((*ZONE_BANDS, *ZONE_SITES))}, got {zone!r}.")
    top, bottom = ZONE_BANDS[zone]
    y = _centres(size[0])
    outline = inverse_smoothstep(EDGE_LEVEL)
    band = torch.ones_like(y)
    if top > 0:
        band = band * smoothstep(outline + (y - top) / EDGE_WIDTH)
    if bottom < 1:
        band = band * smoothstep(outline + (bottom - y) / EDGE_WIDTH)
    return band[:, None].expand(size).clone()


def location_window(side: str | None, zone: str | None, resolution: int = SITE_RESOLUTION) -> torch.Tensor:
    """Return the part of the unit square that a side and a zone name.

    Args:
        side: "left" or "right" of the patient; "bilateral" or ``None`` for both.
        zone: see `zone_mask`; ``None`` for all heights.
        resolution: side length in pixels.

    Returns:
        `(resolution, resolution)` float32 in [0, 1], with soft edges.

    Raises:
        InputError: an unknown side or zone.
    """
    size = (resolution, resolution)
    window = torch.ones(size) if side is None else side_mask(side, size)
    return window if zone is None else window * zone_mask(zone, size)


def _centres(pixels: int) -> torch.Tensor:
    return (torch.arange(pixels, dtype=torch.float32) + 0.5) / pixels
