"""Keys and certificates for tests of signing: a root, an authority, and a signer's own, made anew in each run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Chain:
    """Files of a key, its certificates, and the root that they lead to."""

    key: Path
    certificate: Path
    root: Path


def private_key(kind: str = "es256"):
    """Return a new private key: es256, es384, es512, ed25519, ps256, or one that is too weak."""
    curves = {"es256": ec.SECP256R1(), "es384": ec.SECP384R1(), "es512": ec.SECP521R1(), "es256k": ec.SECP256K1()}
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048 if kind == "ps256" else 1024)


def name_of(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hospital of Tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def certificate(subject: str, key, issuer: str, issuer_key, is_authority: bool, days: tuple[int, int] = (-2, 30)):
    """Return a certificate that is valid between two days from now."""
    now = datetime.now(UTC)
    usage = dict.fromkeys(("key_encipherment", "content_commitment", "data_encipherment", "key_agreement"), False)
    usage |= {"encipher_only": False, "decipher_only": False, "digital_signature": not is_authority}
    made = (
        x509.CertificateBuilder()
        .subject_name(name_of(subject))
        .issuer_name(name_of(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=is_authority, crl_sign=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    algorithm = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return made.sign(issuer_key, algorithm)


def write_chain(
    folder: Path, kind: str = "es256", passphrase: bytes | None = None, days: tuple[int, int] = (-2, 30)
) -> Chain:
    """Write a key, a chain of two certificates, and their root to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    root_key, middle_key, own_key = private_key(), private_key(), private_key(kind)
    root = certificate("Root", root_key, "Root", root_key, True)
    middle = certificate("Authority", middle_key, "Root", root_key, True)
    own = certificate("Radiology research", own_key, "Authority", middle_key, False, days)
    made = Chain(folder / "key.pem", folder / "chain.pem", folder / "root.pem")
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    made.key.touch(0o600)
    made.key.write_bytes(own_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    made.certificate.write_bytes(own.public_bytes(Encoding.PEM) + middle.public_bytes(Encoding.PEM))
    made.root.write_bytes(root.public_bytes(Encoding.PEM))
    return made
