"""Errors of an archive."""

from __future__ import annotations

from x2x_core.common.errors import InputError


class ArchiveError(InputError, ConnectionError):
    """An archive that cannot be reached, refuses, or breaks off; the message names no patient and no secret."""
