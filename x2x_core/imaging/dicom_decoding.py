"""Decoding of DICOM pixels by pydicom and its plug-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from x2x_core.common.errors import InputError, one_line

from .decoding_apart import decode_apart

_RISKY = "gdcm"  # crashes on some damaged pictures


def decode(dataset: Any, path: Path, all_bits: bool) -> np.ndarray:
    """Decode the stored pixels, `(H, W)`, or `(H, W, 3)` RGB for colour.

    Args:
        dataset: the image's pydicom data set.
        path: its file, for messages.
        all_bits: keep the bits of the containers that the values do not use.

    Raises:
        InputError: damaged pixels, an unknown coding, or a decoder that is not installed.
    """
    from pydicom.pixels import get_decoder, pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise InputError(f"`{path}` must be a picture, but its transfer syntax is {syntax.name}.") from error
    if not decoder.is_available:
        raise InputError(f"`{path}` is compressed ({syntax.name}) and requires a decoder: {_remedy(syntax)}.")
    plugin = decoder_name(decoder)
    try:
        if plugin == _RISKY:
            return decode_apart(path, plugin, all_bits)
        return pixel_array(dataset, decoding_plugin=plugin, correct_unused_bits=not all_bits)
    except Exception as error:  # the decoders of several libraries raise errors of any type
        hint = (
            f" If the file is intact, it requires another decoder: {_remedy(syntax)}." if syntax.is_compressed else ""
        )
        raise InputError(
            f"`{path}` must be an intact DICOM image, but its pixels cannot be decoded: {one_line(error)}.{hint}"
        ) from error


def decoder_name(decoder: Any) -> str:
    """Return the name of the decoder to use, "" for uncompressed values.

    GDCM, which crashes on some damaged pictures, is used only without an alternative, and in a process of its own.
    """
    return next(iter(sorted(decoder.available_plugins, key=lambda name: name == _RISKY)), "")


def _remedy(syntax: Any) -> str:
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
