"""A reading sheet: its lists filled in from the answers, and graded as `x2x evaluate reading` does."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from x2x_core.evaluation.reading.answers import read_answers
from x2x_core.evaluation.reading.grading import Key, grade
from x2x_core.evaluation.reading.sheet import COLUMNS, PARTS
from x2x_core.evaluation.reading.table import reading_tables
from x2x_core.evaluation.report.view import View
from x2x_core.study.statistics.agreement import kappa

from .readings import PartReadings, Reading
from .sections import Section, Table, number_text, plain

_AGREED = {"part1": ("visibility", "finding"), "part2": ("normal",), "part3": ("more",)}  # answers compared by kappa


def sheet_agreement(parts: Mapping[str, PartReadings], generator: torch.Generator) -> list[Section]:
    """Return the section of the readers' agreement on a sheet; nothing if fewer than two finished a part."""
    found = {}
    for name, questions in _AGREED.items():
        readers = parts[name].finished() if name in parts else {}
        for question in questions if len(readers) > 1 else ():
            answers = [[reading.row.get(question, "") for reading in of.values()] for of in readers.values()]
            found[f"{name}: {question}"] = kappa(answers, generator)
    rows = tuple((name, number_text(metric)) for name, metric in found.items())
    return (
        [Section("sheet_agreement", "Agreement", (Table(("Question", "Kappa"), rows),), plain(found))] if rows else []
    )


def fill_lists(parts: Mapping[str, PartReadings], folder: Path) -> list[str]:
    """Write the lists of each reader, `READER/part1.csv` and so on; parts that are not finished stay empty.

    Args:
        parts: readings of the parts of a sheet.
        folder: the lists are written below it.

    Returns:
        The readers who finished part 1, which a sheet needs.
    """
    readers = list(parts[PARTS[0]].finished()) if PARTS[0] in parts else []
    for reader in readers:
        (folder / reader).mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            readings = part.finished().get(reader, {})
            lines = [line for reading in readings.values() for line in _lines(reading, COLUMNS[name])]
            with (folder / reader / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([COLUMNS[name], *sorted(lines)])
    return readers


def _lines(reading: Reading, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(reading.truth["picture"], *(_cell(row.get(column, "")) for column in columns[1:])) for row in reading.rows]


def _cell(answer: Any) -> str:
    return "|".join(answer) if isinstance(answer, list) else " ".join(str(answer).split())


def sheet_sections(parts: Mapping[str, PartReadings], key: Key, folder: Path) -> list[Section]:
    """Return a section for each reader of a sheet.

    Args:
        parts: readings of its parts.
        key: of the sheet.
        folder: see `fill_lists`; the lists stay there.
    """
    pictures = {part: set(of_part) for part, of_part in key.parts.items()}
    sections = []
    for reader in fill_lists(parts, folder):
        results = grade(key, read_answers(folder / reader, pictures))
        tables = tuple(Table(lines[0], tuple(lines[1:])) for lines in reading_tables(View(results)))
        notes = tuple(results.about["notes"])
        sections.append(Section(f"sheet_{reader}", f"Reading sheet, {reader}", tables, results.as_dict(), notes))
    return sections
