"""Opening an archive by its address."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .address import DIMSE, WEB, WebAddress, read_address
from .archive import Archive
from .credentials import Credentials
from .dimse import DimseArchive
from .web import WebArchive


def open_archive(
    address: str | None = None, schemes: tuple[str, ...] = WEB + DIMSE, environment: Mapping[str, str] | None = None
) -> Archive:
    """Open an archive; nothing is sent yet.

    Args:
        address: `https://HOST/PATH` for DICOMweb, `dicom://TITLE@HOST:PORT` or `dicoms://...` for DIMSE; ``None``: that
            of the environment variable X2X_ARCHIVE.
        schemes: those that are allowed.
        environment: of credentials and TLS, see `credentials`; the process's own unless given.

    Raises:
        InputError: an unusable address, or credentials that are unusable or do not go with it.
        MissingExtraError: a library is missing.
    """
    environment = os.environ if environment is None else environment
    place = read_address(address, environment, schemes)
    credentials = Credentials.from_environment(environment)
    credentials.check_for(place)
    return WebArchive(place, credentials) if isinstance(place, WebAddress) else DimseArchive(place, credentials)
