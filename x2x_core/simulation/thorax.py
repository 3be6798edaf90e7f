"""Segment a chest CT into what the simulator needs: body, bone, lungs, heart, hila."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from x2x_core.common.errors import InputError

from .ct import SPACING_MM, Volume, resample
from .scipy_ndimage import load_ndimage

_BODY_HU = -400
_LUNG_HU = -450
_BONE_HU = 180
_BLOOD_HU = 50  # blood without contrast agent
_DENSEST = 1.8  # cortical bone, relative to water; denser voxels are metal or contrast agent


@dataclass(frozen=True)
class Lung:
    """One lung: its mask, and distances that diseases are built from. All tensors are `(Z, Y, X)`."""

    mask: torch.Tensor  # float, soft edge, in [0, 1]
    depth: torch.Tensor  # mm from the pleura, 0 outside the lung
    wall: torch.Tensor  # mm from the outer (costal) pleura, in vessels too; large near the mediastinum
    hilum: tuple[float, float, float]  # voxel (z, y, x)
    apex: float  # z (voxel) of the top
    dome: float  # z of the top of the diaphragm under this lung
    base: float  # z of the lowest point of the lung


@dataclass(frozen=True)
class Thorax:
    """A chest ready for disease and projection.

    `soft` and `bone` are float32 `(Z, Y, X)` attenuations relative to water (1 = water): bone holds only
    what lies above soft tissue, so that the beam can weigh it. `heart` is a soft mask in [0, 1];
    `heart_centre` its voxel centre. Axes as in `Volume`.
    """

    soft: torch.Tensor
    bone: torch.Tensor
    lungs: dict[str, Lung]
    heart: torch.Tensor
    heart_centre: tuple[float, float, float]
    spacing: tuple[float, float, float]
    source: str

    @property
    def attenuation(self) -> torch.Tensor:
        """Attenuation relative to water with an average beam, `(Z, Y, X)`."""
        return self.soft + self.bone


def segment_thorax(volume: Volume, spacing: tuple[float, float, float] = SPACING_MM) -> Thorax:
    """Segment a CT (any spacing) on the simulator's grid of `spacing` (mm for z, y and x).

    Raises `ValueError` where no two lungs can be told apart.
    """
    volume = resample(volume, spacing)
    hu = volume.hu
    body = _body(hu, volume.spacing)
    hu = np.where(body, hu, -1000.0)
    right, left = _lungs(hu, body, volume.spacing)
    spine = _spine(body, volume.spacing)
    blood = _blood(hu, spine, volume.spacing)
    bone = _bone(hu, body, blood)
    heart = _heart(hu, right | left, spine, volume.spacing)
    hu = np.where(blood, np.minimum(hu, _BLOOD_HU), hu)
    attenuation = np.clip(1 + hu / 1000.0, 0, _DENSEST)
    excess = np.where(bone, np.clip(attenuation - 1.06, 0, None), 0)
    lungs = {"right": _lung(right, volume.spacing), "left": _lung(left, volume.spacing)}
    centre = tuple(float(c) for c in np.argwhere(heart).mean(0))
    return Thorax(
        soft=torch.from_numpy((attenuation - excess).astype(np.float32)),
        bone=torch.from_numpy(excess.astype(np.float32)),
        lungs=lungs,
        heart=torch.from_numpy(_soften(heart)),
        heart_centre=centre,
        spacing=volume.spacing,
        source=volume.source,
    )


def _steps(distance_mm: float, spacing: tuple) -> int:
    """Morphological steps of one voxel that reach about as far."""
    return max(1, round(distance_mm / float(np.prod(spacing)) ** (1 / 3)))


def _body(hu: np.ndarray, spacing: tuple) -> np.ndarray:
    """The patient without the table: largest component of an opened threshold, holes filled slice by slice."""
    ndimage = load_ndimage()
    solid = ndimage.binary_opening(hu > _BODY_HU, iterations=_steps(6, spacing))
    body = _largest(solid, 1)[0]
    body = ndimage.binary_dilation(body, iterations=1) & (hu > -700) | body
    return np.stack([ndimage.binary_fill_holes(axial) for axial in body])


def _largest(mask: np.ndarray, count: int) -> list[np.ndarray]:
    ndimage = load_ndimage()
    labels, found = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, found + 1))
    order = np.argsort(sizes)[::-1][:count] + 1
    return [labels == k for k in order]


def _lungs(hu: np.ndarray, body: np.ndarray, spacing: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Right and left lung: air inside the body, split at the narrowest place between them."""
    ndimage = load_ndimage()
    air = (hu < _LUNG_HU) & body
    near = _steps(4, spacing)
    trachea = ndimage.binary_dilation(ndimage.binary_opening((hu < -930) & body, iterations=near), iterations=near)
    parts = [p for p in _largest(ndimage.binary_opening(air & ~trachea, iterations=_steps(2, spacing)), 2)]
    litres = np.prod(spacing) / 1e6
    if len(parts) < 2 or min(p.sum() for p in parts) * litres < 0.5:
        parts = _split(air, litres, spacing)
    far = _steps(10, spacing)
    closed = [ndimage.binary_closing(np.pad(p, 6), iterations=far)[6:-6, 6:-6, 6:-6] & body for p in parts]
    closed.sort(key=lambda p: np.argwhere(p)[:, 2].mean())
    return closed[0] & ~closed[1], closed[1] & ~closed[0]


