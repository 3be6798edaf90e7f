"""Masks of organs in a chest CT. All arrays are `(Z, Y, X)`, masks boolean, axes as in `Volume`."""

from __future__ import annotations

import numpy as np

from x2x_core.common.errors import InputError

from .scipy_ndimage import load_ndimage

_BODY_HU = -400
_LUNG_HU = -450
_BONE_HU = 180

_Spacing = tuple[float, float, float]


def soften(mask: np.ndarray) -> np.ndarray:
    """Return a mask with soft edges, float32 in [0, 1]."""
    return load_ndimage().gaussian_filter(mask.astype(np.float32), 0.7)


def body_mask(hu: np.ndarray, spacing: _Spacing) -> np.ndarray:
    """Segment the patient without the table: largest component of an opened threshold, holes filled by slice."""
    ndimage = load_ndimage()
    solid = ndimage.binary_opening(hu > _BODY_HU, iterations=_steps(6, spacing))
    body = _largest(solid, 1)[0]
    body = ndimage.binary_dilation(body, iterations=1) & (hu > -700) | body
    return np.stack([ndimage.binary_fill_holes(axial) for axial in body])


def lung_masks(hu: np.ndarray, body: np.ndarray, spacing: _Spacing) -> tuple[np.ndarray, np.ndarray]:
    """Segment the right and the left lung: air inside the body, split at the narrowest place between them.

    Raises:
        InputError: only one air space was found.
    """
    ndimage = load_ndimage()
    air = (hu < _LUNG_HU) & body
    near = _steps(4, spacing)
    trachea = ndimage.binary_dilation(ndimage.binary_opening((hu < -930) & body, iterations=near), iterations=near)
    parts = _largest(ndimage.binary_opening(air & ~trachea, iterations=_steps(2, spacing)), 2)
    litres = float(np.prod(spacing)) / 1e6
    if len(parts) < 2 or min(part.sum() for part in parts) * litres < 0.5:
        parts = _split(air, litres, spacing)
    far = _steps(10, spacing)
    closed = [ndimage.binary_closing(np.pad(part, 6), iterations=far)[6:-6, 6:-6, 6:-6] & body for part in parts]
    closed.sort(key=lambda part: np.argwhere(part)[:, 2].mean())
    return closed[0] & ~closed[1], closed[1] & ~closed[0]


def _split(air: np.ndarray, litres: float, spacing: _Spacing) -> list[np.ndarray]:
    """Split touching lungs by erosion; `litres` is the volume of a voxel."""
    ndimage = load_ndimage()
    cores = _largest(ndimage.binary_erosion(air, iterations=_steps(6, spacing)), 2)
    if len(cores) < 2 or cores[1].sum() * litres < 0.2:
        raise InputError("`ct` must show two separate lungs, but only one air space was found.")
    return [ndimage.binary_dilation(core, iterations=_steps(8, spacing), mask=air) for core in cores]


def spine_region(body: np.ndarray, spacing: _Spacing) -> np.ndarray:
    """Return a box around the spine: the rear half of the body, within 45 mm of its middle."""
    depth = np.cumsum(body, axis=1)
    rear = depth > 0.52 * np.maximum(depth[:, -1:], 1)
    middle = np.argwhere(body)[:, 2].mean()
    near = np.abs(np.arange(body.shape[2]) - middle) * spacing[2] < 45
    return body & rear & near


def blood_mask(hu: np.ndarray, spine: np.ndarray, spacing: _Spacing) -> np.ndarray:
    """Segment large regions denser than muscle, without vertebrae: contrast-enhanced heart, vessels and kidneys."""
    ndimage = load_ndimage()
    core = ndimage.binary_opening((hu > 110) & ~spine, _ball(7, spacing))
    return ndimage.binary_dilation(core, _ball(5, spacing)) & (hu > 60) & ~spine


def bone_mask(hu: np.ndarray, body: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """Segment bone: dense voxels that are not contrast-enhanced blood."""
    return (hu > _BONE_HU) & body & ~blood


def heart_mask(hu: np.ndarray, lungs: np.ndarray, spine: np.ndarray, spacing: _Spacing) -> np.ndarray:
    """Segment the heart: the largest rounded soft tissue between the lungs, below the carina, above the liver.

    Raises:
        InputError: there is no such tissue.
    """
    ndimage = load_ndimage()
    rows = np.flatnonzero(lungs.any((1, 2)))
    height = rows[-1] - rows[0]
    tissue = (hu > -30) & ~spine & _between_lungs(lungs, spacing)
    tissue[: rows[0] + int(0.42 * height)] = False
    tissue[rows[0] + int(0.78 * height) :] = False
    opened = ndimage.binary_opening(tissue, _ball(14, spacing))
    if not opened.any():
        raise InputError("`ct` must show the heart between the lungs, but no such tissue was found.")
    return _largest(opened, 1)[0]


def _between_lungs(lungs: np.ndarray, spacing: _Spacing) -> np.ndarray:
    """Segment the mediastinum: voxels between two lungs on a line from right to left, or near such voxels."""
    ndimage = load_ndimage()
    from_right = np.maximum.accumulate(lungs, axis=2)
    from_left = np.maximum.accumulate(lungs[:, :, ::-1], axis=2)[:, :, ::-1]
    inside = from_right & from_left & ~lungs
    return ndimage.binary_closing(ndimage.binary_opening(inside, _ball(6, spacing)), _ball(12, spacing))


def _largest(mask: np.ndarray, count: int) -> list[np.ndarray]:
    """Return the `count` largest connected components, largest first."""
    ndimage = load_ndimage()
    labels, total = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, total + 1))
    order = np.argsort(sizes)[::-1][:count] + 1
    return [labels == number for number in order]


def _steps(distance_mm: float, spacing: _Spacing) -> int:
    """Return the number of one-voxel morphological steps that reach about `distance_mm`."""
    return max(1, round(distance_mm / float(np.prod(spacing)) ** (1 / 3)))


def _ball(radius_mm: float, spacing: _Spacing) -> np.ndarray:
    """Return a ball as a structuring element."""
    radius = [max(1, round(radius_mm / s)) for s in spacing]
    z, y, x = np.ogrid[tuple(slice(-r, r + 1) for r in radius)]
    return (z / radius[0]) ** 2 + (y / radius[1]) ** 2 + (x / radius[2]) ** 2 <= 1
