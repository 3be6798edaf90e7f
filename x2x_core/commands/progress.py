"""Progress on standard error: bars on a terminal, and lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import typer


class Update(Protocol):
    """Report progress: items done, their total, and a short note."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Draw the bar at `done` of `total`; ``None`` draws a bar without an end."""


@contextmanager
def progress_bar(text: str) -> Iterator[Update]:
    """Show a progress bar while the context is open, and yield the function that updates it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(text, total=None, note="")

        def update(done: int, total: int | None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield update


_SECONDS_BETWEEN_LINES = 60.0


@contextmanager
def row_progress(text: str) -> Iterator[Callable[[int, int, int], None]]:
    """Show how many rows are done, at which rate, and the time left: as a bar, or in a log as a line each minute.

    Yields:
        The function to call with the rows done, their number, and those among them with an error.
    """
    if sys.stderr.isatty():
        with progress_bar(text) as update:
            pace = _Pace()
            yield lambda done, total, errors: update(done, total, pace.note(done, total, errors, time_left=False))
        return
    pace, last = _Pace(), time.monotonic()

    def report(done: int, total: int, errors: int) -> None:
        nonlocal last
        note = pace.note(done, total, errors, time_left=True)
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES or done == total:
            last = time.monotonic()
            typer.echo(", ".join(filter(None, (f"{text}: {done} of {total}", note))), err=True)

    yield report


class _Pace:
    """Rate since the first report."""

    def __init__(self) -> None:
        self.start: float | None = None
        self.done = 0

    def note(self, done: int, total: int, errors: int, time_left: bool) -> str:
        """Return in words the rate, the time left if wanted, and the errors."""
        if self.start is None:
            self.start, self.done = time.monotonic(), done
        seconds = max(time.monotonic() - self.start, 1e-6)
        rate = (done - self.done) / seconds
        words = [f"{60 * rate:.1f} a minute"] if rate else []
        if rate and time_left and done < total:
            minutes = round((total - done) / rate / 60)
            words.append(f"{minutes // 60} h {minutes % 60:02} min left")
        return ", ".join([*words, f"{errors} errors"] if errors else words)