def _split(air: np.ndarray, litres: float, spacing: tuple) -> list[np.ndarray]:
    ndimage = load_ndimage()
    core = _largest(ndimage.binary_erosion(air, iterations=_steps(6, spacing)), 2)
    if len(core) < 2 or core[1].sum() * litres < 0.2:
        raise InputError("`ct` must show two lungs apart from each other, but only one air space was found.")
    return [ndimage.binary_dilation(c, iterations=_steps(8, spacing), mask=air) for c in core]


def _bone(hu: np.ndarray, body: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """Bone: dense voxels that are not part of a large body of contrast-enhanced blood or kidney."""
    return (hu > _BONE_HU) & body & ~blood


def _ball(radius_mm: float, spacing: tuple) -> np.ndarray:
    radius = [max(1, round(radius_mm / s)) for s in spacing]
    grid = np.ogrid[tuple(slice(-r, r + 1) for r in radius)]
    return sum((g / r) ** 2 for g, r in zip(grid, radius)) <= 1


def _spine(body: np.ndarray, spacing: tuple) -> np.ndarray:
    """A box around the spine: the rear half of the body, within 45 mm of its middle."""
    depth = np.cumsum(body, axis=1)
    rear = depth > 0.52 * np.maximum(depth[:, -1:], 1)
    middle = np.argwhere(body)[:, 2].mean()
    near = np.abs(np.arange(body.shape[2]) - middle) * spacing[2] < 45
    return body & rear & near


def _blood(hu: np.ndarray, spine: np.ndarray, spacing: tuple) -> np.ndarray:
    """Large bodies denser than muscle that are no vertebrae: contrast-enhanced heart, vessels, kidneys."""
    ndimage = load_ndimage()
    core = ndimage.binary_opening((hu > 110) & ~spine, _ball(7, spacing))
    return ndimage.binary_dilation(core, _ball(5, spacing)) & (hu > 60) & ~spine


def _heart(hu: np.ndarray, lungs: np.ndarray, spine: np.ndarray, spacing: tuple) -> np.ndarray:
    """The heart: the largest rounded body of soft tissue between the lungs, below the carina, above the liver."""
    ndimage = load_ndimage()
    rows = np.flatnonzero(lungs.any((1, 2)))
    height = rows[-1] - rows[0]
    tissue = (hu > -30) & ~spine & _reach(lungs, spacing)
    tissue[: rows[0] + int(0.42 * height)] = False
    tissue[rows[0] + int(0.78 * height) :] = False
    opened = ndimage.binary_opening(tissue, _ball(14, spacing))
    if not opened.any():
        raise InputError("`ct` must show the heart between the lungs, but no such tissue was found.")
    return _largest(opened, 1)[0]


def _reach(lungs: np.ndarray, spacing: tuple) -> np.ndarray:
    """Where the line from right to left passes between two lungs, or near them: the mediastinum, not the liver."""
    ndimage = load_ndimage()
    from_right = np.maximum.accumulate(lungs, axis=2)
    from_left = np.maximum.accumulate(lungs[:, :, ::-1], axis=2)[:, :, ::-1]
    inside = from_right & from_left & ~lungs
    return ndimage.binary_closing(ndimage.binary_opening(inside, _ball(6, spacing)), _ball(12, spacing))


def _soften(mask: np.ndarray) -> np.ndarray:
    ndimage = load_ndimage()
    return ndimage.gaussian_filter(mask.astype(np.float32), 0.7)


def _lung(mask: np.ndarray, spacing: tuple) -> Lung:
    ndimage = load_ndimage()
    depth = ndimage.distance_transform_edt(mask, spacing).astype(np.float32)
    voxels = np.argwhere(mask)
    apex, base = voxels[:, 0].min(), voxels[:, 0].max()
    side_is_right = voxels[:, 2].mean() < mask.shape[2] / 2
    medial = np.where(side_is_right, voxels[:, 2], -voxels[:, 2])
    level = np.abs(voxels[:, 0] - (apex + 0.42 * (base - apex))) < 6
    near = voxels[level][np.argsort(medial[level])[-200:]]
    columns = mask.sum(0)
    bottoms = np.where(columns > 10, mask.shape[0] - 1 - mask[::-1].argmax(0), -1)
    inner = bottoms[bottoms > 0]
    return Lung(
        mask=torch.from_numpy(_soften(mask)),
        depth=torch.from_numpy(depth),
        wall=torch.from_numpy(_costal_distance(mask, side_is_right, spacing)),
        hilum=tuple(float(c) for c in near.mean(0)),
        apex=float(apex),
        dome=float(np.percentile(inner, 12)),
        base=float(base),
    )


def _costal_distance(mask: np.ndarray, is_right: bool, spacing: tuple) -> np.ndarray:
    """Distance (mm) to the chest wall: the lung is closed on its medial and lower side before measuring."""
    ndimage = load_ndimage()
    filled = mask.copy()
    order = filled[:, :, ::-1] if not is_right else filled
    order[:] = np.maximum.accumulate(order, axis=2)  # everything medial of the lung counts as inside
    filled = np.maximum.accumulate(filled, axis=0)  # and everything below it
    return ndimage.distance_transform_edt(filled, spacing).astype(np.float32)
