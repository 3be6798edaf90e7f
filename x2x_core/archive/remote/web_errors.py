"""Faults of HTTP connections in one sentence, without queries, which can name patients."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from .credentials import AUTHORITY, CERTIFICATE, PASSWORD, TOKEN, USER
from .errors import ArchiveError

_REFUSED = {
    401: f"refused the credentials (HTTP 401): set {USER} and {PASSWORD}, or {TOKEN}, to valid ones",
    403: "does not allow this to these credentials (HTTP 403): ask its administrator",
    404: "has nothing there (HTTP 404): check the address and the UIDs",
    405: "does not offer this service (HTTP 405)",
    406: "cannot send objects as they are stored (HTTP 406)",
    409: "refused the objects (HTTP 409)",
    413: "refused the objects as too large (HTTP 413)",
    429: "is asked too often (HTTP 429): wait and try again",
    503: "is busy (HTTP 503): wait and try again",
    507: "has no room left (HTTP 507)",
}


@contextmanager
def in_one_sentence(name: str) -> Iterator[None]:
    """Turn faults of requests inside the block into `ArchiveError`.

    Args:
        name: of the archive.
    """
    import requests

    try:
        yield
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise ArchiveError(f"The archive {name} {refusal(status)}.") from None
    except requests.exceptions.RequestException as error:
        raise ArchiveError(f"The archive {name} {_fault(error)}.") from None


def refusal(status: int) -> str:
    """Return what an HTTP status of a refusal means, as the end of a sentence."""
    return _REFUSED.get(status, f"answered with an error (HTTP {status})")


def _fault(error: Exception) -> str:
    """Return what happened to a request, as the end of a sentence."""
    import requests

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"has a certificate that is not trusted ({cause.verify_message}): set {AUTHORITY} to the file of the "
                "authority that signed it"
            )
        if isinstance(cause, socket.gaierror):
            return "cannot be reached: no machine of this name is known"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"ended the TLS handshake: check that it speaks HTTPS, and whether it requires {CERTIFICATE}"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "cannot be reached: no answer in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "stopped answering"
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return "redirects to another address: give that one"
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return "answered with something else than DICOM JSON: check the address"
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return "broke off in the middle of an answer"
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror and type(cause).__module__ == "builtins":
            return f"cannot be reached: {cause.strerror}"
    return "ended the connection without an answer"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it came from, also where libraries hide them in arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
