"""Associations with a DIMSE node, and their faults in one sentence."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from x2x_core.common.extras import needs_extra

from .address import DimseAddress
from .archive import ANSWER, CONNECT
from .credentials import AUTHORITY, CERTIFICATE, Credentials
from .errors import ArchiveError


def check_library() -> None:
    """Check that pynetdicom is there, and keep it from writing passwords into logs.

    Raises:
        MissingExtraError: it is not installed.
    """
    with needs_extra("DIMSE", "pynetdicom", "archive"):
        from pynetdicom import _config
    _config.LOG_HANDLER_LEVEL = "none"  # its own handlers write user names and passwords at level DEBUG


class Link:
    """The way to a DIMSE node.

    Args:
        address: of the node.
        credentials: to send as user identity, and TLS.
    """

    def __init__(self, address: DimseAddress, credentials: Credentials) -> None:
        check_library()
        self.address, self.credentials = address, credentials
        self._tls = credentials.tls() if address.is_encrypted else None

    @contextmanager
    def association(
        self, service: str, contexts: Sequence[Any], roles: Sequence[Any] = (), handlers: Sequence[Any] = ()
    ) -> Iterator[Any]:
        """Open an association, and yield it.

        Args:
            service: its name in messages.
            contexts: presentation contexts to ask for, up to 128.
            roles: SCP/SCU role selections.
            handlers: of pynetdicom's events.

        Raises:
            ArchiveError: the node cannot be reached or refuses.
        """
        from pynetdicom import AE

        self._probe()
        address = self.address
        entity = AE(address.calling)
        entity.connection_timeout = CONNECT
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = ANSWER
        began = time.monotonic()
        made = entity.associate(
            address.host,
            address.port,
            contexts=list(contexts),
            ae_title=address.called,
            ext_neg=[*roles, *self._identity()],
            tls_args=None if self._tls is None else (self._tls, address.host),
            evt_handlers=list(handlers),
        )
        if not made.is_established:
            is_late = time.monotonic() - began >= ANSWER
            raise ArchiveError(f"The archive {address.name} {_refusal(made, service, is_late)}.")
        try:
            yield made
        except RuntimeError as error:  # pynetdicom's, for a question on a connection that is gone
            if made.is_established:
                made.abort()
                raise
            raise self.lost() from error
        except BaseException:
            made.abort()
            raise
        made.release()

    def _identity(self) -> list[Any]:
        from pynetdicom.pdu_primitives import UserIdentityNegotiation

        given = self.credentials
        if not given.has_secret:
            return []
        identity = UserIdentityNegotiation()
        identity.user_identity_type = 2 if given.user else 5  # name and password, or a JSON web token
        identity.primary_field = (given.user or given.token).encode()
        identity.secondary_field = given.password.encode() if given.user else b""
        identity.positive_response_requested = False
        return [identity]

    def _probe(self) -> None:
        """Connect and end, to learn of faults of the network and of TLS, which pynetdicom only logs.

        Raises:
            ArchiveError: the node cannot be reached.
        """
        address = self.address
        try:
            with socket.create_connection((address.host, address.port), CONNECT) as plain:
                if self._tls is not None:
                    with self._tls.wrap_socket(plain, server_hostname=address.host):
                        pass
        except ssl.SSLCertVerificationError as error:
            raise ArchiveError(
                f"The archive {address.name} has a certificate that is not trusted ({error.verify_message}): set "
                f"{AUTHORITY} to the file of the authority that signed it."
            ) from None
        except ssl.SSLError:
            raise ArchiveError(
                f"The archive {address.name} ended the TLS handshake: check that it speaks TLS, and whether it "
                f"requires {CERTIFICATE}."
            ) from None
        except socket.gaierror:
            raise ArchiveError(
                f"The archive {address.name} cannot be reached: no machine of this name is known."
            ) from None
        except OSError as error:
            reason = error.strerror or "no answer in time"
            raise ArchiveError(f"The archive {address.name} cannot be reached: {reason}.") from None

    def lost(self) -> ArchiveError:
        """Return the error of a connection that broke off."""
        return ArchiveError(f"The archive {self.address.name} broke off the connection.")


def _refusal(association: Any, service: str, is_late: bool) -> str:
    """Return why there is no association, as the end of a sentence."""
    if association.rejected_contexts and not association.accepted_contexts:
        return f"does not offer {service}"
    if association.is_rejected:
        answer = association.acceptor.primitive
        reason = str(getattr(answer, "reason_str", "") or "no reason given").lower()
        return (
            f"refused the association ({reason}): check the title after dicom://, and whether the archive knows this "
            "program's title and address"
        )
    silence = f"gave no answer for {ANSWER:g} seconds" if is_late else "ended the connection without an answer"
    return f"{silence}: check that it speaks DICOM, and with or without TLS"
