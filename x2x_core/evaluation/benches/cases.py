"""One case of a benchmark, and what all readers of layouts share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError


@dataclass(frozen=True)
class BenchCase:
    """One image to edit.

    Args:
        id: name, unique within the benchmark.
        instruction: the text of the edit.
        before: path of the input.
        target: path of the benchmark's own result.
        group: what results are grouped by: organ, task, disease.
        mask: path of the region of interest, white; ``None``: where the target differs from the input.
        caption: text that the result should fit; ``None``: the instruction.
        painted: True if the target is the input with a region painted in colour, a segmentation.
    """

    id: str
    instruction: str
    before: Path
    target: Path
    group: str
    mask: Path | None = None
    caption: str | None = None
    painted: bool = False


def read_json(path: Path, what: str) -> Any:
    """Read a table of a benchmark.

    Args:
        path: of the file.
        what: the benchmark, for messages.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is not JSON.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no copy of {what} here: `{path}` is missing.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"`{path}` must be JSON: {error}.") from error


def field_of(record: Any, name: str, place: str) -> str:
    """Return a text of a record.

    Raises:
        InputError: the record lacks it.
    """
    value = record.get(name) if isinstance(record, dict) else None
    if value in (None, ""):
        raise InputError(f"`{place}` must have an entry `{name}`.")
    return str(value)


def check_files(cases: Sequence[BenchCase]) -> list[BenchCase]:
    """Return the cases if all of their files exist.

    Raises:
        InputNotFoundError: a file is missing.
        InputError: there are no cases.
    """
    for case in cases:
        for path in (case.before, case.target, case.mask):
            if path is not None and not path.is_file():
                raise InputNotFoundError(f"The picture `{path}` of case {case.id} is missing.")
    if not cases:
        raise InputError("`groups` must leave at least one case, got none.")
    return list(cases)


def of_groups(cases: Sequence[BenchCase], groups: Sequence[str]) -> list[BenchCase]:
    """Return the cases of some groups; of all if none is named.

    Raises:
        InputError: an unknown group.
    """
    known = sorted({case.group for case in cases})
    for group in groups:
        if group not in known:
            raise InputError(f"`groups` must be among {', '.join(known)}, got {group!r}.")
    return [case for case in cases if not groups or case.group in groups]
