"""Addresses of archives, written as URLs: DICOMweb services and DIMSE nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from x2x_core.common.addresses import is_loopback
from x2x_core.common.errors import InputError

ADDRESS_VARIABLE = "X2X_ARCHIVE"
WEB, DIMSE = ("https", "http"), ("dicoms", "dicom")
FORMS = "https://HOST/PATH for DICOMweb, or dicom://TITLE@HOST:PORT (dicoms:// with TLS) for DIMSE"
_DIMSE_PORTS = {"dicom": 104, "dicoms": 2762}  # IANA's
_TITLE = re.compile(r"[^\\\x00-\x1f\x7f]{1,16}", re.ASCII)
_OWN_TITLE = "X2X"


@dataclass(frozen=True)
class WebAddress:
    """A DICOMweb service."""

    url: str  # of the service, without a slash at its end
    host: str
    is_encrypted: bool

    @property
    def name(self) -> str:
        """Return the archive's name in messages."""
        return self.url

    @property
    def is_private(self) -> bool:
        """Return True if nobody else can read what is sent: it is encrypted, or does not leave this machine."""
        return self.is_encrypted or is_loopback(self.host)


@dataclass(frozen=True)
class DimseAddress:
    """A DIMSE node: an application entity that answers C-FIND, C-GET or C-MOVE, and C-STORE."""

    host: str
    port: int
    called: str  # its application entity title
    calling: str = _OWN_TITLE  # the title of this program
    is_encrypted: bool = False
    listen: int | None = None  # port of this machine where the archive's C-MOVE sends to; None: C-GET

    @property
    def name(self) -> str:
        """Return the archive's name in messages."""
        return f"{'dicoms' if self.is_encrypted else 'dicom'}://{self.called}@{self.host}:{self.port}"

    @property
    def is_private(self) -> bool:
        """Return True if nobody else can read what is sent: it is encrypted, or does not leave this machine."""
        return self.is_encrypted or is_loopback(self.host)


Address = WebAddress | DimseAddress


def read_address(text: str | None, environment: Mapping[str, str], schemes: tuple[str, ...] = WEB + DIMSE) -> Address:
    """Read the address of an archive.

    Args:
        text: the address; ``None``: that of the environment variable `ADDRESS_VARIABLE`.
        environment: of the process.
        schemes: those that are allowed.

    Raises:
        InputError: no address, one of another form, or one with a password in it, which the message does not repeat.
    """
    text = (environment.get(ADDRESS_VARIABLE, "") if text is None else text).strip()
    if not text:
        raise InputError(
            f"`archive` must be the address of an archive: {FORMS}. Give one, or set the environment variable "
            f"{ADDRESS_VARIABLE}."
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InputError(f"`archive` must be {FORMS}; this address cannot be read.") from None
    if parts.password is not None or (parts.scheme in WEB and parts.username is not None):
        raise InputError(
            "`archive` must not hold a user name or password, which others could read: set X2X_ARCHIVE_USER and "
            "X2X_ARCHIVE_PASSWORD in the environment."
        )
    if parts.scheme not in WEB + DIMSE or not parts.hostname:
        raise InputError(f"`archive` must be {FORMS}, got {text!r}.")
    if parts.scheme not in schemes:
        raise InputError(
            f"`archive` must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} here, got {text!r}. Use "
            f"`x2x {'dicomweb' if parts.scheme in WEB else 'dimse'}` for it."
        )
    return _web(parts, text) if parts.scheme in WEB else _dimse(parts, port, text)


def _web(parts: SplitResult, text: str) -> WebAddress:
    if parts.query or parts.fragment:
        raise InputError(f"`archive` must be {FORMS}, without a question mark or hash, got {text!r}.")
    return WebAddress(text.rstrip("/"), parts.hostname or "", parts.scheme == "https")


def _dimse(parts: SplitResult, port: int | None, text: str) -> DimseAddress:
    options = dict(parse_qsl(parts.query))
    if set(options) - {"calling", "listen"} or parts.fragment or parts.path.strip("/"):
        raise InputError(
            f"`archive` must be {FORMS}, with nothing after it but ?calling=TITLE and &listen=PORT, got {text!r}."
        )
    called, calling = parts.username or "", options.get("calling", _OWN_TITLE)
    for title in (called, calling):
        if not _TITLE.fullmatch(title) or not title.strip():
            raise InputError(
                f"`archive` must name application entity titles of 1 to 16 letters, as in dicom://TITLE@HOST:PORT, got "
                f"{title!r}."
            )
    listen = options.get("listen")
    if listen is not None and not (listen.isdecimal() and 0 < int(listen) < 2**16):
        raise InputError(f"`archive` must name a port from 1 to 65535 after listen=, got {listen!r}.")
    return DimseAddress(
        parts.hostname or "",
        port or _DIMSE_PORTS[parts.scheme],
        called,
        calling,
        parts.scheme == "dicoms",
        None if listen is None else int(listen),
    )
