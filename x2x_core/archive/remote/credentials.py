"""Credentials and TLS of an archive, from the environment alone: a command line is read by others and remembered."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError

from .address import Address

USER, PASSWORD, TOKEN = "X2X_ARCHIVE_USER", "X2X_ARCHIVE_PASSWORD", "X2X_ARCHIVE_TOKEN"
AUTHORITY, CERTIFICATE, KEY = "X2X_ARCHIVE_CA", "X2X_ARCHIVE_CERTIFICATE", "X2X_ARCHIVE_KEY"
UNENCRYPTED = "X2X_ARCHIVE_UNENCRYPTED"


@dataclass(frozen=True)
class Credentials:
    """Proofs of who asks, and whom to trust; secrets are in no text of it."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    authority: Path | None = None  # certificates of the authorities to trust; None: the machine's own
    certificate: Path | None = None  # of this client
    key: Path | None = None  # of the certificate; None: in the same file
    may_be_read: bool = False  # secrets may cross the network unencrypted

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Credentials:
        """Read the credentials from environment variables.

        Raises:
            InputNotFoundError: a variable names a file that is not there.
            InputError: variables that contradict each other, or files that are no certificates.
        """
        user, password, token = (environment.get(name, "") for name in (USER, PASSWORD, TOKEN))
        if bool(user) != bool(password):
            raise InputError(f"{USER} and {PASSWORD} belong together, but only one of the two is set.")
        if user and token:
            raise InputError(f"{TOKEN} and {USER} exclude each other: unset one of the two.")
        if ":" in user:
            raise InputError(f"{USER} must not hold a colon, which ends the name in HTTP.")
        for name, secret in ((USER, user), (PASSWORD, password), (TOKEN, token)):
            if not secret.isprintable():
                raise InputError(f"{name} must be one line of printable characters.")
        if not token.isascii():
            raise InputError(f"{TOKEN} must be ASCII.")
        authority, certificate, key = (_file(environment, name) for name in (AUTHORITY, CERTIFICATE, KEY))
        if key and not certificate:
            raise InputError(f"{KEY} requires {CERTIFICATE}: set it, or unset {KEY}.")
        unencrypted = environment.get(UNENCRYPTED, "")
        if unencrypted not in ("", "yes"):
            raise InputError(f"{UNENCRYPTED} must be yes, or not set.")
        made = cls(user, password, token, authority, certificate, key, bool(unencrypted))
        made.tls()
        return made

    @property
    def has_secret(self) -> bool:
        """Return True if there is a password or token to send."""
        return bool(self.user or self.token)

    def check_for(self, address: Address) -> None:
        """Check that secrets and certificates go with an address.

        Raises:
            InputError: secrets would cross the network unencrypted, or certificates would not be used.
        """
        if self.has_secret and not address.is_private and not self.may_be_read:
            raise InputError(
                f"`archive` must be encrypted (https:// or dicoms://), because a password or token is set and anybody "
                f"on the way to {address.name} could read it. Set {UNENCRYPTED}=yes to send it nevertheless."
            )
        if not address.is_encrypted and (self.authority or self.certificate):
            raise InputError(
                f"`archive` must be encrypted (https:// or dicoms://), because {AUTHORITY} or {CERTIFICATE} is set, "
                f"got {address.name}. Give an encrypted address, or unset them."
            )

    def tls(self) -> ssl.SSLContext:
        """Return the TLS settings of a client.

        Raises:
            InputError: files that are no certificates, or an encrypted key.
        """
        try:
            context = ssl.create_default_context(cafile=self.authority)
        except (ssl.SSLError, OSError):
            raise InputError(f"{AUTHORITY} must name a PEM file with certificates, but the file holds none.") from None
        self._load_own(context)
        return context

    def tls_server(self) -> ssl.SSLContext:
        """Return the TLS settings to listen with.

        Raises:
            InputError: there is no certificate to listen with.
        """
        if self.certificate is None:
            raise InputError(f"`archive` with dicoms:// and listen= requires {CERTIFICATE}: the archive connects back.")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authority)
        if self.authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        self._load_own(context)
        return context

    def _load_own(self, context: ssl.SSLContext) -> None:
        if self.certificate is None:
            return

        def refuse() -> str:  # instead of a question on the terminal
            raise InputError(f"{KEY} must not be encrypted: its pass phrase cannot be asked for.")

        try:
            context.load_cert_chain(self.certificate, self.key, password=refuse)
        except (ssl.SSLError, OSError) as error:
            raise InputError(
                f"{CERTIFICATE} and {KEY} must name PEM files with a certificate and its key, but do not."
            ) from error


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "")
    if not text:
        return None
    if not Path(text).is_file():
        raise InputNotFoundError(f"{name} must name an existing file, got `{text}`.")
    return Path(text)
