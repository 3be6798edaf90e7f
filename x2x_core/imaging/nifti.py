"""NIfTI files (`.nii`, `.nii.gz`) of one picture as radiographs."""

from __future__ import annotations

import logging
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from x2x_core.common.errors import InputError

from .dicom_view import Turning
from .kinds import NIFTI
from .nifti_header import COLOURS, DTYPES, NiftiHeader, open_nifti, read_header
from .pixel_shape import LARGEST, height_to_width, square_pixels
from .radiograph import Radiograph, to_pixels

logger = logging.getLogger(__name__)

_X, _Y, _Z = 0, 1, 2  # towards the patient's right, front and head


def read_nifti(path: Path) -> Radiograph:
    """Read a radiograph from a NIfTI file: two axes, or more with a length of 1.

    8-bit values, and floating-point ones in [0, 1], are shown as they are, others by the file's range of display
    (cal_min, cal_max), else by their own range; NaN and infinity are black. The picture is turned so that the patient's
    right is on its left and the head on top, if the file says where the head is. Otherwise the first axis is taken to
    run across the picture from left to right, and the second down, as most programs write pictures.

    Returns:
        The radiograph, 8-bit if the file has 8-bit values, else 16-bit. Its `notes` list every step and assumption.

    Raises:
        InputError: not a NIfTI file, several slices, damaged, or values that are no numbers.
    """
    try:
        with open_nifti(path) as file:
            header = read_header(file)
            values, axes = _read_values(file, header)
    except InputError as error:
        raise InputError(f"`{path}` {error}.") from error
    except (OSError, EOFError, ValueError, struct.error, zlib.error, OverflowError, MemoryError) as error:
        raise InputError(
            f"`{path}` must be an intact NIfTI file, but cannot be read ({type(error).__name__})."
        ) from error
    shown, facts = _display(values, header)
    turn, assumptions, warnings = _turning(header, axes)
    spacing = [header.spacing[axis] if axis < len(header.spacing) else 1.0 for axis in reversed(axes)]
    ratio = height_to_width(spacing)
    if ratio is None:
        warnings.append("The shape of its pixels is not given by two positive numbers: assumed to be square.")
    shown, resampling = square_pixels(shown, ratio or 1.0)
    for warning in warnings:
        logger.warning("%s: %s", path, warning)
    depth = 8 if values.dtype.itemsize == 1 else 16
    largest = 2**depth - 1
    whole = np.round(np.clip(turn.apply(shown), 0, 1) * largest)
    notes = (*facts, *resampling, *assumptions, *warnings)
    return Radiograph(to_pixels(whole, largest), depth, f"NIfTI {values.dtype.name}", path, NIFTI, notes)


def _read_values(file: IO[bytes], header: NiftiHeader) -> tuple[np.ndarray, tuple[int, int]]:
    """Read `(H, W)` or `(H, W, 3)` values, and the numbers of the axes that run across and down."""
    long = [axis for axis, length in enumerate(header.shape) if length > 1]
    if len(long) > 2:
        size = " x ".join(map(str, header.shape))
        raise InputError(f"must hold one picture, but holds {size} pixels: save the slice to edit as a separate file")
    across, down = sorted([*long, *(axis for axis in range(3) if axis not in long)][:2])
    height, width = (header.shape[axis] if axis < len(header.shape) else 1 for axis in (down, across))
    channels = COLOURS.get(header.datatype, 1)
    if header.datatype not in DTYPES and header.datatype not in COLOURS:
        raise InputError(f"must hold real numbers or RGB colours, but holds NIfTI data type {header.datatype}")
    if height * width > LARGEST:
        raise InputError(f"must have up to {LARGEST} pixels, got {height} x {width}")
    dtype = np.dtype(header.order + DTYPES.get(header.datatype, "u1"))
    file.seek(max(header.offset, 0))
    count = height * width * channels * dtype.itemsize
    data = file.read(count)
    if len(data) < count:
        raise InputError("must be an intact NIfTI file, but ends too early")
    values = np.frombuffer(data, dtype).astype(dtype.newbyteorder("=")).reshape(height, width, channels)
    values = values[..., :3]
    return (values[..., 0] if (values == values[..., :1]).all() else values), (across, down)


def _display(values: np.ndarray, header: NiftiHeader) -> tuple[np.ndarray, list[str]]:
    """Scale values to [0, 1]; return them and the processing steps."""
    if header.datatype in COLOURS:
        return values / 255, []
    slope, intercept = header.scaling
    scaled = values.astype(np.float64)
    facts = []
    if slope != 0 and (slope, intercept) != (1, 0) and math.isfinite(slope) and math.isfinite(intercept):
        scaled = scaled * slope + intercept
        facts.append(f"Rescaled by {slope:g}, then {intercept:+g}.")
    known = np.isfinite(scaled)
    if not known.all():
        facts.append(f"NaN and infinity, {1 - known.mean():.1%} of the pixels, are black.")
    if not known.any():
        return np.zeros(values.shape), facts
    lowest, highest = header.displayed
    low, high = float(scaled[known].min()), float(scaled[known].max())
    if math.isfinite(lowest) and math.isfinite(highest) and lowest < highest and lowest < high and highest > low:
        low, high = lowest, highest
        facts.append(f"Shown by the range of display of the file, {low:g} to {high:g}.")
    elif values.dtype == np.uint8 and not facts:
        low, high = 0.0, 255.0
    elif values.dtype.kind == "f" and low >= 0 and 0.5 < high <= 1:
        low, high = 0.0, 1.0
    else:
        facts.append(f"Shown by the range of its values, {low:g} to {high:g}.")
    shown = np.clip((np.where(known, scaled, low) - low) / ((high - low) or 1.0), 0, 1)
    return np.where(known, shown, 0.0), facts


def _turning(header: NiftiHeader, axes: tuple[int, int]) -> tuple[Turning, list[str], list[str]]:
    """Return how to turn the picture, assumptions and warnings."""
    runs = [_direction(header.directions, axis) for axis in axes]
    if None in runs or {run[0] for run in runs if run} not in ({_X, _Z}, {_Y, _Z}):
        return (
            Turning(),
            [
                "The file does not say where the head is: its first axis was taken to run from left to right, its "
                "second down, and the patient's right to be on the picture's left."
            ],
            [],
        )
    across, down = (run for run in runs if run)
    transpose = across[0] == _Z
    across, down = (down, across) if transpose else (across, down)
    is_lateral = across[0] == _Y
    turn = Turning(transpose, mirror=across[1] > 0 and not is_lateral, upend=down[1] > 0)
    if is_lateral:
        warning = "It is a lateral view: instructions and pseudomasks are for frontal views."
        return turn, ["Oriented as the file says, with the head on top."], [warning]
    fact = "Oriented as the file says, with the patient's right on the picture's left and the head on top."
    return turn, [fact], []


def _direction(directions: np.ndarray | None, axis: int) -> tuple[int, int] | None:
    """Return the main direction of an axis and its sign, `None` if it is not given."""
    if directions is None or axis > _Z or not np.isfinite(directions[:, axis]).all() or not directions[:, axis].any():
        return None
    main = int(np.abs(directions[:, axis]).argmax())
    return main, 1 if directions[main, axis] > 0 else -1
