"""The whole analysis of a study."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import STUDY, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.evaluation.reading.grading import Key
from x2x_core.evaluation.reading.sheet import PARTS
from x2x_core.imaging.provenance import versions
from x2x_core.study.answers import read_answers_of
from x2x_core.study.definition import read_study
from x2x_core.study.design.making import read_study_key
from x2x_core.study.design.parts import FINDINGS_PART, PREFERENCE_PART, REALISM_PART
from x2x_core.study.design.settings import NOTICE
from x2x_core.study.statistics.equivalence import CHANCE, MARGIN

from .findings import findings
from .preference import preference
from .quality import quality
from .readings import PartReadings, join
from .realism import realism
from .sections import Section
from .sheet import sheet_agreement, sheet_sections

RECORD = "analysis.json"
LISTS = "lists"  # folder of the filled lists of a sheet
_BOOTSTRAP = 6  # stream beside those of the design


def analyse(study: Path, key: Path, answers: Path, margin: float = MARGIN, out: Path | None = None) -> list[Section]:
    """Analyse a study.

    Args:
        study: folder of the study.
        key: its key.
        answers: folder of the readers' files.
        margin: of equivalence to chance, chosen before the study.
        out: folder for the record, and for the filled lists of a reading sheet; ``None``: nothing is written.

    Raises:
        InputNotFoundError: no study, key or answers.
        InputError: files that do not belong together, or a margin out of range.
    """
    if not 0 < margin < CHANCE:
        raise InputError(f"`margin` must lie between 0 and {CHANCE}, got {margin}.")
    definition, record = read_study(study), read_study_key(key)
    readers = read_answers_of(answers, definition)
    parts = join(definition, record, readers)
    sections = [quality(parts)]
    tasks: dict[str, Callable[[PartReadings, Any], list[Section]]] = {
        FINDINGS_PART: findings,
        REALISM_PART: lambda part, generator: realism(part, margin, generator),
        PREFERENCE_PART: preference,
    }
    for number, (name, section) in enumerate(tasks.items()):
        if name in parts:
            sections += section(parts[name], seeded_generator(record["settings"]["seed"], STUDY, _BOOTSTRAP, number))
    if record["sheet"] is not None:
        sections += _sheet(parts, record["sheet"], out)
        sections += sheet_agreement(parts, seeded_generator(record["settings"]["seed"], STUDY, _BOOTSTRAP, len(tasks)))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_record(out, sections, {"study": definition.study, "margin": margin, "settings": record["settings"]})
    return sections


def write_record(out: Path, sections: list[Section], about: dict[str, Any]) -> None:
    """Write the figures of an analysis as JSON."""
    about = {**about, "notice": NOTICE, "synthetic": True, "versions": versions()}
    figures = [{"name": section.name, "title": section.title, "figures": section.record} for section in sections]
    write_text(out / RECORD, json.dumps({"about": about, "sections": figures}, indent=1, ensure_ascii=False) + "\n")


def _sheet(parts: dict[str, PartReadings], sheet: dict[str, Any], out: Path | None) -> list[Section]:
    key = Key(
        {part: {entry["picture"]: entry for entry in sheet[part]} for part in PARTS},
        {name: value for name, value in sheet.items() if name not in PARTS},
    )
    if out is not None:
        return sheet_sections(parts, key, out / LISTS)
    with tempfile.TemporaryDirectory() as folder:
        return sheet_sections(parts, key, Path(folder))
