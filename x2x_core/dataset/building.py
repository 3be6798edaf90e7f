"""Build MIMIC-EDIT-INSTRUCTION from a copy of MIMIC-CXR-JPG and Medical-Diff-VQA.

Three stages, each of which can be cut off at any moment and goes on where it was:

1. The tables are read into one database on disk (`x2x_core.dataset.database`).
2. Pairs are dealt to processes in portions; a portion's images are written, then its lines, in one file that is there
   whole or not at all. A portion that was cut off is done again and gives the same bytes.
3. The portions' lines are gathered, in order, into the tables, the report and the card; the state is removed.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy
import PIL

import x2x_core
from x2x_core.common.errors import InputError, InputNotFoundError, OutputExistsError
from x2x_core.common.storage import write_json, write_text
from x2x_core.imaging.provenance import sha256_file

from .database import make_database, open_database
from .gathering import gather
from .layout import BUILD, CURRENT, PARTS, PAST, SCRATCH, VALID, WORK, part_file
from .pair_building import Places, build_pair
from .processes import deal, usable_cores
from .questions import count_pairs, read_pairs
from .registration import check_registering
from .settings import BuildSettings
from .studies import StudyTables, find_tables

FORMAT = "x2x-mimic-edit-instruction-1"
PORTION = 8  # pairs to a portion: what is done again, at most, by each process after an interruption

Progress = Callable[[int, int | None, str], None]


def build_dataset(
    mimic: str | Path,
    vqa: str | Path,
    out: str | Path,
    settings: BuildSettings | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Build the dataset, or go on with a build that was interrupted; the result is the same, byte for byte.

    Args:
        mimic: folder of MIMIC-CXR-JPG (`files/`, and its metadata and split tables).
        vqa: Medical-Diff-VQA's `mimic_pair_questions.csv` or `.csv.gz`; `mimic_all.csv` beside it is used.
        out: folder for the dataset; it is made.
        settings: see `BuildSettings`.
        workers: processes; ``None``: one a core. Their number does not change the result.
        progress: called with the pairs done, the pairs in all (``None`` while the tables are read) and what
            is being done.

    Returns:
        The folder.

    Raises:
        InputNotFoundError: a table or the folder of images is not there.
        OutputExistsError: `out` holds something else, a dataset that was built from other tables or settings, or one that
            another process is building.
        MissingExtraError: SimpleITK is not installed.
        InputError: a table lacks a column or is damaged, or a setting is out of range.
    """
    settings, mimic, vqa, out = settings or BuildSettings(), Path(mimic), Path(vqa), Path(out)
    say = progress or (lambda done, total, note="": None)
    if workers is not None and workers < 1:
        raise InputError(f"`workers` must be at least 1, got {workers}.")
    check_registering()
    tables = _find_inputs(mimic, vqa)
    _check_folder(out)
    say(0, None, "checking the tables")
    identity = _identity(settings, vqa, tables)
    if _is_complete(out, identity):
        shutil.rmtree(out / WORK, ignore_errors=True)
        return out
    with _alone(out):
        _claim(out, identity)
        database = out / WORK / "tables.sqlite"
        make_database(database, vqa, tables, lambda what: say(0, None, f"reading {what}"))
        total = _build_portions(mimic, out, settings, workers or usable_cores(), say)
        say(total, total, "gathering")
        gather(out, settings, database, identity)
        write_json(out / BUILD, {**identity, "complete": True}, _scratch(out))
    shutil.rmtree(out / WORK)
    return out


def _find_inputs(mimic: Path, vqa: Path) -> StudyTables:
    if not (mimic / "files").is_dir():
        raise InputNotFoundError(
            f"`--mimic` must be the folder of MIMIC-CXR-JPG, which holds `files`, but there is no `{mimic / 'files'}`."
        )
    if not vqa.is_file():
        raise InputNotFoundError(
            f"`--vqa` must be Medical-Diff-VQA's table of questions, but there is no file `{vqa}`."
        )
    return find_tables(mimic, vqa)


