"""Read DICOM radiographs as a viewer displays them, at their own depth, with the patient's right on the left.

Only the tags that affect the picture are read (`TAGS`): names, dates and identifiers never reach memory. pydicom is
imported when the first file is read.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from x2x_core.common.errors import InputError, InputNotFoundError, one_line
from x2x_core.common.extras import needs_extra

from .dicom_decoding import decode
from .dicom_deflation import check_deflation
from .dicom_display import display
from .dicom_numbers import numbers
from .dicom_stored import extract
from .dicom_view import Turning, check_modality, turning, view_warnings
from .kinds import DICOM
from .pixel_shape import LARGEST, height_to_width, square_pixels
from .radiograph import Radiograph

logger = logging.getLogger(__name__)

TAGS = (
    "Modality", "BodyPartExamined", "ViewPosition", "ViewCodeSequence", "PatientOrientation",
    "PresentationIntentType", "BurnedInAnnotation", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "PixelAspectRatio", "PixelSpacing",
    "ImagerPixelSpacing", "NominalScannedPixelSpacing", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData", "PixelData",
    "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
_MONOCHROME, _PALETTE = ("MONOCHROME1", "MONOCHROME2"), "PALETTE COLOR"
_NUMERIC_TEXT = (
    "PixelAspectRatio",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "WindowCenter",
    "WindowWidth",
    "NumberOfFrames",
)  # fmt: skip  (tags that `dicom_numbers` reads even if pydicom cannot)


@dataclass(frozen=True)
class StoredPicture:
    """A DICOM file's picture in its own pixel grid: stored values, display values, and the way to the radiograph."""

    dataset: Any  # pydicom's, with the elements in `TAGS` alone
    values: np.ndarray  # (H, W) int32 stored values of a grey picture, (H, W) or (H, W, 3) colours in [0, 1] of others
    shown: np.ndarray  # (H, W) or (H, W, 3) float64 in [0, 1]: as displayed
    depth: int  # 8 or 16: bits of the radiograph
    ratio: float  # a pixel's height divided by its width
    turn: Turning  # from the file's orientation to the radiograph's
    facts: tuple[str, ...]  # steps of the display and of the turning
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def is_grey(self) -> bool:
        """Return True for MONOCHROME1 and MONOCHROME2, whose stored values a display transform maps to greys."""
        return self.dataset.PhotometricInterpretation in _MONOCHROME

    def radiograph(self, path: Path) -> Radiograph:
        """Return the picture with square pixels, turned upright, at its depth."""
        values, resampling = square_pixels(self.shown, self.ratio)
        notes = (*self.facts, *resampling, *self.assumptions, *self.warnings)
        pixels = _to_pixels(self.turn.apply(values), self.depth)
        return Radiograph(pixels, self.depth, str(self.dataset.PhotometricInterpretation), path, DICOM, notes)


def read_dicom(path: str | Path) -> Radiograph:
    """Read a radiograph from a DICOM file, as a viewer displays it by default.

    Grey values follow the file's VOI table or window (the first of several; without one, the range of the values). Low
    values are black for both photometric interpretations, padding is black, pixels are resampled to be square, and the
    picture is turned so that the patient's right is on its left and the head on top, if the file gives the orientation.
    Colour stays colour unless its channels are equal. The radiograph's `notes` list every step and every warning.

    Args:
        path: the file.

    Returns:
        The radiograph, 8-bit if the file stores up to 8 bits per value, else 16-bit; its pixels are integer multiples
        of 1/255 or 1/65535.

    Raises:
        InputNotFoundError: no such file.
        MissingExtraError: pydicom is not installed.
        InputError: not a DICOM image or not a radiograph, several frames, damaged, or the decoder is not installed.
    """
    path = Path(path)
    picture = read_stored(path)
    for warning in picture.warnings:
        logger.warning("%s: %s", path, warning)
    return picture.radiograph(path)


def read_stored(path: str | Path) -> StoredPicture:
    """Read a DICOM radiograph in its own pixel grid.

    Args:
        path: the file.

    Raises:
        InputError: as `read_dicom` does, which gives the other errors too.
    """
    path = Path(path)
    dataset = _open(path)
    try:
        return _read(dataset, path)
    except InputError:
        raise
    except Exception as error:  # damaged elements make pydicom raise many types, with messages that may quote texts
        raise _damaged(path, error) from error


def _read(dataset: Any, path: Path) -> StoredPicture:
    """Read the picture of an open data set."""
    try:
        warnings = [*check_modality(dataset), *view_warnings(dataset)]
        _check_picture(dataset)
    except ValueError as error:
        raise InputError(f"`{path}` {error}.") from error
    raw = decode(dataset, path, all_bits=dataset.PhotometricInterpretation in _MONOCHROME)
    values, shown, facts, doubts = _as_shown(raw, dataset, path)
    ratio, geometry = _height_to_width(dataset)
    turn, assumptions, turned = turning(dataset)
    depth = 8 if int(dataset.BitsStored) <= 8 else 16
    warnings += [*doubts, *geometry, *turned]
    return StoredPicture(dataset, values, shown, depth, ratio, turn, tuple(facts), tuple(assumptions), tuple(warnings))


