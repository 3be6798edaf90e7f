"""Build MIMIC-EDIT-INSTRUCTION from a copy of MIMIC-CXR-JPG and Medical-Diff-VQA.

A build has three stages, each of which can be interrupted at any moment and continues when started again:

1. The source tables are read into one database on disk (`x2x_core.dataset.database`).
2. Pairs are distributed to processes in portions. The images of a portion are written first, then its results, in one
   file that appears only when it is complete. An interrupted portion is repeated and gives the same bytes.
3. The results of all portions are gathered, in order, into the tables, the report and the card; the state is removed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy
import PIL

import x2x_core
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.processes import distribute, usable_cores
from x2x_core.common.storage import write_text
from x2x_core.imaging.provenance import sha256_file

from .build_folder import check_folder, finish, is_complete, lock, prepare, remove_state
from .database import make_database, open_database
from .gathering import gather
from .layout import database_file, part_file, scratch_folder
from .pair_building import build_pair
from .pair_images import ImageFolders
from .questions import count_pairs, read_pairs
from .registration import check_registering
from .settings import BuildSettings
from .study_tables import StudyTables, find_tables

FORMAT = "x2x-mimic-edit-instruction-1"
PORTION = 8  # pairs in a portion: the most that each process repeats after an interruption


class Progress(Protocol):
    """Report the pairs done, the total (``None`` while the tables are read) and the stage."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Report progress."""


def build_dataset(
    mimic: str | Path,
    vqa: str | Path,
    out: str | Path,
    settings: BuildSettings | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Build the dataset, or continue an interrupted build; the result is the same, byte for byte.

    Args:
        mimic: folder of MIMIC-CXR-JPG (`files/`, and its metadata and split tables).
        vqa: Medical-Diff-VQA's `mimic_pair_questions.csv` or `.csv.gz`; `mimic_all.csv` beside it is used too.
        out: output folder; created if needed.
        settings: see `BuildSettings`.
        workers: number of processes; ``None`` uses one per core. It does not affect the result.
        progress: called with the pairs done, the total (``None`` while the tables are read) and the stage.

    Returns:
        The output folder.

    Raises:
        InputNotFoundError: a table or the folder of images is missing.
        OutputExistsError: `out` contains other files, a dataset built from other tables or settings, or a build that is
            running in another process.
        MissingExtraError: SimpleITK is not installed.
        InputError: a table lacks a column or is damaged, or an argument is out of range.
    """
    settings, mimic, vqa, out = settings or BuildSettings(), Path(mimic), Path(vqa), Path(out)
    report = progress or _ignore_progress
    if workers is not None and workers < 1:
        raise InputError(f"`workers` must be at least 1, got {workers}.")
    check_registering()
    tables = _find_inputs(mimic, vqa)
    check_folder(out)
    report(0, None, "checking the tables")
    identity = _identity(settings, vqa, tables)
    if is_complete(out, identity):
        remove_state(out)
        return out
    with lock(out):
        prepare(out, identity)
        make_database(database_file(out), vqa, tables, lambda stage: report(0, None, f"reading {stage}"))
        total = _build_portions(_Job(mimic, out, settings), workers or usable_cores(), report)
        report(total, total, "gathering")
        gather(out, identity)
        finish(out, identity)
    remove_state(out)
    return out


def _ignore_progress(done: int, total: int | None, note: str = "") -> None:
    pass


def _find_inputs(mimic: Path, vqa: Path) -> StudyTables:
    if not (mimic / "files").is_dir():
        raise InputNotFoundError(
            f"`--mimic` must be the folder of MIMIC-CXR-JPG, which contains `files`, but there is no "
            f"`{mimic / 'files'}`."
        )
    if not vqa.is_file():
        raise InputNotFoundError(
            f"`--vqa` must be Medical-Diff-VQA's table of questions, but there is no file `{vqa}`."
        )
    return find_tables(mimic, vqa)


def _identity(settings: BuildSettings, vqa: Path, tables: StudyTables) -> dict[str, Any]:
    """Return everything on which the bytes of the result depend, apart from the images."""
    libraries = (cv2, numpy, PIL)
    versions = {"instructx2x": x2x_core.__version__, "simpleitk": metadata.version("simpleitk")}
    versions |= {library.__name__: library.__version__ for library in libraries}
    inputs = {path.name: sha256_file(path) for path in (vqa, *tables.present)}
    return {"format": FORMAT, **asdict(settings), "tables_sha256": inputs, "versions": versions}


class _Job(NamedTuple):
    """The arguments of a worker process that builds portions."""

    mimic: Path
    out: Path
    settings: BuildSettings


def _build_portions(job: _Job, workers: int, report: Callable[[int, int | None, str], None]) -> int:
    """Build all portions that are not on disk, and return the total number of pairs."""
    database = open_database(database_file(job.out))
    total = count_pairs(database)
    database.close()
    portions = -(-total // PORTION)
    missing = sum(not part_file(job.out, portion).is_file() for portion in range(portions))
    unfinished = (portion for portion in range(portions) if not part_file(job.out, portion).is_file())
    done = portions - missing
    report(min(done * PORTION, total), total, "pairs")
    for _ in distribute(_work, unfinished, min(workers, max(1, missing)), _start_worker, job):
        done += 1
        report(min(done * PORTION, total), total, "pairs")
    return total


_worker: dict[str, Any] = {}  # arguments with which this worker process was started


def _start_worker(mimic: Path, out: Path, settings: BuildSettings) -> None:
    database, folders = open_database(database_file(out)), ImageFolders(mimic, out, scratch_folder(out))
    _worker.update(database=database, folders=folders, settings=settings)


def _work(portion: int) -> int:
    """Build the pairs of one portion and write its results."""
    database, folders = _worker["database"], _worker["folders"]
    results = []
    for _, study_id, ref_id in read_pairs(database, portion * PORTION + 1, (portion + 1) * PORTION):
        result = build_pair(study_id, ref_id, _worker["settings"], database, folders)
        results.append({"kept": result.kept, "rejected": result.rejected})
    path = part_file(folders.out, portion)
    path.parent.mkdir(exist_ok=True)
    write_text(path, json.dumps(results), folders.scratch)
    return portion
