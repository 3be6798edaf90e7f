"""The truth about the real targets of a dataset: from the instruction, from a CSV, or from the simulator.

The target is the pair's *current* image: the findings that it has are those that the edited image should show.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.benchmark.plan import simulated_body
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import find_finding
from x2x_core.pairs.layout import Row
from x2x_core.simulation.attributes import read_attributes
from x2x_core.simulation.disease import DISEASES
from x2x_core.simulation.layout import ATTRIBUTES_FILE

IMAGE_COLUMNS = ("image", "dicom_id")  # one of them names the image, with or without suffix
GROUP_COLUMNS = ("subject_id", "patient_id")  # pairs of one patient are resampled together
RACE = "race"


@dataclass(frozen=True)
class Truth:
    """Known facts about one pair's target."""

    findings: Mapping[str, bool] = field(default_factory=dict)  # canonical name to presence
    values: Mapping[str, float] = field(default_factory=dict)  # age and other attributes
    race: str | None = None
    group: str = ""  # patient; pairs of one patient are resampled together


def from_instruction(instruction: Instruction, group: str) -> Truth:
    """Return the truth that an instruction implies: added and changed findings are present, removed ones absent."""
    findings = {clause.finding: clause.operation is not Operation.REMOVE for clause in instruction.clauses}
    return Truth(findings, group=group)


def read_truths(rows: Sequence[Row], folder: str | Path, labels: str | Path | None = None) -> list[Truth]:
    """Return the truth about each row of a dataset.

    Findings that `labels` (or the simulator's attributes) do not cover are taken from the instruction.

    Args:
        rows: of the dataset.
        folder: of the dataset; a simulated one contains its truth.
        labels: CSV with a line for each image, see `read_labels`.

    Raises:
        InputNotFoundError, InputError: as `read_labels` and `x2x_core.simulation.attributes.read_attributes`.
    """
    implied = [from_instruction(Instruction.parse(row.instruction), row.current.stem) for row in rows]
    if labels is not None:
        known = read_labels(labels)
        return [_joined(truth, known.get(row.current.stem)) for row, truth in zip(rows, implied)]
    if (Path(folder) / ATTRIBUTES_FILE).is_file():
        return _simulated(rows, folder)
    return implied


def _joined(implied: Truth, known: Truth | None) -> Truth:
    if known is None:
        return implied
    return Truth({**implied.findings, **known.findings}, known.values, known.race, known.group or implied.group)


def _simulated(rows: Sequence[Row], folder: str | Path) -> list[Truth]:
    attributes = read_attributes(folder)
    truths = []
    for row in rows:
        if row.current.name not in attributes:
            raise InputError(
                f"`{ATTRIBUTES_FILE}` of `{folder}` must have a line for each pair, but has none for "
                f"`{row.current.name}`."
            )
        pair = attributes[row.current.name]
        findings = {name: name in pair.after for name in DISEASES}
        truths.append(Truth(findings, pair.values, group=simulated_body(row)))
    return truths


def read_labels(path: str | Path) -> dict[str, Truth]:
    """Read labels of images, by file name without suffix.

    Columns are "image" (or "dicom_id"); findings by any of their names ("Pleural Effusion"): 1 present, 0 absent, empty
    or -1 (uncertain) unknown, and if two columns name one finding ("Nodule", "Mass") either makes it present; "race" (a
    class of the race scorer); "subject_id" (or "patient_id"). Other columns are numbers ("age"). Empty means unknown.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: no column names the image, or a value is invalid.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There are no labels at `{path}`.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = [name for name in reader.fieldnames or () if name in IMAGE_COLUMNS]
        if not names:
            raise InputError(f"`{path}` must name its images in a column `image` or `dicom_id`, but has neither.")
        lines = list(reader)
    return {Path(line[names[0]]).stem: _truth(line, names[0], path) for line in lines}


def _truth(line: Mapping[str, str], image: str, path: Path) -> Truth:
    findings: dict[str, bool] = {}
    values: dict[str, float] = {}
    race, group = None, ""
    for column, text in line.items():
        text = (text or "").strip()
        if column == image or not text:
            continue
        finding = find_finding(column.replace("_", " "))
        if column == RACE:
            race = text
        elif column in GROUP_COLUMNS:
            group = text
        elif finding is not None:
            number = _number(text, column, path)
            if number not in (1, 0, -1):
                raise InputError(f"`{column}` of `{path}` must be 1, 0, -1 or empty, got {text!r}.")
            if number >= 0:
                findings[finding.name] = number == 1 or findings.get(finding.name, False)
        else:
            values[column] = _number(text, column, path)
    return Truth(findings, values, race, group)


def _number(text: str, column: str, path: Path) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            f"`{column}` of `{path}` must be a number, got {text!r}. Take the column out, or fill it."
        ) from error
