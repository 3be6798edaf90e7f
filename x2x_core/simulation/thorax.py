"""A chest CT segmented for the simulator: body, bone, lungs, heart and hila."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .ct import SPACING_MM, Volume, resample
from .organ_masks import blood_mask, body_mask, bone_mask, heart_mask, lung_masks, soften, spine_region
from .scipy_ndimage import load_ndimage

_BLOOD_HU = 50  # of blood without contrast agent
_DENSEST = 1.8  # cortical bone, relative to water; denser voxels are metal or contrast agent


@dataclass(frozen=True)
class Lung:
    """One lung: its mask, and the distances on which diseases are based. All tensors are `(Z, Y, X)`."""

    mask: torch.Tensor  # float with a soft edge, in [0, 1]
    depth: torch.Tensor  # mm from the pleura, 0 outside the lung
    wall: torch.Tensor  # mm from the outer (costal) pleura, also inside vessels; large near the mediastinum
    hilum: tuple[float, float, float]  # voxel (z, y, x)
    apex: float  # voxel z of the top
    dome: float  # voxel z of the top of the diaphragm below this lung
    base: float  # voxel z of the lowest point


@dataclass(frozen=True)
class Thorax:
    """A chest ready for disease and projection.

    `soft` and `bone` are float32 `(Z, Y, X)` attenuations relative to water (1 = water): `bone` is only the excess over
    soft tissue, so that the beam can weight it. `heart` is a soft mask in [0, 1], `heart_centre` its centre in voxels.
    Axes are those of `Volume`.
    """

    soft: torch.Tensor
    bone: torch.Tensor
    lungs: dict[str, Lung]  # "right" and "left"
    heart: torch.Tensor
    heart_centre: tuple[float, float, float]
    spacing: tuple[float, float, float]  # mm per voxel along z, y and x
    source: str

    @property
    def attenuation(self) -> torch.Tensor:
        """Attenuation relative to water for an average beam, `(Z, Y, X)`."""
        return self.soft + self.bone

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        depth, height, width = self.soft.shape
        return depth, height, width

    def lung(self, side: str | None) -> Lung:
        """Return the lung of a side, "right" or "left"."""
        if side is None:
            raise ValueError("A finding of one lung needs a side.")
        return self.lungs[side]


def segment_thorax(volume: Volume, spacing: tuple[float, float, float] = SPACING_MM) -> Thorax:
    """Segment a CT of any spacing on the simulator's grid of `spacing` (mm for z, y and x).

    Raises:
        InputError: the two lungs cannot be separated, or no heart is visible between them.
        MissingExtraError: SciPy is not installed.
    """
    volume = resample(volume, spacing)
    hu = volume.hu
    body = body_mask(hu, volume.spacing)
    hu = np.where(body, hu, -1000.0)
    right, left = lung_masks(hu, body, volume.spacing)
    spine = spine_region(body, volume.spacing)
    blood = blood_mask(hu, spine, volume.spacing)
    bone = bone_mask(hu, body, blood)
    heart = heart_mask(hu, right | left, spine, volume.spacing)
    hu = np.where(blood, np.minimum(hu, _BLOOD_HU), hu)
    attenuation = np.clip(1 + hu / 1000.0, 0, _DENSEST)
    excess = np.where(bone, np.clip(attenuation - 1.06, 0, None), 0)
    return Thorax(
        soft=torch.from_numpy((attenuation - excess).astype(np.float32)),
        bone=torch.from_numpy(excess.astype(np.float32)),
        lungs={"right": _lung(right, volume.spacing), "left": _lung(left, volume.spacing)},
        heart=torch.from_numpy(soften(heart)),
        heart_centre=_mean_voxel(np.argwhere(heart)),
        spacing=volume.spacing,
        source=volume.source,
    )


def _mean_voxel(voxels: np.ndarray) -> tuple[float, float, float]:
    z, y, x = voxels.mean(0)
    return float(z), float(y), float(x)


def _lung(mask: np.ndarray, spacing: tuple[float, float, float]) -> Lung:
    """Measure a lung's distances and landmarks."""
    depth = load_ndimage().distance_transform_edt(mask, spacing).astype(np.float32)
    voxels = np.argwhere(mask)
    apex, base = voxels[:, 0].min(), voxels[:, 0].max()
    is_right = bool(voxels[:, 2].mean() < mask.shape[2] / 2)
    medial = np.where(is_right, voxels[:, 2], -voxels[:, 2])
    level = np.abs(voxels[:, 0] - (apex + 0.42 * (base - apex))) < 6
    near_hilum = voxels[level][np.argsort(medial[level])[-200:]]
    columns = mask.sum(0)
    bottoms = np.where(columns > 10, mask.shape[0] - 1 - mask[::-1].argmax(0), -1)
    return Lung(
        mask=torch.from_numpy(soften(mask)),
        depth=torch.from_numpy(depth),
        wall=torch.from_numpy(_costal_distance(mask, is_right, spacing)),
        hilum=_mean_voxel(near_hilum),
        apex=float(apex),
        dome=float(np.percentile(bottoms[bottoms > 0], 12)),
        base=float(base),
    )


def _costal_distance(mask: np.ndarray, is_right: bool, spacing: tuple[float, float, float]) -> np.ndarray:
    """Return the distance (mm) to the chest wall: the lung is closed on its medial and lower side before measuring."""
    filled = mask.copy()
    from_wall = filled if is_right else filled[:, :, ::-1]
    from_wall[:] = np.maximum.accumulate(from_wall, axis=2)  # everything medial of the lung counts as inside
    filled = np.maximum.accumulate(filled, axis=0)  # and everything below it
    return load_ndimage().distance_transform_edt(filled, spacing).astype(np.float32)
