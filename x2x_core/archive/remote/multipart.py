"""The parts of a multipart answer. An answer that was cut off is refused, which the client's own reader accepts."""

from __future__ import annotations

import re

from .errors import ArchiveError

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)


def parts_of(content: bytes, content_type: str) -> list[bytes]:
    """Return the bodies of the parts of an answer.

    Args:
        content: of the answer.
        content_type: its header; an answer that is no multipart message is one part.

    Raises:
        ArchiveError: the end is missing, or a part has no head.
    """
    if not content_type.lower().startswith("multipart/"):
        return [content]
    match = _BOUNDARY.search(content_type)
    marker = f"--{match[1].strip()}".encode() if match else b""
    pieces = (b"\r\n" + content).split(b"\r\n" + marker) if marker else []
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ArchiveError("The archive's answer broke off in the middle.")
    bodies = []
    for piece in pieces[1:-1]:
        _, separator, body = piece.partition(b"\r\n\r\n")
        if not separator:
            raise ArchiveError("The archive's answer must be a multipart message, but a part of it has no head.")
        bodies.append(body)
    return bodies
