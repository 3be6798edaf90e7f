"""Pairs of images with an instruction, read from the published dataset layout."""

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

COLUMNS = ("split", "instruction", "past_dicom_id", "current_dicom_id")


@dataclass(frozen=True)
class Row:
    """One line of `instructions.csv`, with the places of its images."""

    instruction: str
    past: Path
    current: Path


def read_rows(folder: str | Path, split: str) -> list[Row]:
    """The pairs of one split of a dataset in the published layout.

    Args:
        folder: holds `instructions.csv`, `past/` and `current/`; ids are file names, with or without ".png" or ".jpg".
        split: "train", "val", ...

    Raises:
        InputNotFoundError: no such dataset, or an image that the table names is missing.
        InputError: the table lacks a column, a line of the split lacks an entry, or the split has no pairs.
    """
    folder = Path(folder)
    table = folder / "instructions.csv"
    if not table.is_file():
        raise InputNotFoundError(f"There is no dataset at `{folder}`: `instructions.csv` is missing.")
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"`{table}` must have the columns {', '.join(COLUMNS)}, but lacks {', '.join(missing)}.")
        wanted = [_whole(row, f"{table}:{reader.line_num}") for row in reader if row["split"] == split]
    if not wanted:
        raise InputError(f"`split` must be one that `{table}` has pairs of, got {split!r}.")
    return [
        Row(
            row["instruction"],
            find_image(folder / "past", row["past_dicom_id"]),
            find_image(folder / "current", row["current_dicom_id"]),
        )
        for row in wanted
    ]


def findings_of(rows: Iterable[Row]) -> list[str]:
    """Canonical names of the findings that the instructions of some pairs name, in alphabetical order."""
    texts = {row.instruction for row in rows}
    return sorted({token.value for text in texts for token in read(text) if token.kind is Kind.FINDING})


def _whole(row: dict[str, str | None], place: str) -> dict[str, str]:
    empty = [column for column in COLUMNS if not (row[column] or "").strip()]
    if empty:
        raise InputError(f"`{place}` must have an entry in each of {', '.join(COLUMNS)}, but lacks {', '.join(empty)}.")
    return row


def find_image(folder: Path, name: str) -> Path:
    """The file of an id, which may lack its ending.

    Raises:
        InputNotFoundError: there is none.
    """
    for candidate in (name, f"{name}.png", f"{name}.jpg", f"{name}.jpeg"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise InputNotFoundError(f"The image `{name}` that instructions.csv names is missing from `{folder}`.")


def read_pair(row: Row, size: int) -> torch.Tensor:
    """Past and current as one tensor `(2, size, size)` float32 in [0, 1], grey.

    Raises:
        InputError: the two images are not of one square size.
    """
    past, current = (read_image(path).pixels.mean(1, keepdim=True) for path in (row.past, row.current))
    if past.shape != current.shape or past.shape[-1] != past.shape[-2]:
        raise InputError(
            f"The images of a pair must be square and alike, got {tuple(past.shape[-2:])} and "
            f"{tuple(current.shape[-2:])} for `{row.past}` and `{row.current}`."
        )
    return resize(torch.cat([past, current]), (size, size))[:, 0]