def _open(path: Path) -> Any:
    """Read the tags in `TAGS` of a file."""
    if not os.path.isfile(path):
        raise InputNotFoundError(f"There is no file `{path}`. Give the path of a DICOM radiograph.")
    with needs_extra("Reading DICOM", "pydicom", "dicom"):
        import pydicom
    try:
        check_deflation(path)
        dataset = pydicom.dcmread(path, force=True, specific_tags=list(TAGS))
        _decode_elements(dataset)
    except InputError as error:
        raise InputError(f"`{path}` {error}.") from error
    except Exception as error:  # pydicom raises many types, whose messages may quote the patient's data
        raise _damaged(path, error) from error
    if len(dataset) == 0 and not getattr(dataset, "file_meta", None):
        raise InputError(f"`{path}` is not a DICOM file.")
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _guessed_syntax(*dataset.original_encoding)
    return dataset


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"`{path}` must be an intact DICOM file, but cannot be read ({type(error).__name__}).")


def _decode_elements(dataset: Any) -> None:
    """Decode every element, which pydicom does on first access: damaged ones raise here.

    Elements of `_NUMERIC_TEXT` may stay undecoded.
    """
    from pydicom.datadict import keyword_for_tag

    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:
            if keyword_for_tag(tag) not in _NUMERIC_TEXT:
                raise
            continue
        for item in element.value if element.VR == "SQ" else ():
            for _ in item.iterall():
                pass


def _guessed_syntax(is_implicit: bool, is_little: bool) -> Any:
    """Infer the transfer syntax of a file without one from its first elements."""
    from pydicom import uid

    if is_implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian


def _check_picture(dataset: Any) -> None:
    """Check that the data set holds one picture with integer pixels.

    Raises:
        InputError: its message completes a sentence that begins with the path.
    """
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise InputError("must have integer pixels, but has floating-point ones")
    needed = (
        "PixelData",
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "SamplesPerPixel",
        "PhotometricInterpretation",
    )
    if missing := [name for name in needed if dataset.get(name) in (None, "")]:
        raise InputError(f"must hold a picture, but lacks {missing[0]}")
    if (frames := _whole(dataset, "NumberOfFrames")) != 1:
        raise InputError(f"must hold one picture, but holds {frames} frames: save the frame to edit as a separate file")
    rows, columns = _whole(dataset, "Rows"), _whole(dataset, "Columns")
    if not 0 < rows * columns <= LARGEST:
        raise InputError(f"must have up to {LARGEST} pixels, got {rows} x {columns}")
    allocated, stored = _whole(dataset, "BitsAllocated"), _whole(dataset, "BitsStored")
    if allocated not in (8, 16) or not 1 <= stored <= allocated:
        raise InputError(f"must have pixels of 8 or 16 bits, got {stored} bits in {allocated}")
    samples, kind = _whole(dataset, "SamplesPerPixel"), dataset.PhotometricInterpretation
    if samples not in (1, 3) or (samples == 1) != (kind in (*_MONOCHROME, _PALETTE)):
        raise InputError("must be MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or YBR, but is none of these")


def _whole(dataset: Any, name: str) -> int:
    """Return a tag's integer, 1 if it is absent or empty."""
    values = numbers(dataset, name) or [1.0]
    if len(values) > 1 or not values[0].is_integer():
        raise InputError(f"must have one integer as {name}")
    return int(values[0]) or 1


_Shown = tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[str, ...]]


def _as_shown(raw: np.ndarray, dataset: Any, path: Path) -> _Shown:
    """Return stored values, values in [0, 1], both `(H, W)` or `(H, W, 3)`, the processing steps and the warnings."""
    bits = int(dataset.BitsStored)
    try:
        if dataset.PhotometricInterpretation not in _MONOCHROME:
            colours, fact = _colours(raw, bits, dataset)
            return colours, colours, (fact,), ()
        stored, doubts = extract(raw, dataset)
        shown = display(stored, dataset)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError) as error:
        raise InputError(f"`{path}` cannot be displayed: {one_line(error)}.") from error
    return stored, shown.values, shown.facts, (*doubts, *shown.warnings)


def _colours(raw: np.ndarray, bits: int, dataset: Any) -> tuple[np.ndarray, str]:
    """Return the colours of a palette or colour picture in [0, 1], and the processing step."""
    if dataset.PhotometricInterpretation == _PALETTE:
        from pydicom.pixels import apply_color_lut

        values = apply_color_lut(raw, dataset)
        return _plain_colour(values, np.iinfo(values.dtype).max), "Colours of its palette."
    return _plain_colour(raw, 2**bits - 1), "A colour picture: no window applies."


def _plain_colour(values: np.ndarray, largest: int) -> np.ndarray:
    """Scale colours to [0, 1]; grey `(H, W)` if the three channels are equal everywhere."""
    values = values[..., 0] if (values == values[..., :1]).all() else values[..., :3]
    return np.clip(values / largest, 0, 1)


def _height_to_width(dataset: Any) -> tuple[float, list[str]]:
    """Return a pixel's height divided by its width, 1 if the file does not give it, and warnings."""
    warnings: list[str] = []
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        if spacing := numbers(dataset, name):
            ratio = height_to_width(spacing)
            if ratio is not None:
                return ratio, warnings
            warnings = ["The shape of its pixels is not given by two positive numbers: assumed to be square."]
    return 1.0, warnings


def _to_pixels(values: np.ndarray, depth: int) -> torch.Tensor:
    """Convert to `(1, C, H, W)` float32, rounded to the levels of a file of this depth."""
    largest = np.float32(2**depth - 1)
    whole = np.round(np.clip(values, 0, 1) * largest).astype(np.float32) / largest
    channels = whole[None] if whole.ndim == 2 else whole.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels))[None]
