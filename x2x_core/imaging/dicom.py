"""DICOM radiographs: read as a viewer shows them, at their own depth, the patient's right on the left.

Only the tags that decide the picture are read (`TAGS`): names, dates and identifiers never reach memory. pydicom is
imported when a file is read, not before.
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

LARGEST = 2**27  # pixels of a picture; a file that says more is damaged, or made to fill the memory
TAGS = (
    "Modality", "BodyPartExamined", "ViewPosition", "ViewCodeSequence", "PatientOrientation", "PresentationIntentType",
    "BurnedInAnnotation", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows",
    "Columns", "PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope",
    "RescaleIntercept", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence",
    "PresentationLUTShape", "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData", "PixelData", "FloatPixelData",
    "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
_MONOCHROME, _PALETTE = ("MONOCHROME1", "MONOCHROME2"), "PALETTE COLOR"
_RISKY = "gdcm"


def read_dicom(path: str | Path) -> Radiograph:
    """Read a radiograph from a DICOM file, as a viewer shows it by default.

    Grey values are those of the file's table or window of interest (the first of several; without one, the range of its
    values), low is black whatever the file's sense, padding is black, pixels are made square, and the picture is turned so
    that the patient's right is on its left and the head on top, where the file says how it lies. Colour stays colour,
    unless its channels are equal. What was done is in the radiograph's `notes`; what may be wrong is warned of as well.

    Args:
        path: the file.

    Returns:
        The radiograph: 8-bit where the file stores up to 8 bits of a value, else 16-bit; its pixels are whole multiples of
        1/255 or 1/65535.

    Raises:
        InputNotFoundError: there is no such file.
        MissingExtraError: pydicom is not installed.
        InputError: it is no DICOM image, no radiograph, has several frames, can't be decoded, or needs a decoder that is
            not installed.
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
    values, more = _square_pixels(values, dataset)
    turn, also, said = turning(dataset)
    warnings += [*doubts, *said]
    for warning in warnings:
        logger.warning("%s: %s", path, warning)
    depth = 8 if int(dataset.BitsStored) <= 8 else 16
    notes = (*facts, *more, *also, *warnings)
    return Radiograph(
        _to_pixels(turn.apply(values), depth), depth, str(dataset.PhotometricInterpretation), path, DICOM, notes
    )


def _open(path: Path):
    """The file's data set, of the tags that decide the picture alone."""
    if not path.is_file():
        raise InputNotFoundError(f"There is no file `{path}`. Give the path of a DICOM radiograph.")
    with needs_extra("Reading DICOM", "pydicom", "dicom"):
        import pydicom
    try:
        dataset = pydicom.dcmread(path, force=True, specific_tags=list(TAGS))
        for _ in dataset.iterall():  # pydicom decodes a value when it is first asked for: what is damaged shows here
            pass
    except Exception as error:  # pydicom raises many kinds; their texts quote the file, and so perhaps the patient
        kind = type(error).__name__
        raise InputError(f"`{path}` must be a whole DICOM file, but it can't be read ({kind}).") from error
    if len(dataset) == 0 and not getattr(dataset, "file_meta", None):
        raise InputError(f"`{path}` must be a DICOM file, but it is none.")
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _guessed_syntax(*dataset.original_encoding)
    return dataset


def _said(error: Exception) -> str:
    """What an error says, in one line without a full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _guessed_syntax(is_implicit: bool, is_little: bool):
    """How a file is coded that does not say so: as its first elements are."""
    from pydicom import uid

    if is_implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian


def _check_picture(dataset) -> None:
    """Refuse what holds no single picture of whole numbers.

    Raises:
        InputError: the end of a sentence that begins with the file's name.
    """
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise InputError("must have whole-number pixels, but has floating-point ones")
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
        raise InputError(f"must hold a picture, but has no {missing[0]}")
    if (frames := _whole(dataset, "NumberOfFrames")) != 1:
        raise InputError(f"must hold one picture, but holds {frames} frames: save the one to edit as a file of its own")
    rows, columns = _whole(dataset, "Rows"), _whole(dataset, "Columns")
    if not 0 < rows * columns <= LARGEST:
        raise InputError(f"must have up to {LARGEST} pixels, got {rows} x {columns}")
    allocated, stored = _whole(dataset, "BitsAllocated"), _whole(dataset, "BitsStored")
    if allocated not in (8, 16) or not 1 <= stored <= allocated:
        raise InputError(f"must have pixels of 8 or 16 bits, got {stored} bits in {allocated}")
    samples, kind = _whole(dataset, "SamplesPerPixel"), dataset.PhotometricInterpretation
    if samples not in (1, 3) or (samples == 1) != (kind in (*_MONOCHROME, _PALETTE)):
        raise InputError("must be grey (MONOCHROME1, MONOCHROME2), of a palette, RGB or YBR, but is none of these")


def _whole(dataset, name: str) -> int:
    """A tag's whole number; 1 where it is absent or empty."""
    try:
        return int(dataset.get(name) or 1)
    except (TypeError, ValueError) as error:
        raise InputError(f"must have one whole number as {name}, but has none") from error


