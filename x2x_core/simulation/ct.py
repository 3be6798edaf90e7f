"""Chest CTs: reading, writing and resampling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra

from .scipy_ndimage import load_ndimage

#: Spacing of the simulator's grid in mm along z, y and x.
SPACING_MM = (2.0, 2.5, 1.5)


@dataclass(frozen=True)
class Volume:
    """A CT in Hounsfield units.

    `hu` is float32 `(Z, Y, X)`: z from head to feet, y from front to back, x from the patient's right to the patient's
    left, so that a sum over y is a frontal radiograph in its usual orientation. `spacing` is mm per voxel along z, y
    and x; `source` names the origin of the data.
    """

    hu: np.ndarray
    spacing: tuple[float, float, float]
    source: str


def load_ct(path: str | Path) -> Volume:
    """Read a folder of DICOM slices, or a `.npz` file written by `save_volume`.

    Raises:
        InputNotFoundError: `path` does not exist.
        InputError: `path` is not a CT.
        MissingExtraError: pydicom is not installed.
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
            raise InputError(
                f"`ct` must contain the arrays hu, spacing and source, but {path} lacks {sorted(missing)}."
            )
        z, y, x = (float(s) for s in data["spacing"])
        return Volume(data["hu"].astype(np.float32), (z, y, x), str(data["source"]))


def _load_dicom(path: Path) -> Volume:
    with needs_extra("Reading DICOM", "pydicom", "simulate"):
        import pydicom
    slices = [pydicom.dcmread(file) for file in sorted(path.rglob("*.dcm"))]
    slices = [s for s in slices if s.get("Modality") == "CT" and "ImagePositionPatient" in s]
    if len(slices) < 20:
        raise InputError(f"`ct` must contain at least 20 axial CT slices (*.dcm), but {path} contains {len(slices)}.")
    slices.sort(key=lambda s: -float(s.ImagePositionPatient[2]))
    hu = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    step = abs(float(slices[0].ImagePositionPatient[2]) - float(slices[-1].ImagePositionPatient[2])) / (len(slices) - 1)
    row, column = (float(v) for v in slices[0].PixelSpacing)
    source = f"{slices[0].get('PatientID', 'unknown')} ({len(slices)} slices)"
    return Volume(hu.astype(np.float32), (step, row, column), source)


def resample(volume: Volume, spacing: tuple[float, float, float] = SPACING_MM) -> Volume:
    """Resample linearly to `spacing` (mm), after smoothing along axes that become coarser.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    ndimage = load_ndimage()
    factors = [old / new for old, new in zip(volume.spacing, spacing)]
    sigma = [max(0.0, 0.5 * (1 / f - 1)) for f in factors]
    smooth = ndimage.gaussian_filter(volume.hu, sigma)
    hu = ndimage.zoom(smooth, factors, order=1, mode="nearest", grid_mode=True)
    return Volume(hu.astype(np.float32), spacing, volume.source)
