"""Write a study: pictures under blinded names, its definition, and the key apart.

Layout of the folder::

    index.html              the page on which readers work
    study.json              the study as the page has it
    pictures/NNNN.png       8 bits, grey; equal metadata in every file

The key is one JSON file outside of it that readers must not see::

    {"format": "x2x-study-key-1", "study": id, "synthetic": true, "notice", "settings", "versions",
     "parts": {PART: {CASE: {"kind": "case" | "training" | "check" | "repeat", "truth": {...},
                             "answers": {...} (of training and checks), "of": CASE (of repeats)}}},
     "sheet": the key of the reading sheet, or null}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.seeds import STUDY, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.reading.grading import Key, read_key
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata, versions
from x2x_core.study.definition import DEFINITION, PAGE, PICTURES, Part, Placement, Study, StudyCase, Training
from x2x_core.study.page.rendering import render

from .collection import collect
from .drafts import CASE, CHECK, REPEAT, TRAINING, Draft, PartDraft, Source
from .orders import balanced_orders, balanced_sides
from .parts import choose, plan_parts
from .settings import NOTICE, StudySettings
from .sheet_parts import is_sheet, plan_sheet

KEY_FORMAT = "x2x-study-key-1"
_NAMES, _EXTRAS = 7, 8  # streams beside those of the parts


@dataclass(frozen=True)
class Made:
    """A study that was designed, not yet written.

    Args:
        study: for the readers.
        key: for whoever analyses it.
        pictures: of the study, by their blinded names.
    """

    study: Study
    key: dict[str, Any]
    pictures: Mapping[str, Source]


def check_places(folder: Path, key: Path) -> None:
    """Check that a study can be written.

    Raises:
        InputError: the folder is not empty, or the key would lie in it or exists.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"`out` must be an empty folder, but `{folder}` is not. Choose another one.")
    if folder.resolve() in key.resolve().parents:
        raise InputError(f"`key` must not lie in the study, where readers see it, but `{key}` does. Move it.")
    if key.exists():
        raise InputError(f"`key` must not exist yet, but `{key}` does. Choose another place.")


def design_study(source: Path, settings: StudySettings, sheet_key: Path | None = None) -> Made:
    """Design a study of a folder of results, or of a reading sheet.

    Args:
        source: the folder.
        settings: of the study.
        sheet_key: answer key of a reading sheet.

    Raises:
        InputNotFoundError: no such folder or key.
        InputError: nothing to read in it, or settings that do not fit.
    """
    sheet: dict[str, Any] | None = None
    if source.is_dir() and is_sheet(source):
        if sheet_key is None:
            raise InputError(f"`sheet_key` is required, as `{source}` is a reading sheet: give its key.json.")
        if settings.training:
            raise InputError("`training` must be 0 for a reading sheet, which has no pictures for it.")
        key: Key = read_key(sheet_key)
        drafts, sheet = plan_sheet(source, key), json.loads(sheet_key.read_text(encoding="utf-8"))
    else:
        if sheet_key is not None:
            raise InputError(f"`sheet_key` must be left out, as `{source}` is no reading sheet.")
        drafts = plan_parts(choose(collect(source), settings), settings)
    return _made([_extended(draft, settings, number) for number, draft in enumerate(drafts)], settings, sheet)


def write_study(made: Made, folder: Path, key: Path, progress: Progress | None = None) -> None:
    """Write a study and its key.

    Args:
        made: the design.
        folder: empty folder for the study.
        key: file for the key, outside of the folder.
        progress: called with the pictures written and in all.

    Raises:
        InputError: see `check_places`.
    """
    check_places(folder, key)
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    metadata = {**synthetic_metadata({}), "Comment": NOTICE}
    for number, (name, source) in enumerate(sorted(made.pictures.items()), start=1):
        write_png(folder / PICTURES / name, source.pixels().clamp(0, 1), 8, metadata)
        if progress:
            progress(number, len(made.pictures))
    write_text(folder / PAGE, render(made.study))
    write_text(folder / DEFINITION, json.dumps(made.study.as_dict(), indent=1, ensure_ascii=False) + "\n")
    key.parent.mkdir(parents=True, exist_ok=True)
    write_text(key, json.dumps(made.key, indent=1, ensure_ascii=False) + "\n")


