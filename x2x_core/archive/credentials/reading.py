"""Reading and checking of content credentials (C2PA), without the network."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

from .key import read_certificates
from .media import media_type_of
from .signing import OFFLINE, RECORD_LABEL

_MARKS = (b"jumb", b"c2pa")  # bytes that every file with credentials has
_UNTRUSTED = "signingCredential.untrusted"
# What the library's codes of failure mean to people; others are named as they are.
_MEANINGS = {
    "assertion.dataHash.mismatch": "the file was changed after it was signed",
    "assertion.hashedURI.mismatch": "a statement of the credential was changed",
    "claimSignature.mismatch": "the signature does not fit what is signed",
    "claimSignature.missing": "the signature is missing",
    "signingCredential.expired": "the certificate was not valid when it was checked",
    "signingCredential.invalid": "the certificate is not one that may sign content",
    "claim.malformed": "the credential is malformed",
}


@dataclass(frozen=True)
class CredentialCheck:
    """Findings about the content credential of a file."""

    is_valid: bool  # the signature fits, and the file is the one that was signed
    is_trusted: bool | None  # its certificate leads to a trusted one; None: no trusted ones were given
    signer: str  # names in the certificate; "" if unreadable
    signed_at: str  # by a time stamp; "" without one
    source_type: str  # how the picture was made, the last part of IPTC's term
    inputs: tuple[str, ...]  # names of what it was made from
    problems: tuple[str, ...]
    record: Mapping[str, Any] | None  # this program's; None: another program signed

    def as_dict(self) -> dict[str, Any]:
        """Return the findings without the record, as JSON can hold them."""
        return {name: value for name, value in vars(self).items() if name != "record"}


def has_credentials(data: bytes) -> bool:
    """Return True if a file seems to hold content credentials."""
    return all(mark in data for mark in _MARKS)


def read_trusted(path: Path) -> str:
    """Read a PEM file of certificates of authorities that are trusted: roots, or those between them and signers.

    Raises:
        InputNotFoundError: no such file.
        InputError: no certificates, or none of an authority.
    """
    with needs_extra("Checking content credentials", "c2pa-python", "sign"):
        from cryptography.hazmat.primitives.serialization import Encoding
    certificates = [certificate for certificate in read_certificates(path, "trust") if _is_authority(certificate)]
    if not certificates:
        raise InputError(
            f"`trust` must hold certificates of authorities, but those in `{path}` can issue none. Give the root that "
            "the signer's certificate leads to, or one between the two."
        )
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates).decode()


def _is_authority(certificate: Any) -> bool:
    from cryptography.x509 import BasicConstraints, ExtensionNotFound

    try:
        return bool(certificate.extensions.get_extension_for_class(BasicConstraints).value.ca)
    except (ExtensionNotFound, ValueError):  # none, or malformed ones
        return False


def check_credentials(data: bytes, trusted: str | None = None) -> CredentialCheck | None:
    """Check the content credential of a PNG, JPEG or TIFF file.

    Args:
        data: the file.
        trusted: certificates as PEM, from `read_trusted`.

    Returns:
        The findings, ``None`` for a file without credentials.

    Raises:
        MissingExtraError: c2pa-python is not installed.
    """
    media_type = media_type_of(data)
    if media_type is None or not has_credentials(data):
        return None
    with needs_extra("Checking content credentials", "c2pa-python", "sign"):
        import c2pa
    settings: dict[str, Any] = {**OFFLINE, "verify": {**OFFLINE["verify"], "verify_trust": trusted is not None}}
    if trusted is not None:
        settings["trust"] = {"trust_anchors": trusted}
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader,
        ):
            found = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return None
    except (c2pa.C2paError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        return CredentialCheck(False, None if trusted is None else False, "", "", "", (), (reason,), None)
    return _findings(found, trusted is not None)


def _findings(found: Mapping[str, Any], with_trust: bool) -> CredentialCheck:
    manifest = _entry(_entry(found, "manifests"), str(found.get("active_manifest")))
    codes = _failures(found)
    state = found.get("validation_state")
    signature = _entry(manifest, "signature_info")
    names = [str(signature[name]) for name in ("common_name", "issuer") if signature.get(name)]
    ingredients = manifest.get("ingredients") or []
    problems = tuple(dict.fromkeys(_MEANINGS.get(code, code) for code in codes if code != _UNTRUSTED))
    return CredentialCheck(
        is_valid=state in ("Valid", "Trusted") and not problems,
        is_trusted=state == "Trusted" if with_trust else None,
        signer=", ".join(dict.fromkeys(names)),
        signed_at=str(signature.get("time") or ""),
        source_type=_source_type(manifest),
        inputs=tuple(str(item.get("title", "")) for item in ingredients if isinstance(item, dict)),
        problems=problems,
        record=_record(manifest),
    )


def _entry(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _failures(found: Mapping[str, Any]) -> list[str]:
    """Return the codes of what failed in the active manifest."""
    failures = _entry(_entry(found, "validation_results"), "activeManifest").get("failure") or []
    return [str(item.get("code")) for item in failures if isinstance(item, dict)]


def _assertions(manifest: Mapping[str, Any], label: str) -> list[Mapping[str, Any]]:
    listed = manifest.get("assertions") or []
    return [
        _entry(item, "data") for item in listed if isinstance(item, dict) and str(item.get("label")).startswith(label)
    ]


def _source_type(manifest: Mapping[str, Any]) -> str:
    for data in _assertions(manifest, "c2pa.actions"):
        for action in data.get("actions") or []:
            if isinstance(action, dict) and action.get("digitalSourceType"):
                return str(action["digitalSourceType"]).rsplit("/", 1)[-1]
    return ""


def _record(manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for data in _assertions(manifest, RECORD_LABEL):
        try:
            record = json.loads(str(data.get("json")))
        except ValueError:
            return None
        return record if isinstance(record, dict) else None
    return None
