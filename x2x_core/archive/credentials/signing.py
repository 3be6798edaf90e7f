"""Signing of PNG, JPEG and TIFF files with content credentials (C2PA).

A credential is embedded beside the pixels, which stay as they are. It says that the picture is synthetic, what made it,
from what input and with what settings, and binds this to the bytes of the file. Nothing is asked of the network.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import x2x_core
from x2x_core.archive.provenance_elements import MAKER
from x2x_core.common.errors import InputError, one_line
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.files import encode_png

from .key import SigningFiles, SigningKey, load_key
from .media import PNG, media_type_of

RECORD_LABEL = "instructx2x.record"  # of the assertion that holds the record
_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = f"{_TERMS}compositeWithTrainedAlgorithmicMedia"
GENERATED = f"{_TERMS}trainedAlgorithmicMedia"
_INPUT = "input"
OFFLINE: dict[str, Any] = {
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True)
class Ingredient:
    """The picture that another one was made from."""

    name: str
    data: bytes
    sha256: str

    @property
    def media_type(self) -> str | None:
        """Its media type, `None` for kinds of files that hold no credentials of their own."""
        return media_type_of(self.data)


@dataclass(frozen=True)
class Statement:
    """Content of a credential.

    Attributes:
        name: of the picture.
        source_type: IPTC's term for how it was made.
        record: what `x2x verify` reads, as JSON can hold it.
        ingredient: what it was made from.
        is_edit: it is the ingredient, edited; otherwise it was made with it as an input.
        is_converted: it is the ingredient in another format.
    """

    name: str
    source_type: str
    record: Mapping[str, Any]
    ingredient: Ingredient
    is_edit: bool = True
    is_converted: bool = False


class Signer:
    """Signs pictures.

    Args:
        key: to sign with.

    Raises:
        InputError: certificates that C2PA does not accept.
        MissingExtraError: c2pa-python is not installed.
    """

    def __init__(self, key: SigningKey) -> None:
        with needs_extra("Signing", "c2pa-python", "sign"):
            import c2pa  # noqa: F401
        self.key = key
        self.fingerprint = key.fingerprint
        blank = encode_png(np.zeros((1, 1), np.uint8))
        nothing = Ingredient("nothing", b"", "")
        self.sign(blank, PNG, Statement("trial", COMPOSITE, {}, nothing))  # before there is work to lose

    @classmethod
    def load(cls, files: SigningFiles | None) -> Signer | None:
        """Return the signer of a key's files, ``None`` without them.

        Raises:
            InputError: see `load_key`.
        """
        return None if files is None else cls(load_key(files))

    def sign(self, data: bytes, media_type: str, statement: Statement) -> bytes:
        """Return a picture's file with a credential in it.

        Args:
            data: the file; credentials that it has are replaced.
            media_type: `PNG`, `JPEG` or `TIFF`.
            statement: what is signed.

        Raises:
            InputError: a file that cannot be signed, or certificates that C2PA does not accept.
        """
        import c2pa

        certificates, private = self.key.pem()
        signed = io.BytesIO()
        settings = {**OFFLINE, "builder": {"thumbnail": {"enabled": False}}}
        try:
            info = c2pa.C2paSignerInfo(self.key.algorithm.encode(), certificates, private, None)
            with (
                c2pa.Context.from_dict(settings) as context,
                c2pa.Builder(_manifest(statement, media_type), context) as builder,
                c2pa.Signer.from_info(info) as signer,
            ):
                own = statement.ingredient.media_type
                if own is not None:
                    entry = json.dumps(_ingredient(statement))
                    builder.add_ingredient(entry, own, io.BytesIO(statement.ingredient.data))
                builder.sign(signer, media_type, io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise InputError(
                f"`{statement.name}` cannot be signed with `sign_key` and `sign_certificate`: {one_line(error)}."
            ) from error
        return signed.getvalue()


def _manifest(statement: Statement, media_type: str) -> dict[str, Any]:
    """Return the definition of a credential as the library reads it."""
    agent = {"name": MAKER, "version": x2x_core.__version__}
    action = {"digitalSourceType": statement.source_type, "softwareAgent": agent}
    if statement.is_edit:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_INPUT]}}
        actions = [opened, {"action": "c2pa.edited", **action}]
        actions += [{"action": "c2pa.converted", "softwareAgent": agent}] if statement.is_converted else []
    else:
        actions = [{"action": "c2pa.created", **action}]
    manifest: dict[str, Any] = {
        "claim_generator_info": [agent],
        "title": statement.name,
        "format": media_type,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}, "created": True},
            {"label": RECORD_LABEL, "data": {"json": _as_text(statement.record)}, "created": True},
        ],
    }
    if statement.ingredient.media_type is None:
        manifest["ingredients"] = [{**_ingredient(statement), "format": "application/octet-stream"}]
    return manifest


def _ingredient(statement: Statement) -> dict[str, Any]:
    return {
        "title": statement.ingredient.name,
        "relationship": "parentOf" if statement.is_edit else "inputTo",
        "label": _INPUT,
        "instance_id": f"urn:sha256:{statement.ingredient.sha256}",
    }


def _as_text(record: Mapping[str, Any]) -> str:
    """Return a record as text: as values, the library would turn lists of small numbers into bytes."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False)
