"""What was drawn for each pair of a simulated dataset, read back from `attributes.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError

ATTRIBUTES_FILE = "attributes.jsonl"
#: Numbers that change sign when the picture is mirrored.
MIRRORED = frozenset({"shift_x", "yaw", "roll"})


@dataclass(frozen=True)
class PairAttributes:
    """The truth about one pair: findings before and after, and the numbers of pose, body and exposure, which are
    the same in both (see `x2x_core.simulation.projection.Geometry` and `x2x_core.simulation.film.Film`).
    """

    before: frozenset[str]
    after: frozenset[str]
    values: Mapping[str, float]
    changes: int  # findings that the instruction changes


def read_attributes(folder: str | Path) -> dict[str, PairAttributes]:
    """The truth about all pairs of a simulated dataset, by file name.

    Raises:
        InputNotFoundError: the folder holds no `attributes.jsonl`.
        InputError: a line of it can't be read.
    """
    path = Path(folder) / ATTRIBUTES_FILE
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no `{ATTRIBUTES_FILE}` in `{folder}`: it is what `x2x simulate` writes beside the images."
        )
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            found[record["file"]] = _pair(record)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(
                f"Line {number} of `{path}` can't be read as the attributes of a pair: {error!r}."
            ) from error
    return found


def _pair(record: Mapping[str, Any]) -> PairAttributes:
    before, after = (frozenset(lesion["finding"] for lesion in record[key]) for key in ("before", "after"))
    numbers = {**record["geometry"], **record["film"]}
    values = {name: float(value) for name, value in numbers.items() if value is not None}
    return PairAttributes(before, after, values, len(record["clauses"]))
