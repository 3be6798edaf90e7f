"""A folder of films: which files, whose, and what they are known to show."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.kinds import is_radiograph_file
from x2x_core.language.vocabulary import find_finding

#: Columns of a table of labels, each with the names it may have; the last ones are those of NIH ChestX-ray14.
FILE_COLUMNS = ("file", "Image Index")
PATIENT_COLUMNS = ("patient", "Patient ID")
FINDINGS_COLUMNS = ("findings", "Finding Labels")
#: Separates the findings of one film.
SEPARATOR = "|"


@dataclass(frozen=True)
class Film:
    """One film of a folder."""

    path: Path
    patient: str  # films of one patient go into one split
    findings: frozenset[str]  # canonical names of the findings that its labels name


def find_films(folder: str | Path, labels: str | Path | None = None) -> list[Film]:
    """List the radiographs of a folder and its subfolders, in the order of their paths.

    Args:
        folder: holds PNG, JPEG, TIFF or DICOM files.
        labels: CSV table with the columns `file` (name or path inside the folder), `patient` and `findings` (separated
            by "|"), the last two optional; NIH's own column names work too. Files that it does not list are left out.
            ``None``: every file is a patient of its own, and nothing is known of its findings.

    Raises:
        InputNotFoundError: there is no such folder or table, or the folder has no radiographs.
        InputError: the table lacks the column of file names.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputNotFoundError(f"There is no folder of films at `{folder}`.")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and is_radiograph_file(path))
    rows = None if labels is None else _read_labels(Path(labels))
    films = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        row = {} if rows is None else rows.get(name, rows.get(path.name))
        if row is not None:
            films.append(Film(path, row.get("patient") or name, _findings(row.get("findings") or "")))
    if not films:
        listed = f" that `{labels}` lists" if labels else ""
        raise InputNotFoundError(f"`{folder}` contains no radiographs{listed}: it must hold PNG, JPEG or DICOM files.")
    return films


def films_digest(films: Iterable[Film]) -> str:
    """Return a hash of the films' patients, findings, names and sizes, by which a changed folder is noticed."""
    digest = hashlib.sha256()
    for film in films:
        line = (film.patient, sorted(film.findings), film.path.name, film.path.stat().st_size)
        digest.update(json.dumps(line).encode())
    return digest.hexdigest()


def _read_labels(path: Path) -> dict[str, dict[str, str]]:
    """Return patient and findings of each file."""
    if not path.is_file():
        raise InputNotFoundError(f"There is no table of labels at `{path}`.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or ()
        names = {
            kind: next((name for name in known if name in columns), None)
            for kind, known in (
                ("file", FILE_COLUMNS), ("patient", PATIENT_COLUMNS), ("findings", FINDINGS_COLUMNS),
            )
        }  # fmt: skip
        if names["file"] is None:
            raise InputError(f"`{path}` must have a column `{FILE_COLUMNS[0]}`, got {', '.join(columns) or 'none'}.")
        return {row[names["file"]]: _known(row, names) for row in reader}


def _known(row: Mapping[str, str], names: Mapping[str, str | None]) -> dict[str, str]:
    return {kind: (row[name] or "").strip() for kind, name in names.items() if name is not None}


def _findings(text: str) -> frozenset[str]:
    """Return the canonical names of the findings in a label; words that are no finding are left out."""
    found = (find_finding(label.replace("_", " ").strip().lower()) for label in text.split(SEPARATOR) if label.strip())
    return frozenset(finding.name for finding in found if finding is not None)
