"""Read DICOM radiographs as a viewer displays them, at their own depth, with the patient's right on the left.

Only the tags that affect the picture are read (`TAGS`): names, dates and identifiers never reach memory. pydicom is
imported when the first file is read.
"""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra

from .kinds import DICOM
from .radiograph import Radiograph

logger = logging.getLogger(__name__)

LARGEST = 2**27  # pixels of a picture; a larger size means a damaged or malicious file
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
_RISKY = "gdcm"


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
    dataset = _open(path)
    try:
        from .dicom_view import check_modality, turning, view_warnings

        warnings = [*check_modality(dataset), *view_warnings(dataset)]
        _check_picture(dataset)
    except ValueError as error:
        raise InputError(f"`{path}` {error}.") from error
    raw = _decode(dataset, path)
    values, facts, doubts = _as_shown(raw, dataset, path)
    values, resampling = _square_pixels(values, dataset)
    turn, assumptions, turned = turning(dataset)
    warnings += [*doubts, *turned]
    for warning in warnings:
        logger.warning("%s: %s", path, warning)
    depth = 8 if int(dataset.BitsStored) <= 8 else 16
    notes = (*facts, *resampling, *assumptions, *warnings)
    return Radiograph(
        _to_pixels(turn.apply(values), depth), depth, str(dataset.PhotometricInterpretation), path, DICOM, notes
    )


def _open(path: Path):
    """Read the tags in `TAGS` of a file."""
    if not path.is_file():
        raise InputNotFoundError(f"There is no file `{path}`. Give the path of a DICOM radiograph.")
    with needs_extra("Reading DICOM", "pydicom", "dicom"):
        import pydicom
    try:
        dataset = pydicom.dcmread(path, force=True, specific_tags=list(TAGS))
        for _ in dataset.iterall():  # pydicom decodes values on first access: damaged ones raise here
            pass
    except Exception as error:  # pydicom raises many types, whose messages may quote the patient's data
        kind = type(error).__name__
        raise InputError(f"`{path}` must be an intact DICOM file, but cannot be read ({kind}).") from error
    if len(dataset) == 0 and not getattr(dataset, "file_meta", None):
        raise InputError(f"`{path}` is not a DICOM file.")
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _guessed_syntax(*dataset.original_encoding)
    return dataset


def _one_line(error: Exception) -> str:
    """Return the message of an error in one line without a full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _guessed_syntax(is_implicit: bool, is_little: bool):
    """Infer the transfer syntax of a file without one from its first elements."""
    from pydicom import uid

    if is_implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian


def _check_picture(dataset) -> None:
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


def _whole(dataset, name: str) -> int:
    """Return a tag's integer, 1 if it is absent or empty."""
    try:
        return int(dataset.get(name) or 1)
    except (TypeError, ValueError) as error:
        raise InputError(f"must have one integer as {name}") from error


def _decode(dataset, path: Path) -> np.ndarray:
    """Decode the stored pixels, `(H, W)`, or `(H, W, 3)` RGB for colour."""
    from pydicom.pixels import get_decoder, pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise InputError(f"`{path}` must be a picture, but its transfer syntax is {syntax.name}.") from error
    if not decoder.is_available:
        raise InputError(f"`{path}` is compressed ({syntax.name}) and requires a decoder: {_remedy(syntax)}.")
    try:
        return pixel_array(dataset, decoding_plugin=_decoder_name(decoder))
    except Exception as error:  # the decoders of several libraries raise errors of any type
        hint = (
            f" If the file is intact, it requires another decoder: {_remedy(syntax)}." if syntax.is_compressed else ""
        )
        raise InputError(
            f"`{path}` must be an intact DICOM image, but its pixels cannot be decoded: {_one_line(error)}.{hint}"
        ) from error


def _decoder_name(decoder) -> str:
    """Return the name of the decoder to use, "" for uncompressed values.

    GDCM, which crashes the process on some damaged pictures, is used only without an alternative.
    """
    return next(iter(sorted(decoder.available_plugins, key=lambda name: name == _RISKY)), "")


def _remedy(syntax) -> str:
    """Return what to install for a transfer syntax."""
    from pydicom import uid

    if syntax == uid.JPEGExtended12Bit:
        return "`pip install pylibjpeg pylibjpeg-libjpeg` (the latter is under the GPL)"
    if syntax in uid.JPEGLSTransferSyntaxes:
        packages = "pyjpegls"
    elif syntax in (*uid.JPEG2000TransferSyntaxes, uid.HTJ2K, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL):
        packages = "pylibjpeg pylibjpeg-openjpeg"
    else:
        packages = "python-gdcm"
    return f"`pip install {packages}`, or the extra: `pip install 'instructx2x[dicom]'`"


def _as_shown(raw: np.ndarray, dataset, path: Path) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Return values in [0, 1], `(H, W)` or `(H, W, 3)`, the processing steps and the warnings."""
    from .dicom_display import display, stored_values

    bits = int(dataset.BitsStored)
    try:
        if dataset.PhotometricInterpretation == _PALETTE:
            from pydicom.pixels import apply_color_lut

            values = apply_color_lut(raw, dataset)
            return _plain_colour(values, np.iinfo(values.dtype).max), ("Colours of its palette.",), ()
        if dataset.PhotometricInterpretation not in _MONOCHROME:
            return _plain_colour(raw, 2**bits - 1), ("A colour picture: no window applies.",), ()
        signed = raw.dtype.kind == "i"
        plain = not dataset.file_meta.TransferSyntaxUID.is_compressed
        high_bit = int(dataset.get("HighBit", bits - 1))
        shown = display(stored_values(raw, bits, high_bit, signed) if plain else raw.astype(np.int32), dataset)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError) as error:
        raise InputError(f"`{path}` cannot be displayed: {_one_line(error)}.") from error
    return shown.values, shown.facts, shown.warnings


def _plain_colour(values: np.ndarray, largest: int) -> np.ndarray:
    """Scale colours to [0, 1]; grey `(H, W)` if the three channels are equal everywhere."""
    values = values[..., 0] if (values == values[..., :1]).all() else values[..., :3]
    return np.clip(values / largest, 0, 1)


def _square_pixels(values: np.ndarray, dataset) -> tuple[np.ndarray, list[str]]:
    """Make pixels square: the coarser direction is resampled to the spacing of the finer one."""
    ratio = _height_to_width(dataset)
    if abs(ratio - 1) < 0.01:  # below the accuracy of the geometry
        return values, []
    height, width = values.shape[:2]
    size = (width, round(height * ratio)) if ratio > 1 else (round(width / ratio), height)
    if size[0] * size[1] > LARGEST:
        return values, ["The aspect ratio of its pixels is implausible, and was ignored."]
    resized = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    fact = (
        f"Pixels {ratio:.3g} times as high as wide: resampled from {width} x {height} to {size[0]} x {size[1]} pixels."
    )
    return resized, [fact]


def _height_to_width(dataset) -> float:
    """Return a pixel's height divided by its width, 1 if the file does not give it."""
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        value = dataset.get(name)
        if value is not None and not isinstance(value, str) and len(value) == 2:
            height, width = float(value[0]), float(value[1])
            if height > 0 and width > 0:
                return height / width
    return 1.0


def _to_pixels(values: np.ndarray, depth: int) -> torch.Tensor:
    """Convert to `(1, C, H, W)` float32, rounded to the levels of a file of this depth."""
    largest = np.float32(2**depth - 1)
    whole = np.round(np.clip(values, 0, 1) * largest).astype(np.float32) / largest
    channels = whole[None] if whole.ndim == 2 else whole.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels))[None]
