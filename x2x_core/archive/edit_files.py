"""The files of an edit: pictures, DICOM objects for a DICOM input, and the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_overlay
from x2x_core.imaging.panel import panel
from x2x_core.imaging.provenance import Proof, encode_picture, synthetic_metadata
from x2x_core.imaging.radiograph import Radiograph

from .edit_record import FinishedEdit, carried
from .settings import DicomSettings
from .writing import Results, encode_dicom

RECORD = "result.json"
RESULTS = ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png", RECORD)


def encode_edit(
    finished: FinishedEdit, radiograph: Radiograph, record: Mapping[str, Any], archive: DicomSettings | None
) -> dict[str, bytes]:
    """Encode the files of an edit.

    Args:
        finished: the edit.
        radiograph: its input.
        record: the content of `result.json`, from `edit_record`.
        archive: how DICOM objects are written; ``None``: they are not.

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
    files[RECORD] = encode_record(record)
    return files


def encode_record(record: Mapping[str, Any]) -> bytes:
    """Encode the content of `result.json`."""
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()
