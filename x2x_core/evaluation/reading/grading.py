"""Grade a filled reading sheet against its key: counts by finding, with Wilson's intervals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, NEITHER, Measure
from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.evaluation.results import Metrics, ResultRow, Results
from x2x_core.simulation.findings import ALIKE

from .answers import Answers, Seen
from .plan import DRAWN, EDIT, REMOVAL, UNEDITED
from .sheet import FORMAT, NOTICE, PARTS

KIND = "reading"
ROWS = {EDIT: "edits", DRAWN: "drawn lesions", REMOVAL: "removals", UNEDITED: "unedited films"}
_SEEN, _BESIDE = "Seen by itself", "Beside the original"

MEASURES = (
    Measure("plain", "Plain", _SEEN, HIGHER, "the requested finding on its side, seen at once", True, 0),
    Measure("subtle", "Subtle", _SEEN, NEITHER, "the requested finding on its side, seen after a search", True, 0),
    Measure("not_visible", "Not visible", _SEEN, LOWER, "nothing seen, or only what the labels name", True, 0),
    Measure("wrong", "Wrong", _SEEN, LOWER, "another finding, or the other side", True, 0),
    Measure("exact", "By its name", _SEEN, HIGHER, "seen, and named as requested rather than by a name alike", True, 0),
    Measure("false_finding", "False finding", _SEEN, LOWER, "a finding seen that the labels do not name", True, 0),
    Measure("still_seen", "Still seen", _SEEN, LOWER, "the finding that was removed is seen", True, 0),
    Measure("in_order", "Levels in order", _BESIDE, HIGHER, "the stronger level shows more", True, 0),
    Measure("artefact", "Artefact", _BESIDE, LOWER, "any artefact named", True, 0),
    Measure("nearer", "Nearer to normal", _BESIDE, HIGHER, "than before the removal", True, 0),
    Measure("worse", "Worse", _BESIDE, LOWER, "than before the removal", True, 0),
)  # fmt: skip
_OF_KIND = {
    EDIT: ("plain", "subtle", "not_visible", "wrong", "exact", "in_order", "artefact"),
    DRAWN: ("plain", "subtle", "not_visible", "wrong", "exact"),
    REMOVAL: ("still_seen", "artefact", "nearer", "worse"),
    UNEDITED: ("false_finding",),
}
Marks = dict[str, bool]  # key of a measure to its answer for one picture


@dataclass(frozen=True)
class Key:
    """The answer key: its records by picture for each part, and the rest."""

    parts: Mapping[str, Mapping[str, Mapping[str, Any]]]
    about: Mapping[str, Any]


def read_key(path: Path) -> Key:
    """Read an answer key.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: not a key.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no answer key at `{path}`.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise KeyError(record["format"])
        parts = {part: {entry["picture"]: entry for entry in record[part]} for part in PARTS}
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"`{path}` must be the answer key of a reading sheet ({FORMAT}): {error!r}.") from error
    return Key(parts, {name: value for name, value in record.items() if name not in PARTS})


def grade(key: Key, answers: Answers) -> Results:
    """Grade the answers of one reader.

    Returns:
        A record with the rows edits, drawn lesions, removals and unedited films. Parts that were not filled in leave
        their measures undefined.
    """
    truths = key.parts["part1"]
    marks: dict[str, list[tuple[str | None, Marks]]] = {kind: [] for kind in ROWS}
    for picture, truth in truths.items():
        marks[truth["kind"]].append((truth["finding"], _marks(truth, answers.seen[picture])))
    for picture, record in key.parts["part2"].items():
        if picture in answers.compared:
            truth, answer = truths[record["of"]], answers.compared[picture]
            found = {"artefact": bool(answer.artefacts)}
            if truth["kind"] == REMOVAL:
                found |= {"nearer": answer.normal == "nearer", "worse": answer.normal == "worse"}
            marks[truth["kind"]].append((truth["finding"], found))
    for picture, record in key.parts["part3"].items():
        if picture in answers.more:
            in_order = answers.more[picture] == record["stronger"]
            marks[EDIT].append((truths[record["left"]]["finding"], {"in_order": in_order}))
    about = {
        "title": "Reading of a blinded sheet",
        "kind": KIND,
        "unit": "pictures",
        "size": f"{len(truths)} pictures",
        "notice": NOTICE,
        "model": key.about["settings"]["model"],
        "weights_sha256": key.about["weights_sha256"],
        "versions": key.about["versions"],
        "settings": key.about["settings"],
        "synthetic": True,
        "measures": {measure.key: asdict(measure) for measure in MEASURES},
        "shown": [measure.key for measure in MEASURES],
        "ours": ROWS[EDIT],
        "references": [ROWS[DRAWN], ROWS[UNEDITED]],
        "intervals": "95 % Wilson, over pictures",
        "notes": [f"Names that count as one: {', '.join(sorted(alike))}." for alike in ALIKE],
    }
    return Results(about, tuple(_row(kind, of_kind) for kind, of_kind in marks.items() if of_kind))


def _marks(truth: Mapping[str, Any], seen: Sequence[Seen]) -> Marks:
    """Return the answers about one picture seen by itself."""
    new = [answer for answer in seen if not _is_any_of(answer.finding, truth["known_findings"])]
    if truth["kind"] == UNEDITED:
        return {"false_finding": bool(new)}
    requested = [answer for answer in seen if _alike(answer.finding, truth["finding"])]
    if truth["kind"] == REMOVAL:
        return {"still_seen": bool(requested)}
    right = [answer for answer in requested if truth["side"] is None or answer.side == truth["side"]]
    visibilities = {answer.visibility for answer in right}
    marks = {
        "plain": "plain" in visibilities,
        "subtle": visibilities == {"subtle"},
        "not_visible": not right and not new,
        "wrong": not right and bool(new),
    }
    return {**marks, "exact": any(answer.finding == truth["finding"] for answer in right)} if right else marks


def _alike(first: str, second: str) -> bool:
    return first == second or any({first, second} <= group for group in ALIKE)


def _is_any_of(finding: str, known: Iterable[str]) -> bool:
    return any(_alike(finding, other) for other in known)


def _row(kind: str, marks: Sequence[tuple[str | None, Marks]]) -> ResultRow:
    keys = _OF_KIND[kind]
    findings = dict.fromkeys(finding for finding, _ in marks if finding is not None)
    per_finding = {
        finding: _shares(keys, [of_one for other, of_one in marks if other == finding]) for finding in findings
    }
    return ResultRow(ROWS[kind], _shares(keys, [of_one for _, of_one in marks]), per_finding)


def _shares(keys: Sequence[str], marks: Sequence[Marks]) -> Metrics:
    values = {key: [of_one[key] for of_one in marks if key in of_one] for key in keys}
    return {key: wilson(sum(of_key), len(of_key)) for key, of_key in values.items()}
