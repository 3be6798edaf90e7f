"""Check of a batch before its first edit: all problems, each with its row, in one report."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.edit.draw_checks import read_generators
from x2x_core.edit.loading import check_folder, locate_checkpoint, read_index
from x2x_core.edit.reading import read_subject
from x2x_core.edit.settings import resolve_settings

from .places import exists
from .plan import Problem, Row

_SHOWN = 20  # problems in a message
_CPU = torch.device("cpu")


def find_problems(rows: Sequence[Row], unread: Sequence[Problem], done: Collection[int] = ()) -> list[Problem]:
    """Return what keeps rows from being edited: missing images, instructions and settings that cannot be used.

    Args:
        rows: of the manifest.
        unread: problems with their cells, see `read_rows`; of such a row nothing else is checked.
        done: numbers of rows that were edited before; their images may be gone.

    Raises:
        InputError: a model that cannot be found or is incomplete.
    """
    indices = {model: _index(model, rows) for model in dict.fromkeys(row.model for row in rows)}
    known: dict[tuple[str, ...], str] = {}  # what was found, by what was checked
    found, bad = list(unread), {problem.row for problem in unread}
    with _silent_log():
        for row in rows:
            if row.number in bad:
                continue
            messages = []
            if row.number not in done:
                for name, place in ((row.image, row.place), (row.keep_mask, row.keep_mask_place)):
                    messages.append(_once(known, ("file", place), functools.partial(_check_file, name, place)))
            settings = repr(sorted(row.settings.items()))
            messages += [
                _once(known, ("settings", row.model, settings), lambda row=row: _check_settings(row, indices)),
                _once(known, ("seed", str(row.seed)), lambda row=row: read_generators(row.seed, 1, _CPU)),
                _once(known, ("prompt", row.prompt, settings), lambda row=row: _check_prompt(row)),
            ]
            found += [Problem(row.number, message) for message in messages if message]
    return sorted(found, key=lambda problem: problem.row)


def report(problems: Sequence[Problem], rows: int) -> str:
    """Return problems as one message: the first ones, and how many there are.

    Args:
        problems: at least one.
        rows: number of rows of the manifest.
    """
    bad = len({problem.row for problem in problems})
    lines = [f"row {problem.row}: {problem.message.rstrip('.')}" for problem in problems[:_SHOWN]]
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"{bad} of {rows} rows cannot be edited: {'; '.join(lines)}{more}."


def _once(known: dict[tuple[str, ...], str], key: tuple[str, ...], check: Any) -> str:
    """Return the message of a check, which runs once for each key."""
    if key not in known:
        try:
            check()
            known[key] = ""
        except InputError as error:
            known[key] = str(error)
    return known[key]


def _index(model: str, rows: Sequence[Row]) -> Mapping[str, Any] | None:
    """Return the index of a local model; ``None`` for one of the hub, which is checked when it is loaded."""
    try:
        place, is_local = locate_checkpoint(model)
        if not is_local:
            return None
        check_folder(place)
        return read_index(Path(place))
    except InputError as error:
        first = next(row.number for row in rows if row.model == model)
        raise InputError(f"Row {first} names a model that cannot be used: {error}") from error


def _check_file(name: str, place: str) -> None:
    if place and not exists(place):
        raise InputError(f"there is no file `{name}`")


def _check_prompt(row: Row) -> None:
    reference, strict = bool(row.settings.get("reference")), row.settings.get("strict") is not False
    read_subject([row.prompt], [True], 1, reference=reference, region_given=False, strict=strict)


def _check_settings(row: Row, indices: Mapping[str, Mapping[str, Any] | None]) -> None:
    arguments = row.call.arguments
    resolve_settings(arguments, indices[row.model] or {}, bool(arguments.get("reference")))


@contextmanager
def _silent_log() -> Iterator[None]:
    """Keep the library's warnings back; each edit records its own."""
    logger = logging.getLogger("x2x_core")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
