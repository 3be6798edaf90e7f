"""The benchmark's edits: each pair edited in each way and scored, body by body, on disk.

Scores depend only on the pair, the row and the seed, so a run that was stopped continues to the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from x2x_core.common.processes import distribute

from .editing import edit_and_score
from .plan import read_body
from .rows import REFERENCES, Row
from .settings import PairSettings
from .storage import scores_path, write_pictures, write_scores


def edit_all(settings: PairSettings, out: Path, load: Callable[[], Any], workers: int) -> Iterator[int]:
    """Edit and score every body, and yield each when it is on disk.

    Args:
        settings: of the benchmark.
        out: the run's folder, with the simulated pairs.
        load: returns the pipeline; for several workers it must be picklable (`functools.partial` of a function is).
        workers: number of processes, each with its own pipeline.
    """
    bodies = range(settings.bodies)
    if workers <= 1:
        yield from map(_body_editor(settings, out, load), bodies)
        return
    yield from distribute(_work, bodies, workers, _start_worker, (settings, out, load))


def edit_body(pipeline, rows: Sequence[Row], settings: PairSettings, out: Path, body: int) -> None:
    """Edit and score a body in each way that is not done yet."""
    included = [row for row in (*REFERENCES.values(), *rows) if settings.includes(row, body)]
    todo = [row for row in included if not scores_path(out, row.name, body).is_file()]
    if not todo:
        return
    planned = read_body(out, body, settings.seed)
    for row in todo:
        edits, scores = edit_and_score(pipeline, row, planned)
        if row.reference is None:
            for one, edit in zip(planned, edits):
                write_pictures(out, row.name, one, edit)
        write_scores(out, row.name, body, scores)


def _body_editor(settings: PairSettings, out: Path, load: Callable[[], Any]) -> Callable[[int], int]:
    """Return a function that edits a body and returns its number."""
    pipeline = load()
    rows = settings.rows(pipeline)

    def edit(body: int) -> int:
        edit_body(pipeline, rows, settings, out, body)
        return body

    return edit


_worker: dict[str, Callable[[int], int]] = {}  # state of a worker process


def _start_worker(settings: PairSettings, out: Path, load: Callable[[], Any]) -> None:
    _worker["edit"] = _body_editor(settings, out, load)


def _work(body: int) -> int:
    return _worker["edit"](body)
