"""The files of an edit: pictures, DICOM objects for a DICOM input, and the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_overlay
from x2x_core.imaging.panel import panel
from x2x_core.imaging.provenance import SOFTWARE, Proof, encode_picture, synthetic_metadata
from x2x_core.imaging.radiograph import Radiograph

from .credentials.media import PNG
from .credentials.signing import COMPOSITE, GENERATED, Ingredient, Signer, Statement
from .edit_record import FinishedEdit, carried
from .settings import DicomSettings
from .writing import Results, encode_dicom

RECORD = "result.json"
RESULTS = ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png", RECORD)
_EDITED, _MASK = RESULTS[0], RESULTS[2]
_PNG_SUFFIX = ".png"


def encode_edit(
    finished: FinishedEdit,
    radiograph: Radiograph,
    record: Mapping[str, Any],
    archive: DicomSettings | None,
    signer: Signer | None = None,
) -> dict[str, bytes]:
    """Encode the files of an edit.

    Args:
        finished: the edit.
        radiograph: its input.
        record: the content of `result.json`, from `edit_record`.
        archive: how DICOM objects are written; ``None``: they are not.
        signer: signs the pictures; ``None``: they are not signed.

    Returns:
        Name to content: `RESULTS`, and unless `archive` is ``None`` `x2x_core.archive.writing.FILES`.

    Raises:
        InputError: what DICOM does not support.
        MissingExtraError: a library is missing.
    """
    guidance_map, guidance_mask, depth = finished.guidance_map.cpu(), finished.guidance_mask.cpu(), radiograph.bit_depth
    picture = panel(radiograph.pixels, guidance_map, guidance_mask, finished.edited, record["instruction"]["text"])
    parameters = carried(record)
    files: dict[str, bytes] = {}
    if archive is not None:
        results = Results(finished.edited, guidance_map, guidance_mask, picture)
        files |= encode_dicom(radiograph.path, results, record["prompt"], parameters, archive)
    before, after = (to_values(pixels, depth) for pixels in (radiograph.pixels, finished.edited))
    proof = Proof(after, before, guidance_mask[0, 0].numpy())
    files["edited.png"] = encode_png(after, synthetic_metadata(parameters, proof))
    white = to_values(guidance_mask.float(), 8)
    files["guidance_mask.png"] = encode_png(white, synthetic_metadata(parameters, Proof(white)))
    files["guidance_map.png"] = encode_picture(guidance_overlay(radiograph.pixels, guidance_map), parameters)
    files["panel.png"] = encode_picture(picture, parameters, dpi=(300, 300))
    if signer is not None:
        files = sign_pictures(files, radiograph, record, signer)
    files[RECORD] = encode_record(record)
    return files


def sign_pictures(
    files: Mapping[str, bytes], radiograph: Radiograph, record: Mapping[str, Any], signer: Signer
) -> dict[str, bytes]:
    """Sign the PNG files of an edit with content credentials; other files stay as they are.

    Args:
        files: name to content.
        radiograph: what was edited.
        record: from `edit_record`.
        signer: signs.
    """
    source = Ingredient(radiograph.record_name, Path(radiograph.path).read_bytes(), record["input"]["sha256"])
    claims = {"software": SOFTWARE, "parameters": carried(record)}
    signed = dict(files)
    for name in (name for name in files if name.endswith(_PNG_SUFFIX)):
        kind = GENERATED if name == _MASK else COMPOSITE
        signed[name] = signer.sign(files[name], PNG, Statement(name, kind, claims, source, is_edit=name == _EDITED))
    return signed


def encode_record(record: Mapping[str, Any]) -> bytes:
    """Encode the content of `result.json`."""
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()
