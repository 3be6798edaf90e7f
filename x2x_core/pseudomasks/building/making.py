"""Building an atlas file from tables of boxes, with a record of how it was made and how well it scores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.imaging.provenance import sha256_file
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .box_tables import TERMS, read_boxes, table_format
from .boxes import Box
from .evaluation import evaluate_boxes
from .maps_from_boxes import FOLDS, build_maps

logger = logging.getLogger(__name__)

EVALUATION_SEED = 1  # of the folds that score; the folds that choose and calibrate have another


def read_tables(paths: Sequence[str | Path], sizes: str | Path | None = None) -> tuple[list[Box], list[dict[str, Any]]]:
    """Read and pool the boxes of several tables.

    Args:
        paths: tables in the NIH, RSNA, MS-CXR or VinDr-CXR format.
        sizes: table of image sizes for VinDr-CXR, see `read_boxes`.

    Returns:
        The boxes, and the name, format, SHA-256, number of boxes and terms of use of each table.

    Raises:
        InputNotFoundError: a table does not exist.
        InputError: no table, or a malformed one.
    """
    if not paths:
        raise InputError("`box_paths` must name at least one table of boxes, got none.")
    boxes: list[Box] = []
    tables = []
    for path in map(Path, paths):
        members, kind = read_boxes(path, sizes), table_format(path)
        tables.append({"file": path.name, "format": kind, "sha256": sha256_file(path), "boxes": len(members)})
        tables[-1]["terms"] = TERMS[kind]
        boxes += members
    return boxes, tables


def build_atlas(
    box_paths: Sequence[str | Path],
    out: str | Path,
    folds: int = FOLDS,
    seed: int = EVALUATION_SEED,
    sizes: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    **parameters: Any,
) -> PseudomaskAtlas:
    """Read box tables, build the atlas, score it and write it.

    The file records its parameters, all smoothing methods that were compared, each table's name, SHA-256 and terms of
    use, the number of boxes behind each map, and the scores on held-out patients (see `evaluate_boxes`).

    Args:
        box_paths: tables in the NIH, RSNA, MS-CXR or VinDr-CXR format.
        out: the safetensors file to write; the same tables and parameters give the same bytes.
        folds: number of folds of the cross-validation that scores; 0 skips it.
        seed: of its split of the patients.
        sizes: table of image sizes for VinDr-CXR.
        progress: as for `evaluate_boxes`.
        **parameters: as for `build_maps`, whose cross-validation has its own ``folds`` and ``seed``.

    Returns:
        The atlas, as written.

    Raises:
        InputNotFoundError: a table or the folder of `out` does not exist.
        InputError: no table, a malformed table, or a parameter out of range.
    """
    boxes, tables = read_tables(box_paths, sizes)
    maps, metadata = build_maps(boxes, **parameters)
    metadata["tables"] = tables
    if folds:
        measured = evaluate_boxes(boxes, folds, seed, progress=progress, **parameters)
        metadata["held_out"] = {"folds": folds, "seed": seed, "grouped_by": "patient", "categories": measured}
    atlas = PseudomaskAtlas(maps, metadata, source=out)
    atlas.save(out)
    logger.info("Wrote %d maps from %d boxes to %s", len(maps), len(boxes), out)
    return atlas
