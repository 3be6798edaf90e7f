"""Outlines of anatomic sites on the typical frontal radiograph.

Coordinates are shares of the whole image, x from its left edge and y from its top edge: the image is the unit square.
The patient's right is on the left of the image.

The outlines are drawn by hand from the anatomy of the frontal projection, not measured on a patient: lung apices
above the clavicles, hemidiaphragms a little above 3/4 of the height, the left one lower, two thirds of the heart on
the patient's left. They are generous, since patients differ in build, pose and cropping; they exclude places where a
finding cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
