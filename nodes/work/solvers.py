"""Schedulers for the menu `solver`."""

from __future__ import annotations

from typing import Any

from x2x_core.edit import solvers

from ..choices import SOLVERS


def make_solver(name: str, scheduler: Any) -> Any:
    """Return the scheduler for a menu entry, with the checkpoint's noise schedule.

    Args:
        name: one of `SOLVERS`.
        scheduler: the checkpoint's own, returned for the first entry.

    Raises:
        InputError: unknown name.
    """
    return scheduler if name == SOLVERS[0] else solvers.make_solver(name, scheduler)