def _identity(settings: BuildSettings, vqa: Path, tables: StudyTables) -> dict[str, Any]:
    """What the bytes of the result depend on, apart from the images."""
    libraries = (cv2, numpy, PIL)
    versions = {"instructx2x": x2x_core.__version__, "simpleitk": metadata.version("simpleitk")}
    versions |= {library.__name__: library.__version__ for library in libraries}
    inputs = {path.name: sha256_file(path) for path in (vqa, *tables.present)}
    return {"format": FORMAT, **asdict(settings), "tables_sha256": inputs, "versions": versions}


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise OutputExistsError(f"`--out` must be a folder, but `{out}` is a file. Give another name.")
    if out.is_dir() and not (out / BUILD).is_file() and any(path.name != WORK for path in out.iterdir()):
        raise OutputExistsError(f"`--out` must be an empty folder or a build to go on with, but `{out}` holds other "
                              "files. Give another folder.")  # fmt: skip


def _is_complete(out: Path, identity: dict[str, Any]) -> bool:
    """Whether this very build is already there; another one is refused."""
    recorded = _recorded(out)
    complete = recorded.pop("complete", False)
    if recorded and recorded != identity:
        changed = sorted(key for key in {*recorded, *identity} if recorded.get(key) != identity.get(key))
        raise OutputExistsError(
            f"`--out` must be an empty folder or this very build, but `{out}` was built with another "
            f"{', '.join(changed)}. Give another folder, or the tables and settings of that build."
        )
    return complete


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep a second build out of the folder; the lock is gone when the process is, however it ends."""
    (out / WORK).mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(out / WORK / "lock.sqlite", timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise OutputExistsError(
            f"`{out}` is being built by another process. Wait for it, or give another folder."
        ) from error
    try:
        yield
    finally:
        lock.close()


def _claim(out: Path, identity: dict[str, Any]) -> None:
    """Make the folder this build's own, and clear away what an interrupted one had half written."""
    shutil.rmtree(_scratch(out), ignore_errors=True)
    _scratch(out).mkdir()
    if not (out / BUILD).is_file():
        write_json(out / BUILD, {**identity, "complete": False}, _scratch(out))
    for folder in (_parts(out), out / PAST, out / CURRENT, out / VALID):
        folder.mkdir(exist_ok=True)


def _recorded(out: Path) -> dict[str, Any]:
    try:
        return json.loads((out / BUILD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise OutputExistsError(f"`{out / BUILD}` must be the record of a build, but it is not JSON. "
                              "Give another folder.") from error  # fmt: skip


def _scratch(out: Path) -> Path:
    return out / WORK / SCRATCH


def _parts(out: Path) -> Path:
    return out / WORK / PARTS


def _build_portions(mimic: Path, out: Path, settings: BuildSettings, workers: int, say: Progress) -> int:
    """Build all portions that are not on disk; the number of pairs in all."""
    database = open_database(out / WORK / "tables.sqlite")
    total = count_pairs(database)
    database.close()
    portions = -(-total // PORTION)
    todo = (portion for portion in range(portions) if not part_file(out, portion).is_file())
    missing = sum(not part_file(out, portion).is_file() for portion in range(portions))
    done = portions - missing
    say(min(done * PORTION, total), total, "pairs")
    for _ in deal(_work, todo, min(workers, max(1, missing)), _start_worker, (mimic, out, settings)):
        done += 1
        say(min(done * PORTION, total), total, "pairs")
    return total


_worker: dict[str, Any] = {}  # what this process was started with


def _start_worker(mimic: Path, out: Path, settings: BuildSettings) -> None:
    database = open_database(out / WORK / "tables.sqlite")
    _worker.update(places=Places(mimic, out, _scratch(out), database), settings=settings, out=out)


def _work(portion: int) -> int:
    """Build the pairs of one portion and write its lines."""
    places, settings = _worker["places"], _worker["settings"]
    lines = []
    for _, study_id, ref_id in read_pairs(places.database, portion * PORTION + 1, (portion + 1) * PORTION):
        result = build_pair(study_id, ref_id, settings, places)
        lines.append({"kept": result.kept, "rejected": result.rejected})
    path = part_file(_worker["out"], portion)
    path.parent.mkdir(exist_ok=True)
    write_text(path, json.dumps(lines), places.scratch)
    return portion