def read_study_key(path: Path) -> dict[str, Any]:
    """Read the key of a study.

    Raises:
        InputNotFoundError: no such file.
        InputError: not a key.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no key at `{path}`.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != KEY_FORMAT:
            raise KeyError(record["format"])
        return record
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"`{path}` must be the key of a study ({KEY_FORMAT}): {error!r}.") from error


def _extended(draft: PartDraft, settings: StudySettings, number: int) -> PartDraft:
    """Return a part with its attention checks and repeated cases."""
    cases = [case for case in draft.cases if case.kind == CASE]
    for name in ("checks", "repeats"):
        if getattr(settings, name) > len(cases):
            raise InputError(
                f"`{name}` must be at most the number of cases, {len(cases)} in {draft.name}, got "
                f"{getattr(settings, name)}."
            )
    generator = seeded_generator(settings.seed, STUDY, _EXTRAS, number)
    order = torch.randperm(len(cases), generator=generator).tolist()
    indices = [index for index, case in enumerate(draft.cases) if case.kind == CASE]
    text = f"ATTENTION CHECK\nPlease answer here:\n{draft.labels(draft.check)}"
    checks = [_check(cases[index], text, draft.check) for index in order[: settings.checks]]
    again = order[len(order) - settings.repeats :]
    repeats = [replace(cases[index], kind=REPEAT, of=indices[index]) for index in again]
    return replace(draft, cases=(*draft.cases, *checks, *repeats))


def _check(case: Draft, text: str, answers: Mapping[str, Any]) -> Draft:
    pictures = tuple(replace(picture, mark=text) for picture in case.pictures)
    # A source of its own: a check may stand anywhere.
    return Draft(pictures, ("check", case.source), {}, CHECK, answers=answers)


def _made(drafts: Sequence[PartDraft], settings: StudySettings, sheet: dict[str, Any] | None) -> Made:
    """Draw names and orders."""
    pictures = _picture_names(drafts, settings.seed)
    parts: list[Part] = []
    orders: dict[str, dict[str, tuple[Placement, ...]]] = {code: {} for code in settings.codes}
    records: dict[str, dict[str, Any]] = {}
    for number, draft in enumerate(drafts):
        names = _case_names(draft, settings.seed, number)
        parts.append(_part(draft, names, pictures))
        records[draft.name] = {names[index]: _record(case, names) for index, case in enumerate(draft.cases)}
        for code, order in zip(settings.codes, _orders(draft, names, settings, number), strict=True):
            orders[code][draft.name] = order
    content = {"parts": [asdict(part) for part in parts], "orders": orders, "seed": settings.seed}
    identity = hashlib.sha256(json.dumps([content, records, sheet], sort_keys=True).encode()).hexdigest()[:12]
    study = Study(identity, settings.title, settings.consent, NOTICE, settings.codes, tuple(parts), orders)
    key = {
        "format": KEY_FORMAT,
        "study": identity,
        "synthetic": True,
        "notice": NOTICE,
        "settings": asdict(settings),
        "versions": versions(),
        "parts": records,
        "sheet": sheet,
    }
    return Made(study, key, {name: source for source, name in pictures.items()})


def _picture_names(drafts: Sequence[PartDraft], seed: int) -> dict[Source, str]:
    """Return a name for each picture; numbers say nothing about it."""
    sources = list(dict.fromkeys(picture for draft in drafts for case in draft.cases for picture in case.pictures))
    order = torch.randperm(len(sources), generator=seeded_generator(seed, STUDY, _NAMES)).tolist()
    return {sources[index]: f"{place:04d}.png" for place, index in enumerate(order, start=1)}


def _case_names(draft: PartDraft, seed: int, number: int) -> list[str]:
    order = torch.randperm(len(draft.cases), generator=seeded_generator(seed, STUDY, _NAMES, number + 1)).tolist()
    places = {index: place for place, index in enumerate(order, start=1)}
    return [f"c{places[index]:03d}" for index in range(len(draft.cases))]


def _part(draft: PartDraft, names: Sequence[str], pictures: Mapping[Source, str]) -> Part:
    cases = {
        names[index]: StudyCase(tuple(pictures[picture] for picture in case.pictures), case.caption)
        for index, case in enumerate(draft.cases)
    }
    training = tuple(
        Training(names[index], dict(case.answers), case.explanation)
        for index, case in enumerate(draft.cases)
        if case.kind == TRAINING
    )
    return Part(
        draft.name, draft.title, draft.task, draft.panes, draft.repeats, draft.questions,
        dict(sorted(cases.items())), training,
    )  # fmt: skip


def _record(case: Draft, names: Sequence[str]) -> dict[str, Any]:
    """Return what the key says of a case."""
    record: dict[str, Any] = {"kind": case.kind, "truth": dict(case.truth)}
    if case.of is not None:
        record["of"] = names[case.of]
    return {**record, "answers": dict(case.answers)} if case.answers else record


def _orders(
    draft: PartDraft, names: Sequence[str], settings: StudySettings, number: int
) -> list[tuple[Placement, ...]]:
    """Return the order of each reader, without training cases."""
    shown = [index for index, case in enumerate(draft.cases) if case.kind != TRAINING]
    sources = [draft.cases[index].source for index in shown]
    orders = balanced_orders(sources, settings.readers, settings.seed, number)
    turns = balanced_sides(len(shown), settings.readers, settings.seed, number)
    return [
        tuple((names[shown[place]], draft.turned and turned[place]) for place in order)
        for order, turned in zip(orders, turns, strict=True)
    ]
