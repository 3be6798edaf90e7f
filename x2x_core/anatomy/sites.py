"""Anatomy of the typical frontal radiograph: soft masks of anatomic sites, sides and zones.

Coordinates are shares of the whole image, x from its left edge and y from its top edge: the image is the unit square.
The patient's right is on the left of the image.

The outlines are drawn by hand from the anatomy of the frontal projection, not measured on a patient: lung apices
above the clavicles, hemidiaphragms a little above 3/4 of the height, the left one lower, two thirds of the heart on
the patient's left. They are generous, since patients differ in build, pose and cropping; they exclude places where a
finding cannot be.
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

Point = tuple[float, float]

# The patient's right lung, with the pleura around it and the costophrenic sulcus below.
_RIGHT_LUNG: tuple[Point, ...] = (
    (0.410, 0.075), (0.345, 0.065), (0.270, 0.105), (0.190, 0.205), (0.130, 0.340), (0.085, 0.500), (0.060, 0.660),
    (0.055, 0.760), (0.085, 0.800), (0.180, 0.760), (0.290, 0.735), (0.400, 0.760), (0.445, 0.740), (0.460, 0.600),
    (0.465, 0.400), (0.460, 0.220), (0.450, 0.120),
)  # fmt: skip
_LEFT_LUNG: tuple[Point, ...] = (
    (0.590, 0.075), (0.655, 0.065), (0.730, 0.105), (0.810, 0.205), (0.870, 0.340), (0.915, 0.500), (0.940, 0.660),
    (0.945, 0.790), (0.915, 0.830), (0.820, 0.795), (0.720, 0.775), (0.620, 0.790), (0.565, 0.760), (0.545, 0.600),
    (0.535, 0.400), (0.540, 0.220), (0.550, 0.120),
)  # fmt: skip
_THORAX: tuple[Point, ...] = (
    (0.500, 0.025), (0.630, 0.035), (0.740, 0.080), (0.840, 0.180), (0.905, 0.330), (0.950, 0.500), (0.970, 0.680),
    (0.970, 0.840), (0.920, 0.890), (0.800, 0.860), (0.650, 0.855), (0.500, 0.850), (0.350, 0.830), (0.200, 0.830),
    (0.080, 0.870), (0.030, 0.820), (0.030, 0.680), (0.050, 0.500), (0.095, 0.330), (0.160, 0.180), (0.260, 0.080),
    (0.370, 0.035),
)  # fmt: skip
_HEART: tuple[Point, ...] = (
    (0.420, 0.400), (0.500, 0.360), (0.590, 0.385), (0.660, 0.450), (0.730, 0.540), (0.790, 0.630), (0.825, 0.710),
    (0.820, 0.780), (0.760, 0.820), (0.620, 0.825), (0.480, 0.815), (0.390, 0.780), (0.350, 0.700), (0.340, 0.600),
    (0.360, 0.490),
)  # fmt: skip
_MEDIASTINUM: tuple[Point, ...] = (
    (0.410, 0.020), (0.590, 0.020), (0.615, 0.120), (0.635, 0.230), (0.640, 0.350), (0.660, 0.470), (0.700, 0.600),
    (0.720, 0.740), (0.640, 0.820), (0.420, 0.820), (0.350, 0.720), (0.360, 0.560), (0.380, 0.400), (0.380, 0.230),
    (0.390, 0.120),
)  # fmt: skip
_AORTA: tuple[Point, ...] = (  # ascending, arch (knob on the patient's left) and descending limb
    (0.400, 0.480), (0.390, 0.340), (0.410, 0.240), (0.470, 0.170), (0.550, 0.150), (0.620, 0.185), (0.650, 0.250),
    (0.640, 0.340), (0.630, 0.480), (0.630, 0.640), (0.620, 0.800), (0.520, 0.820), (0.505, 0.640), (0.500, 0.500),
)  # fmt: skip
_DESCENDING_AORTA: tuple[Point, ...] = (
    (0.500, 0.170), (0.580, 0.150), (0.640, 0.190), (0.660, 0.260), (0.645, 0.420), (0.635, 0.640), (0.625, 0.830),
    (0.500, 0.830), (0.490, 0.600), (0.490, 0.350),
)  # fmt: skip
_DIAPHRAGM: tuple[Point, ...] = (  # both domes, with the sulci at their ends
    (0.030, 0.680), (0.140, 0.650), (0.260, 0.620), (0.380, 0.640), (0.500, 0.690), (0.620, 0.670), (0.740, 0.650),
    (0.860, 0.680), (0.970, 0.710), (0.970, 0.900), (0.860, 0.890), (0.500, 0.890), (0.140, 0.880), (0.030, 0.870),
)  # fmt: skip
_RIGHT_BASE: tuple[Point, ...] = (  # from the middle of the lung down: fluid gathers there when upright
    (0.460, 0.480), (0.320, 0.450), (0.180, 0.430), (0.100, 0.410), (0.060, 0.560), (0.030, 0.720), (0.030, 0.860),
    (0.090, 0.910), (0.240, 0.890), (0.380, 0.880), (0.470, 0.850),
)  # fmt: skip
_SPINE: tuple[Point, ...] = (
    (0.400, -0.100), (0.600, -0.100), (0.620, 0.500), (0.640, 1.100), (0.360, 1.100), (0.380, 0.500),
)  # fmt: skip
_RIB_CAGE: tuple[Point, ...] = (
    (0.500, 0.010), (0.660, 0.020), (0.790, 0.080), (0.890, 0.200), (0.950, 0.400), (0.985, 0.640), (0.985, 0.880),
    (0.900, 0.940), (0.700, 0.900), (0.500, 0.890), (0.300, 0.890), (0.100, 0.930), (0.015, 0.870), (0.015, 0.640),
    (0.050, 0.400), (0.110, 0.200), (0.210, 0.080), (0.340, 0.020),
)  # fmt: skip


def _mirror(points: Sequence[Point]) -> tuple[Point, ...]:
    return tuple((1 - x, y) for x, y in points)


def _ellipse(cx: float, cy: float, half_width: float, half_height: float) -> tuple[Point, ...]:
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return tuple((cx + half_width * float(np.cos(a)), cy + half_height * float(np.sin(a))) for a in angles)


def _pair(points: Sequence[Point]) -> tuple[tuple[Point, ...], ...]:
    return tuple(points), _mirror(points)


# Each site is the union of its outlines.
SHAPES: dict[str, tuple[tuple[Point, ...], ...]] = {
    "thorax": (_THORAX,),
    "lungs": (_RIGHT_LUNG, _LEFT_LUNG),
    "pleura": (_RIGHT_LUNG, _LEFT_LUNG, *_pair(_RIGHT_BASE)),
    "pleural base": _pair(_RIGHT_BASE),
    "costophrenic angles": _pair(_ellipse(0.115, 0.775, 0.110, 0.130)),
    "apex": _pair(_ellipse(0.335, 0.165, 0.165, 0.125)),
    "hila": _pair(_ellipse(0.365, 0.420, 0.125, 0.165)),
    "heart": (_HEART,),
    "mediastinum": (_MEDIASTINUM,),
    "aorta": (_AORTA,),
    "descending aorta": (_DESCENDING_AORTA,),
    "diaphragm": (_DIAPHRAGM,),
    "stomach": (_ellipse(0.715, 0.865, 0.195, 0.145),),
    "spine": (_SPINE,),
    "ribs": (_RIB_CAGE,),
}


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
