"""Schedulers for the menu `solver`."""

from __future__ import annotations

from typing import Any

from x2x_core.common.errors import InputError

from ..choices import SOLVERS


def make_solver(name: str, scheduler: Any) -> Any:
    """Return the scheduler for a menu entry, with the checkpoint's noise schedule.

    Args:
        name: one of `SOLVERS`.
        scheduler: the checkpoint's own, returned for the first entry.

    Raises:
        InputError: unknown name.
    """
    import diffusers

    classes = {
        "DDIM": diffusers.DDIMScheduler,
        "Euler": diffusers.EulerDiscreteScheduler,
        "DPM++ 2M": diffusers.DPMSolverMultistepScheduler,
        "UniPC": diffusers.UniPCMultistepScheduler,
    }
    if name == SOLVERS[0]:
        return scheduler
    if name not in classes:
        raise InputError(f"`solver` must be one of {', '.join(SOLVERS)}, got {name!r}.")
    return classes[name].from_config(scheduler.config)
