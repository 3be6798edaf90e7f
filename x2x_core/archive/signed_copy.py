"""Signed copies of results: a PNG result as PNG, JPEG or TIFF with a content credential."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.imaging.files import PNG_SIGNATURE, read_image, to_values
from x2x_core.imaging.provenance import SYNTHETIC_NOTICE, read_proof, sha256_file

from .credentials.media import JPEG, PNG, TIFF
from .credentials.signing import COMPOSITE, Ingredient, Signer, Statement
from .verification import verify

_KINDS = {".png": PNG, ".jpg": JPEG, ".jpeg": JPEG, ".tif": TIFF, ".tiff": TIFF}
_QUALITY = 95  # of JPEG, 1 to 100
_IMAGE_DESCRIPTION = 270  # TIFF tag


def sign_copy(path: Path, target: str, signer: Signer) -> bytes:
    """Return a copy of a result with a content credential; its ingredient is the result.

    Args:
        path: a PNG file that this program wrote, unaltered since.
        target: name of the copy, whose suffix decides its format. PNG and TIFF keep all values; JPEG has 8 bits and
            changes pixels.
        signer: signs.

    Raises:
        InputNotFoundError: no such file.
        InputError: a file that is no unaltered PNG result, or another suffix.
    """
    media_type = _KINDS.get(Path(target).suffix.lower())
    if media_type is None:
        raise InputError(f"`out` must end in {', '.join(_KINDS)}, got `{target}`.")
    found = verify(path)
    data = path.read_bytes()
    if not found.holds or not data.startswith(PNG_SIGNATURE):
        raise InputError(
            f"`{path}` must be a PNG file that this program wrote, unaltered since, but `x2x verify {path}` does not "
            "find that: what would be signed is not known to be true."
        )
    record = {"software": found.software, "parameters": found.parameters}
    copy = data
    if media_type != PNG:
        copy = _encoded(path, media_type)
        record |= {"proof": read_proof(path)} if media_type == TIFF else {}
    source = Ingredient(path.name, data, sha256_file(path))
    return signer.sign(copy, media_type, Statement(Path(target).name, COMPOSITE, record, source, True, copy != data))


def _encoded(path: Path, media_type: str) -> bytes:
    radiograph = read_image(path)
    values = to_values(radiograph.pixels, 8 if media_type == JPEG else radiograph.bit_depth)
    encoded = io.BytesIO()
    if media_type == JPEG:
        Image.fromarray(values).save(encoded, "JPEG", quality=_QUALITY, comment=SYNTHETIC_NOTICE)
    elif values.ndim == 3 and values.dtype == np.uint16:
        raise InputError(f"`{path}` must be grey or have 8 bits to become TIFF, but has 16-bit colours: keep PNG.")
    else:
        tags = {_IMAGE_DESCRIPTION: SYNTHETIC_NOTICE}
        Image.fromarray(values).save(encoded, "TIFF", compression="tiff_deflate", tiffinfo=tags)
    return encoded.getvalue()
