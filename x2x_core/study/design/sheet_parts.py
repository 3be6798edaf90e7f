"""Parts of a study from a reading sheet of `x2x evaluate films --reading-sheet`, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.reading.grading import Key
from x2x_core.evaluation.reading.sheet import PARTS
from x2x_core.simulation.findings import SIMULATED_FINDINGS

from .drafts import Draft, PartDraft, Source
from .questions import sheet_questions

_TITLES = {"part1": "Findings", "part2": "Before and after", "part3": "Two levels"}
_TASKS = {
    "part1": "One picture at a time: edited, drawn or as it was. Say whether you see a finding of the list, which one, "
    f"and on which side of the patient: {', '.join(SIMULATED_FINDINGS)}. If there are several, add them one by one.",
    "part2": "On the left the picture before an edit, on the right the edited one. Name artefacts on the right "
    "picture, and say whether it is nearer to normal than the left one.",
    "part3": "Two pictures of one patient. Say which of them shows more of a disease.",
}
_CHECKS: dict[str, dict[str, Any]] = {
    "part1": {"visibility": "nothing"},
    "part2": {"artefact": ["other"], "normal": "same"},
    "part3": {"more": "same"},
}
_MOST_FINDINGS = 5  # on one picture


def is_sheet(folder: Path) -> bool:
    """Return True if a folder is a reading sheet."""
    return (folder / f"{PARTS[0]}.csv").is_file() and (folder / PARTS[0]).is_dir()


def plan_sheet(folder: Path, key: Key) -> list[PartDraft]:
    """Return the parts of a reading sheet, with the films of its key as sources.

    Args:
        folder: the sheet.
        key: its answer key.

    Raises:
        InputNotFoundError: a picture of the key is missing.
        InputError: the key is of another sheet.
    """
    _check_pictures(folder, key)
    films = {name: record["film"] for name, record in key.parts["part1"].items()}
    sources = {
        "part1": films,
        "part2": {name: films[record["of"]] for name, record in key.parts["part2"].items()},
        "part3": {name: films[record["left"]] for name, record in key.parts["part3"].items()},
    }
    questions = sheet_questions()
    return [
        PartDraft(
            part,
            _TITLES[part],
            _TASKS[part],
            questions[part],
            tuple(
                _draft(folder / part / name, source, single=part == "part1") for name, source in sources[part].items()
            ),
            panes=1 if part == "part1" else 2,
            repeats=_MOST_FINDINGS if part == "part1" else 1,
            turned=part == "part3",
            check=_CHECKS[part],
        )
        for part in PARTS
        if sources[part]
    ]


def _draft(path: Path, source: str, single: bool) -> Draft:
    pictures = (Source(path),) if single else (Source(path, 0), Source(path, 1))
    return Draft(pictures, source, {"picture": path.name})


def _check_pictures(folder: Path, key: Key) -> None:
    for part in PARTS:
        named, there = set(key.parts[part]), {path.name for path in (folder / part).glob("*.png")}
        if missing := sorted(named - there):
            raise InputNotFoundError(f"`{folder / part}` lacks {missing[0]}, which the key names.")
        if extra := sorted(there - named):
            raise InputError(f"`sheet_key` must be the key of `{folder}`, but names no {part}/{extra[0]}.")
