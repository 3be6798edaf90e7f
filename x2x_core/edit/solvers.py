"""Solvers of the denoising equation by name: diffusers' schedulers, on a checkpoint's own noise schedule."""

from __future__ import annotations

from typing import Any

import diffusers

from x2x_core.common.errors import InputError

from .solver_names import SOLVERS

_CLASSES = {
    "DDIM": "DDIMScheduler",
    "Euler": "EulerDiscreteScheduler",
    "DPM++ 2M": "DPMSolverMultistepScheduler",
    "UniPC": "UniPCMultistepScheduler",
}


def make_solver(name: str, scheduler: Any) -> Any:
    """Return a scheduler by name, with the noise schedule of another one.

    Args:
        name: one of `SOLVERS`.
        scheduler: whose configuration it takes over.

    Raises:
        InputError: an unknown name, or a schedule of flow matching.
    """
    if name not in SOLVERS:
        raise InputError(f"`solver` must be one of {', '.join(SOLVERS)}, got {name!r}.")
    if not hasattr(scheduler, "alphas_cumprod"):
        raise InputError(
            f"`solver` must be left out with {type(scheduler).__name__}, whose noise schedule {name} can't follow."
        )
    return getattr(diffusers, _CLASSES[name]).from_config(scheduler.config)