def _decode(dataset, path: Path) -> np.ndarray:
    """The pixels as they lie in the file, `(H, W)` or, in colour, `(H, W, 3)` in red, green and blue."""
    from pydicom.pixels import get_decoder, pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise InputError(f"`{path}` must be a picture, but is coded as {syntax.name}, which is none.") from error
    if not decoder.is_available:
        raise InputError(f"`{path}` is compressed ({syntax.name}) and needs a decoder: {_remedy(syntax)}.")
    try:
        return pixel_array(dataset, decoding_plugin=_decoder_name(decoder))
    except Exception as error:  # decoders of several libraries raise what they like
        hint = f" If it is whole, it needs another decoder: {_remedy(syntax)}." if syntax.is_compressed else ""
        raise InputError(
            f"`{path}` must be a whole DICOM image, but its pixels can't be decoded: {_said(error)}.{hint}"
        ) from error


def _decoder_name(decoder) -> str:
    """The decoder to use, "" for values that are not compressed: GDCM, which ends the process where a picture is damaged,
    only where there is no other.
    """
    return next(iter(sorted(decoder.available_plugins, key=lambda name: name == _RISKY)), "")


def _remedy(syntax) -> str:
    """What to install for a kind of compression."""
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
    """Values in [0, 1], `(H, W)` or `(H, W, 3)`, with what was done and what may be wrong."""
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
        raise InputError(f"`{path}` can't be shown: {_said(error)}.") from error
    return shown.values, shown.facts, shown.warnings


def _plain_colour(values: np.ndarray, largest: int) -> np.ndarray:
    """Colours in [0, 1]; `(H, W)` where the three are equal everywhere."""
    values = values[..., 0] if (values == values[..., :1]).all() else values[..., :3]
    return np.clip(values / largest, 0, 1)


def _square_pixels(values: np.ndarray, dataset) -> tuple[np.ndarray, list[str]]:
    """The picture with pixels as high as wide: the coarser direction is resampled to the finer's spacing."""
    ratio = _height_to_width(dataset)
    if abs(ratio - 1) < 0.01:  # less than the geometry of radiography is sure of
        return values, []
    height, width = values.shape[:2]
    size = (width, round(height * ratio)) if ratio > 1 else (round(width / ratio), height)
    if size[0] * size[1] > LARGEST:
        return values, ["Its pixels are not square by an impossible ratio: left as they are."]
    resized = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    fact = (
        f"Pixels {ratio:.3g} times as high as wide: resampled from {width} x {height} to {size[0]} x {size[1]} pixels."
    )
    return resized, [fact]


def _height_to_width(dataset) -> float:
    """A pixel's height divided by its width; 1 where nothing is said."""
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        value = dataset.get(name)
        if value is not None and not isinstance(value, str) and len(value) == 2:
            height, width = (float(one) for one in value)
            if height > 0 and width > 0:
                return height / width
    return 1.0


def _to_pixels(values: np.ndarray, depth: int) -> torch.Tensor:
    """`(1, C, H, W)` float32, rounded to what a file of this depth can hold."""
    largest = np.float32(2**depth - 1)
    whole = np.round(np.clip(values, 0, 1) * largest).astype(np.float32) / largest
    channels = whole[None] if whole.ndim == 2 else whole.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels))[None]
