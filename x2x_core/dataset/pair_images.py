"""The images of a pair: read, registered and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from x2x_core.common.storage import write_bytes
from x2x_core.imaging.files import encode_png
from x2x_core.pairs.layout import CURRENT, PAST

from .layout import VALID, current_name, past_name
from .pair_studies import PairStudies
from .registration import Registration, measure, move, register
from .rejections import Reason, RowRejectedError
from .settings import BuildSettings
from .squares import Square, halve, read_square
from .studies import Study, image_path

#: Text metadata of every image: it shows a real patient.
NOTICE = {
    "Comment": "Derived from MIMIC-CXR-JPG: credentialed health data, not to be shared.",
    "Software": "InstructX2X",
}
_OVERSAMPLING = 2  # images are read and moved at twice the size, so that moving does not blur them


@dataclass(frozen=True)
class ImageFolders:
    """Folder of MIMIC-CXR-JPG, the dataset, and the folder for files that are being written."""

    mimic: Path
    out: Path
    scratch: Path


def write_images(pair: PairStudies, settings: BuildSettings, folders: ImageFolders) -> Registration:
    """Read, register and write the images of a pair.

    Returns:
        The registration with its quality and overlap.

    Raises:
        RowRejectedError: an image cannot be used, or the registration is not good enough.
    """
    side = settings.size * _OVERSAMPLING
    raw_past, raw_current = (_read(folders.mimic, study, side) for study in (pair.past, pair.current))
    try:
        past, registration = _registered(raw_past, raw_current, settings)
    except ValueError as error:
        raise RowRejectedError(Reason.REGISTRATION_QUALITY, str(error)) from error
    _check(registration, settings)
    _check_side(registration, raw_past, raw_current, settings)
    current = _halved(raw_current)
    name = past_name(pair.past.dicom_id, pair.current.dicom_id)
    for folder, file, values in (
        (PAST, name, past.pixels),
        (VALID, name, (past.valid & current.valid).astype(np.uint8) * 255),
        (CURRENT, current_name(pair.current.dicom_id), current.pixels),
    ):
        write_bytes(folders.out / folder / file, encode_png(values, NOTICE), folders.scratch)
    return registration


def _registered(past: Square, current: Square, settings: BuildSettings) -> tuple[Square, Registration]:
    """Return the past image moved onto the current one, at half the size, and the measured registration.

    Raises:
        InputError: the images cannot be registered.
    """
    registration = register(past, current, settings.registration)
    moved = _halved(move(past, registration))
    return moved, measure(moved, _halved(current), registration)


def _read(mimic: Path, study: Study, side: int) -> Square:
    path = image_path(mimic, study)
    inside = path.relative_to(mimic).as_posix()
    try:
        square = read_square(path, side)
    except FileNotFoundError as error:
        raise RowRejectedError(Reason.MISSING_IMAGE, inside) from error
    except (ValueError, OSError, cv2.error) as error:
        detail = f"{inside}: {error}".replace(str(mimic), "MIMIC")
        raise RowRejectedError(Reason.UNREADABLE_IMAGE, detail) from error
    values = square.pixels[square.valid]
    if values.min() == values.max():
        raise RowRejectedError(Reason.FLAT_IMAGE, inside)
    return square


def _halved(square: Square) -> Square:
    """Halve an image; a pixel remains valid only if all four were."""
    valid = halve(square.valid.astype(np.uint8) * 255) == 255
    return Square(np.where(valid, halve(square.pixels), 0).astype(np.uint8), valid)


def _check(registration: Registration, settings: BuildSettings) -> None:
    if registration.quality < settings.min_quality:
        raise RowRejectedError(Reason.REGISTRATION_QUALITY, f"{registration.quality:.3f} of {settings.min_quality:g}")
    if registration.overlap < settings.min_overlap:
        raise RowRejectedError(Reason.REGISTRATION_OVERLAP, f"{registration.overlap:.3f} of {settings.min_overlap:g}")
    if not registration.plausible:
        largest, smallest = registration.stretches
        turn = registration.turn_degrees
        raise RowRejectedError(
            Reason.REGISTRATION_IMPLAUSIBLE, f"turn {turn:.0f} degrees, scales {smallest:.2f} to {largest:.2f}"
        )


def _check_side(registration: Registration, past: Square, current: Square, settings: BuildSettings) -> None:
    """Reject a pair of which one image is mirrored: the sides of its instructions would be the wrong ones.

    Raises:
        RowRejectedError: the images agree better if one of them is mirrored.
    """
    try:
        mirrored = _registered(past.mirrored(), current, settings)[1].quality
    except ValueError:  # the images cannot be registered in this way
        return
    if mirrored > registration.quality:
        raise RowRejectedError(
            Reason.REGISTRATION_MIRRORED, f"quality {mirrored:.3f} mirrored, {registration.quality:.3f} as it is"
        )
