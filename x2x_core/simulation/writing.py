"""Write simulated pairs with their ground truth, see `x2x_core.simulation.layout` for the files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.pairs.layout import COLUMNS, CURRENT, INSTRUCTIONS, PAST

from .change_maps import encode_change
from .layout import ATTRIBUTES_FILE, CHANGE, IMAGE_FOLDERS, MASKS, PARTS, SETTINGS_FILE, pair_file, part_file
from .pairs import SimulatedPair


def prepare_folder(out: Path, record: Mapping[str, Any], overwrite: bool) -> None:
    """Create the folders of a dataset and record its settings, or check that `out` contains the same dataset.

    Raises:
        InputError: `out` contains other files, or a dataset made with other settings and `overwrite` is False.
    """
    recorded = out / SETTINGS_FILE
    if recorded.is_file() and json.loads(recorded.read_text()) != record:
        if not overwrite:
            raise InputError(f"`out` must be empty or contain the same dataset, but {out} was made with other settings "
                             f"({SETTINGS_FILE}). Choose another folder, or overwrite it.")  # fmt: skip
        _clear(out)
    elif not recorded.is_file() and out.is_dir() and any(out.iterdir()):
        raise InputError(f"`out` must be an empty folder, but {out} contains other files. Choose another folder.")
    for folder in (*IMAGE_FOLDERS, PARTS):
        (out / folder).mkdir(parents=True, exist_ok=True)
    recorded.write_text(json.dumps(record, indent=1) + "\n")


def _clear(out: Path) -> None:
    """Remove the files of an earlier simulation, and nothing else."""
    for folder in (*IMAGE_FOLDERS, PARTS):
        for file in (out / folder).glob("*.*"):
            file.unlink()
    for name in (INSTRUCTIONS, ATTRIBUTES_FILE, SETTINGS_FILE):
        (out / name).unlink(missing_ok=True)


def write_pair(
    pair: SimulatedPair, out: Path, number: tuple[int, int], bits: int, origin: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the images of one pair.

    Args:
        pair: what to write.
        out: the dataset's folder.
        number: number of the body (or film), and of the pair there.
        bits: bits per pixel of the radiographs, 8 or 16.
        origin: seed and source of the pair, for the images' metadata.

    Returns:
        The pair's row of attributes.
    """
    name, text = pair_file(*number), str(pair.instruction)
    metadata = synthetic_metadata({"instruction": text, **origin})
    write_png(out / PAST / name, pair.before, bits, metadata)
    write_png(out / CURRENT / name, pair.after, bits, metadata)
    write_png(out / CHANGE / name, torch.from_numpy(encode_change(pair.change) / np.float64(65535)), 16, metadata)
    write_png(out / MASKS / name, pair.masks.float(), 8, metadata)
    return {
        "instruction": text,
        "file": name,
        "clauses": pair.instruction.as_dict()["clauses"],
        **pair.attributes,
    }


def write_tables(out: Path, bodies: int) -> None:
    """Gather the rows of all bodies, in order, into the table and the attributes; the part files remain."""
    rows = [row for body in range(bodies) for row in json.loads(part_file(out, body).read_text())]
    with (out / INSTRUCTIONS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((row["split"], row["instruction"], row["file"], row["file"]) for row in rows)
    lines = (json.dumps(row, sort_keys=True) + "\n" for row in rows)
    (out / ATTRIBUTES_FILE).write_text("".join(lines))
