"""Run of a batch: check, continue where it was stopped, edit, and write the table of results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from x2x_core.archive.credentials.key import SigningFiles, load_key
from x2x_core.archive.derived_ids import pseudonym
from x2x_core.archive.settings import DicomSettings
from x2x_core.common.errors import InputError
from x2x_core.edit.loading import locate_checkpoint
from x2x_core.imaging.provenance import sha256_weights, versions

from .checking import find_problems, report
from .manifest import Manifest
from .output import ERROR, Output, row_lines
from .plan import Defaults, Group, Problem, Row, Shard, in_order, of_shard, read_rows
from .results import write_results
from .worker import Edit, Files, Worker, WorkerSettings, error_files

FORMAT = 1
WHOLE = Shard()
_DICOM_CHOICES = ("identifiers", "new_study", "burn_in", "series_description")
Progress = Callable[[int, int, int], None]  # rows done in all, their number, and those among them that have an error


class Engine(Protocol):
    """Way to have rows edited."""

    def __call__(self, settings: WorkerSettings, groups: Sequence[Group], commit: Callable[[Row, Files], None]) -> None:
        """Edit the rows of all groups, and commit each row's files once, in any order."""


def edit_here(settings: WorkerSettings, groups: Iterable[Group], commit: Callable[[Row, Files], None]) -> None:
    """Edit rows in this process, one after the other."""
    worker = Worker(settings)
    try:
        for group in groups:
            for row in group.rows:
                commit(row, worker.edit(row, group.is_shared))
    finally:
        worker.close()


@dataclass(frozen=True)
class BatchSettings:
    """Choices of a batch beside its manifest and options of rows.

    Args:
        load: returns the edit of a model, by its name; it can be sent to another process.
        about: what else decides the results: device, precision, hash of own pseudomasks.
        archive: how DICOM objects are written for DICOM inputs; ``None``: they are not.
        threads: see `WorkerSettings`.
        shard: part of the rows that this run edits.
        skip_problems: edit the other rows if some have problems, instead of none.
        retry_errors: edit rows again that ended with an error.
        engine: see `Engine`.
        signing: see `WorkerSettings`.
    """

    load: Callable[[str], Edit]
    about: Mapping[str, Any] = field(default_factory=dict)
    archive: DicomSettings | None = None
    threads: int | None = None
    shard: Shard = WHOLE
    skip_problems: bool = False
    retry_errors: bool = False
    engine: Engine = edit_here
    signing: SigningFiles | None = None


@dataclass(frozen=True)
class BatchOutcome:
    """Result of a run."""

    rows: int  # of the manifest
    done: int  # of these, by this and earlier runs
    errors: int  # of those that are done
    tables: tuple[str, ...]  # names of the tables; none while rows are missing, which other shards edit


def run_batch(
    manifest: Manifest,
    output: Output,
    defaults: Defaults,
    settings: BatchSettings,
    progress: Progress = lambda done, total, errors: None,
) -> BatchOutcome:
    """Edit the rows of a manifest, or continue an interrupted run; the results are the same, byte for byte.

    A row that cannot be edited is recorded with its error, and the others are edited. When all rows are done, by this
    run or by all shards, the table of results is written.

    Args:
        manifest: see `x2x_core.batch.manifest.read_manifest`.
        output: see `x2x_core.batch.opening.open_output`.
        defaults: for empty cells.
        settings: see `BatchSettings`.
        progress: called after each row.

    Raises:
        OutputExistsError: another run is writing to the folder.
        InputError: rows with problems (the message names them), an output folder that holds another batch or cannot be
            written, or a model that cannot be loaded.
        MissingExtraError: a library is missing.
    """
    rows, unread = read_rows(manifest, defaults)
    problems = find_problems(rows, unread, output.done() - (output.failed() if settings.retry_errors else set()))
    if problems and not settings.skip_problems:
        raise InputError(report(problems, len(rows)))
    with output.lock(settings.shard):
        weights = {model: _weights(model) for model in dict.fromkeys(row.model for row in rows)}
        output.claim(_identity(rows, weights, settings), rows)
        done, failed = output.done(), output.failed()
        own = of_shard(in_order(rows), settings.shard)
        if settings.retry_errors:
            for row in (row for group in own for row in group if row.number in failed):
                output.remove(row.number)
                done.discard(row.number)
                failed.discard(row.number)
        _edit_rows(own, _Committer(output, done, failed, len(rows), progress), problems, settings, weights)
        everything = output.done()
        is_complete = len(everything) >= len(rows)
        tables = write_results(output, rows, settings.archive is not None) if is_complete else []
        return BatchOutcome(len(rows), len(everything), len(output.failed()), tuple(tables))


class _Committer:
    """Commit of results, with the count of what is done."""

    def __init__(self, output: Output, done: set[int], failed: set[int], total: int, progress: Progress) -> None:
        self.output, self.done, self.errors, self.total, self.progress = output, done, len(failed), total, progress

    def __call__(self, row: Row, files: Files) -> None:
        """Write a row's files."""
        self.output.commit(row.number, files)
        self.done.add(row.number)
        self.errors += ERROR in files
        self.progress(len(self.done), self.total, self.errors)


def _edit_rows(
    groups: Iterable[list[Row]],
    commit: _Committer,
    problems: Sequence[Problem],
    settings: BatchSettings,
    weights: Mapping[str, str | None],
) -> None:
    """Edit the rows that are not done; those with problems get their errors."""
    bad: dict[int, list[str]] = {}
    for problem in problems:
        bad.setdefault(problem.row, []).append(problem.message)
    commit.progress(len(commit.done), commit.total, commit.errors)
    left = []
    for group in groups:
        missing = [row for row in group if row.number not in commit.done]
        for row in missing:
            if row.number in bad:
                commit(row, error_files(row, " ".join(bad[row.number])))
        if rest := tuple(row for row in missing if row.number not in bad):
            # Not by what is missing: a run that continues another one must take the same way to the same bytes.
            left.append(Group(rest, is_shared=len(group) > 1))
    if left:
        worker = WorkerSettings(settings.load, weights, settings.archive, settings.threads, settings.signing)
        settings.engine(worker, left, commit)


def _weights(model: str) -> str | None:
    """Return the hash of a local model's weights; ``None`` for one of the hub."""
    place, is_local = locate_checkpoint(model)
    return sha256_weights(place) if is_local else None


def _identity(rows: list[Row], weights: Mapping[str, str | None], settings: BatchSettings) -> dict[str, Any]:
    """Return what decides the results, apart from the content of the images."""
    archive = settings.archive
    dicom: dict[str, Any] = {"dicom": archive is not None}
    if archive is not None:
        dicom |= {
            name: getattr(archive, name) for name in ("identifiers", "new_study", "burn_in", "series_description")
        }
        dicom["pseudonym_key"] = pseudonym(archive.key, "batch") if archive.key else None
    signed = {"signing_certificate": load_key(settings.signing).fingerprint} if settings.signing else {}
    return {
        "format": FORMAT,
        **{f"{name}_version": number for name, number in versions().items()},
        "rows": {"count": len(rows), "sha256": hashlib.sha256(row_lines(rows)).hexdigest()},
        "weights": dict(weights),
        **dicom,
        **signed,
        "threads": settings.threads,
        **settings.about,
    }
