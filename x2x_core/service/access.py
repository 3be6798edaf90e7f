"""Access to a service: addresses to listen at, the token, and requests that pages of other sites send."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from x2x_core.common.addresses import is_loopback
from x2x_core.common.errors import InputError
from x2x_core.common.private_files import read_private

from .settings import ServiceSettings

TOKEN_VARIABLE = "X2X_SERVE_TOKEN"
SHORTEST_TOKEN = 16
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def read_token(file: Path | None, environment: Mapping[str, str] | None = None) -> str:
    """Return the secret of a service: the content of a file, else of the environment variable; "" without either.

    Args:
        file: that only its owner may read; ``None``: the variable `TOKEN_VARIABLE`.
        environment: of the process, unless given.

    Raises:
        InputNotFoundError: no such file.
        InputError: a file that others may read, or a token that is too short or not printable ASCII.
    """
    environment = os.environ if environment is None else environment
    if file is None:
        source, token = f"the environment variable {TOKEN_VARIABLE}", environment.get(TOKEN_VARIABLE, "").strip()
        if not token:
            return ""
    else:
        source, token = f"`{file}`", read_private(file, "token")
    if len(token) < SHORTEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise InputError(
            f"The token in {source} must be at least {SHORTEST_TOKEN} ASCII letters and signs without spaces, got "
            f"{len(token)}. Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return token


def check_listening(host: str, token: str, without_token: bool) -> None:
    """Check that a service that others can reach has a token.

    Args:
        host: address to listen at.
        token: of the service; "" for none.
        without_token: the user asked for a service that everybody may use.

    Raises:
        InputError: it has none, and the user did not ask for that.
    """
    if is_loopback(host) or token or without_token:
        return
    raise InputError(
        f"`host` {host!r} can be reached from other machines, so a token is required: set {TOKEN_VARIABLE}, or give a "
        "file with --token-file. To let everybody who reaches this machine edit without one, add --without-token."
    )


class Access:
    """Decides on requests by their headers.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.token_required = bool(settings.token)
        self._digest = _digest(settings.token)
        self._hosts = None if settings.any_host or settings.token else {*_LOCAL_NAMES, settings.host}

    def accepts_host(self, host: str) -> bool:
        """Return False for a name that is not this machine's own: a site whose name was bound to this address."""
        return self._hosts is None or urlsplit(f"//{host}").hostname in self._hosts

    def accepts_origin(self, origin: str | None, host: str) -> bool:
        """Return False for a request that a page of another site sends."""
        return origin is None or urlsplit(origin).netloc == host

    def accepts_token(self, authorization: str | None) -> bool:
        """Return True if the header holds the token; digests are compared, in constant time."""
        if not self.token_required:
            return True
        scheme, _, given = (authorization or "").partition(" ")
        return hmac.compare_digest(_digest(given.strip()), self._digest) and scheme.lower() == "bearer"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
