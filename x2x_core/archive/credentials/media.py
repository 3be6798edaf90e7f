"""Media types of pictures that hold content credentials."""

from __future__ import annotations

from x2x_core.imaging.files import PNG_SIGNATURE

PNG, JPEG, TIFF = "image/png", "image/jpeg", "image/tiff"
_SIGNATURES = {PNG_SIGNATURE: PNG, b"\xff\xd8\xff": JPEG, b"II*\x00": TIFF, b"MM\x00*": TIFF}


def media_type_of(data: bytes) -> str | None:
    """Return the media type of a file that can hold content credentials, ``None`` for others."""
    return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)
