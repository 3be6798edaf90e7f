"""Read a chest CT and bring it onto the simulator's grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra

from .scipy_ndimage import load_ndimage

#: Grid on which the simulator works: spacing of (z, y, x) in mm.
SPACING_MM = (2.0, 2.5, 1.5)


@dataclass(frozen=True)
class Volume:
    """A CT in Hounsfield units.

    `hu` is float32 `(Z, Y, X)`: z from head to feet, y from front to back, x from the patient's right
    to the patient's left, so that a sum over y is a frontal radiograph as it is hung.
    `spacing` gives mm per voxel for (z, y, x); `source` names where the data came from.
    """

    hu: np.ndarray
    spacing: tuple[float, float, float]
    source: str


def load_ct(path: str | Path) -> Volume:
    """Read a folder of DICOM slices, or a `.npz` written by `save_volume`.

    Raises `FileNotFoundError` where nothing is at `path`, and `ValueError` where it holds no CT.
    """
    path = Path(path)
    if not path.exists():
        raise InputNotFoundError(f"`ct` must be a folder of DICOM slices or a .npz volume, but {path} does not exist.")
    if path.suffix == ".npz":
        return _load_npz(path)
    return _load_dicom(path)


def save_volume(volume: Volume, path: str | Path) -> None:
    """Write a volume as a compressed `.npz` with `hu` (int16), `spacing` and `source`."""
    hu = np.clip(np.rint(volume.hu), -1024, 3071).astype(np.int16)
    np.savez_compressed(path, hu=hu, spacing=np.asarray(volume.spacing), source=volume.source)


def _load_npz(path: Path) -> Volume:
    with np.load(path, allow_pickle=False) as data:
        missing = {"hu", "spacing", "source"} - set(data.files)
        if missing:
            raise InputError(f"`ct` must hold the arrays hu, spacing and source, but {path} lacks {sorted(missing)}.")
        spacing = tuple(float(s) for s in data["spacing"])
        return Volume(data["hu"].astype(np.float32), spacing, str(data["source"]))


def _load_dicom(path: Path) -> Volume:
    with needs_extra("Reading DICOM", "pydicom", "simulate"):
        import pydicom
    files = sorted(p for p in path.rglob("*.dcm"))
    slices = [pydicom.dcmread(p) for p in files]
    slices = [s for s in slices if s.get("Modality") == "CT" and "ImagePositionPatient" in s]
    if len(slices) < 20:
        raise InputError(f"`ct` must hold at least 20 axial CT slices (*.dcm), but {path} holds {len(slices)}.")
    slices.sort(key=lambda s: -float(s.ImagePositionPatient[2]))
    hu = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    step = abs(float(slices[0].ImagePositionPatient[2]) - float(slices[-1].ImagePositionPatient[2])) / (len(slices) - 1)
    row, column = (float(v) for v in slices[0].PixelSpacing)
    source = f"{slices[0].get('PatientID', 'unknown')} ({len(slices)} slices)"
    return Volume(hu.astype(np.float32), (step, row, column), source)


def resample(volume: Volume, spacing: tuple[float, float, float] = SPACING_MM) -> Volume:
    """Resample linearly onto `spacing` (mm), after averaging where the new grid is coarser."""
    ndimage = load_ndimage()
    factors = [old / new for old, new in zip(volume.spacing, spacing)]
    sigma = [max(0.0, 0.5 * (1 / f - 1)) for f in factors]
    smooth = ndimage.gaussian_filter(volume.hu, sigma)
    hu = ndimage.zoom(smooth, factors, order=1, mode="nearest", grid_mode=True)
    return Volume(hu.astype(np.float32), spacing, volume.source)
