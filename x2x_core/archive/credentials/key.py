"""The key and the certificates that results are signed with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra
from x2x_core.common.private_files import read_private

KEY_VARIABLE, CERTIFICATE_VARIABLE = "X2X_SIGN_KEY", "X2X_SIGN_CERTIFICATE"
PASSPHRASE_VARIABLE = "X2X_SIGN_PASSPHRASE"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_SHORTEST_RSA = 2048


@dataclass(frozen=True)
class SigningFiles:
    """Files of a key and its certificates. Processes that sign load them; the key itself is never passed on."""

    key: Path
    certificate: Path

    @classmethod
    def choose(
        cls, key: Path | None, certificate: Path | None, environment: Mapping[str, str] | None = None
    ) -> SigningFiles | None:
        """Return the files to sign with, ``None`` if nothing is to be signed.

        Args:
            key: file of the key; ``None``: the variable `KEY_VARIABLE`.
            certificate: file of the certificates; ``None``: the variable `CERTIFICATE_VARIABLE`.
            environment: of the process, unless given.

        Raises:
            InputError: one without the other.
        """
        known = os.environ if environment is None else environment
        chosen = [
            path or (Path(known[name]).expanduser() if known.get(name) else None)
            for path, name in ((key, KEY_VARIABLE), (certificate, CERTIFICATE_VARIABLE))
        ]
        if chosen[0] is None and chosen[1] is None:
            return None
        if chosen[0] is None:
            raise InputError(f"`sign_certificate` requires `sign_key`: name the key's file too, or set {KEY_VARIABLE}.")
        if chosen[1] is None:
            raise InputError(
                "`sign_key` requires `sign_certificate`: name the file of the key's certificates too, or set "
                f"{CERTIFICATE_VARIABLE}."
            )
        return cls(chosen[0], chosen[1])


@dataclass(frozen=True)
class SigningKey:
    """A key, ready to sign."""

    algorithm: str  # C2PA's name: es256, es384, es512, ps256, ed25519
    private: Any = field(repr=False)  # cryptography's
    chain: tuple[Any, ...]  # cryptography's certificates, the key's own first

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the key's certificate, 64 hexadecimal digits."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return hashlib.sha256(self.chain[0].public_bytes(Encoding.DER)).hexdigest()

    def pem(self) -> tuple[bytes, bytes]:
        """Return the certificates and the key as PEM, the key without a passphrase."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        certificates = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain)
        return certificates, self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_key(files: SigningFiles, environment: Mapping[str, str] | None = None) -> SigningKey:
    """Load a key and its certificates.

    Args:
        files: PEM: the private key, which only its owner may read, and its certificate, followed by those between it
            and the root.
        environment: of the process, unless given; its variable `PASSPHRASE_VARIABLE` opens an encrypted key.

    Raises:
        InputNotFoundError: a file is missing.
        InputError: a file that is not a key or certificate, a key of an unsupported kind, one that others may read, or
            one that does not belong to the certificate, or a certificate that is not valid today.
        MissingExtraError: cryptography is not installed.
    """
    with needs_extra("Signing", "c2pa-python", "sign"):
        import cryptography  # noqa: F401
    known = os.environ if environment is None else environment
    private = _private_key(files.key, known.get(PASSPHRASE_VARIABLE))
    chain = read_certificates(files.certificate, "sign_certificate")
    if _public(private.public_key()) != _public(chain[0].public_key()):
        raise InputError(
            f"`sign_key` must be the key of the first certificate in `{files.certificate}`, but `{files.key}` is "
            "another one. Put the key's own certificate first."
        )
    now = datetime.now(UTC)
    if not chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc:
        raise InputError(
            f"`sign_certificate` must be valid today, but that of `{files.certificate}` is valid from "
            f"{chain[0].not_valid_before_utc:%Y-%m-%d} to {chain[0].not_valid_after_utc:%Y-%m-%d}. Renew it, or "
            "check this machine's clock."
        )
    return SigningKey(_algorithm(private, files.key), private, tuple(chain))


def read_certificates(path: Path, argument: str) -> list[Any]:
    """Read a PEM file of certificates.

    Args:
        path: of the file.
        argument: for messages.

    Raises:
        InputNotFoundError: no such file.
        InputError: no certificates.
    """
    from cryptography import x509

    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe or device may never end
            raise ValueError(path)
        return x509.load_pem_x509_certificates(path.read_bytes())
    except FileNotFoundError as error:
        raise InputNotFoundError(f"There is no file `{path}` to read certificates from.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"`{argument}` must be a PEM file of certificates, but `{path}` is not.") from error


def _private_key(path: Path, passphrase: str | None) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = read_private(path, "signing key").encode()
    is_encrypted = b"ENCRYPTED" in text
    try:
        return load_pem_private_key(text, passphrase.encode() if passphrase and is_encrypted else None)
    except TypeError as error:  # encrypted, and no passphrase
        raise InputError(
            f"`sign_key` must be a key that can be opened, but `{path}` is encrypted: set {PASSPHRASE_VARIABLE}."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        remedy = f"Check {PASSPHRASE_VARIABLE}." if is_encrypted else "Give an unencrypted or encrypted PKCS #8 file."
        raise InputError(
            f"`sign_key` must be a private key as PEM, but `{path}` cannot be read as one. {remedy}"
        ) from (None if is_encrypted else error)


def _algorithm(private: Any, path: Path) -> str:
    """Return C2PA's name of the algorithm of a key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= _SHORTEST_RSA:
        return "ps256"
    raise InputError(
        f"`sign_key` must be an elliptic-curve key (P-256, P-384, P-521), an Ed25519 key or an RSA key of at least "
        f"{_SHORTEST_RSA} bits, but `{path}` is not."
    )


def _public(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
