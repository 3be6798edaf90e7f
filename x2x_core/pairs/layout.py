"""The pair layout: image pairs with an instruction on disk, as the authors of MIMIC-EDIT-INSTRUCTION release theirs.

Layout::

    instructions.csv   split, instruction, past_dicom_id, current_dicom_id (the ids are file names)
    past/              earlier images
    current/           later images, each the size of its past image, square
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.files import read_image
from x2x_core.imaging.geometry import resize
from x2x_core.language.tokens import Kind, read

#: Table of a dataset, its columns in order, and its two image folders.
INSTRUCTIONS, PAST, CURRENT = "instructions.csv", "past", "current"
COLUMNS = ("split", "instruction", "past_dicom_id", "current_dicom_id")

_SUFFIXES = ("", ".png", ".jpg", ".jpeg")  # tried in order after an id


@dataclass(frozen=True)
class Row:
    """One pair of a dataset: the instruction and the paths of both images."""

    instruction: str
    past: Path
    current: Path


def instruction_table(folder: Path) -> Path:
    """Return the path of a dataset's table.

    Raises:
        InputNotFoundError: `folder` contains no such table.
    """
    table = folder / INSTRUCTIONS
    if not table.is_file():
        raise InputNotFoundError(f"There is no dataset at `{folder}`: `{INSTRUCTIONS}` is missing.")
    return table


def read_rows(folder: str | Path, split: str) -> list[Row]:
    """Read the pairs of one split.

    Args:
        folder: a dataset in the pair layout.
        split: "train", "val", ...

    Raises:
        InputNotFoundError: `folder` is not a dataset, or an image named in the table is missing.
        InputError: the table lacks a column, a row of the split has an empty field, or the split has no pairs.
    """
    folder = Path(folder)
    table = instruction_table(folder)
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"`{table}` must have the columns {', '.join(COLUMNS)}, but lacks {', '.join(missing)}.")
        records = [_complete(row, f"{table}:{reader.line_num}") for row in reader if row["split"] == split]
    if not records:
        raise InputError(f"`split` must be a split with pairs in `{table}`, got {split!r}.")
    return [
        Row(
            record["instruction"],
            find_image(folder / PAST, record["past_dicom_id"]),
            find_image(folder / CURRENT, record["current_dicom_id"]),
        )
        for record in records
    ]


def read_pooled_rows(folders: Iterable[str | Path], split: str) -> list[Row]:
    """Read the pairs of one split of several datasets, one dataset after another.

    Raises:
        InputNotFoundError, InputError: as `read_rows`; every dataset must have pairs of the split.
    """
    return [row for folder in folders for row in read_rows(folder, split)]


def _complete(row: dict[str, str | None], place: str) -> dict[str, str]:
    """Return the layout's columns of a row; `place` is the file and line for the error message."""
    values = {column: row[column] or "" for column in COLUMNS}
    empty = [column for column, value in values.items() if not value.strip()]
    if empty:
        raise InputError(f"`{place}` must have an entry in each of {', '.join(COLUMNS)}, but lacks {', '.join(empty)}.")
    return values


def findings_of(rows: Iterable[Row]) -> list[str]:
    """Return the canonical names of all findings named in the instructions of `rows`, in alphabetical order."""
    texts = {row.instruction for row in rows}
    return sorted({token.name for text in texts for token in read(text) if token.kind is Kind.FINDING})


def find_image(folder: Path, name: str) -> Path:
    """Return the image file for an id, which may lack its suffix.

    Raises:
        InputNotFoundError: the folder contains no such image.
    """
    for suffix in _SUFFIXES:
        candidate = folder / f"{name}{suffix}"
        if candidate.is_file():
            return candidate
    raise InputNotFoundError(f"The image `{name}` named in {INSTRUCTIONS} is missing from `{folder}`.")


def read_pair(row: Row, size: int | None) -> torch.Tensor:
    """Read a pair as one tensor `(2, size, size)`, past and current, grey float32 in [0, 1].

    Args:
        row: the pair.
        size: side in pixels; ``None``: that of the files.

    Raises:
        InputNotFoundError: an image is missing.
        InputError: an image cannot be decoded, or the two are not squares of the same size.
    """
    past, current = (read_image(path).pixels.mean(1, keepdim=True) for path in (row.past, row.current))
    if past.shape != current.shape or past.shape[-1] != past.shape[-2]:
        raise InputError(
            f"The images of a pair must be squares of the same size, got {tuple(past.shape[-2:])} and "
            f"{tuple(current.shape[-2:])} for `{row.past}` and `{row.current}`."
        )
    pair = torch.cat([past, current])
    return (pair if size is None else resize(pair, (size, size)))[:, 0]
