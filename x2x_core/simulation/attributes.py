"""Ground truth about each pair of a simulated dataset, read back from `attributes.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError

from .layout import ATTRIBUTES_FILE

#: Numbers that change sign when the image is mirrored.
MIRRORED = frozenset({"shift_x", "yaw", "roll"})


@dataclass(frozen=True)
class PairAttributes:
    """Findings of a pair before and after, and the numbers of its pose, body shape and exposure.

    The numbers are the same for both images, see `x2x_core.simulation.projection.Geometry` and
    `x2x_core.simulation.film.Film`.
    """

    before: frozenset[str]
    after: frozenset[str]
    values: Mapping[str, float]
    changes: int  # number of findings that the instruction changes
    shown: frozenset[str] = frozenset()  # findings that the film itself is known to show


def read_attributes(folder: str | Path) -> dict[str, PairAttributes]:
    """Read the attributes of all pairs of a simulated dataset, by file name.

    Raises:
        InputNotFoundError: the folder contains no `attributes.jsonl`.
        InputError: a line of it cannot be read.
    """
    path = Path(folder) / ATTRIBUTES_FILE
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no `{ATTRIBUTES_FILE}` in `{folder}`: `x2x simulate` writes it beside the images."
        )
    attributes = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            attributes[record["file"]] = _attributes_of(record)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(
                f"Line {number} of `{path}` cannot be read as the attributes of a pair: {error!r}."
            ) from error
    return attributes


def _attributes_of(record: Mapping[str, Any]) -> PairAttributes:
    before, after = (frozenset(lesion["finding"] for lesion in record[key]) for key in ("before", "after"))
    numbers = {**record["geometry"], **record["film"]}
    values = {name: float(value) for name, value in numbers.items() if value is not None}
    return PairAttributes(before, after, values, len(record["clauses"]), frozenset(record.get("shown", ())))
