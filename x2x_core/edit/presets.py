"""Presets: named choices between speed and fidelity, on top of what a checkpoint recommends."""

from __future__ import annotations

import math
from typing import Any

# From cheap to faithful.
PRESETS = ("fast", "balanced", "best")
# Context of windows around the mask, pixels of the canvas, see `x2x_core.edit.windows`.
_CONTEXTS = {"fast": 16, "balanced": 32}
# Steps of a modern solver for checkpoints that recommend no number of steps.
_STEPS = {"fast": 6, "balanced": 10}
_SOLVER = "DPM++ 2M"


def preset_values(preset: str, steps: int, recommends_steps: bool) -> dict[str, Any]:
    """Return the settings that a preset changes, by name.

    "best" changes nothing: all steps, all branches in each, the whole canvas. "balanced" denoises a window around the
    mask and leaves out what hardly counts of guidance; for checkpoints that recommend no number of steps it takes fewer
    with a modern solver, 29 U-Net items an edit with the default scales. "fast" takes half the steps, or 16 items, and
    one relevance draw per noise level.

    Args:
        preset: one of `PRESETS`.
        steps: the denoising steps without a preset.
        recommends_steps: True if the checkpoint recommends them.
    """
    if preset == "best":
        return {}
    fast = preset == "fast"
    values: dict[str, Any] = {"mask_context": _CONTEXTS[preset], "unconditional_interval": 3 if fast else 2}
    if not recommends_steps:
        values |= {"num_inference_steps": min(_STEPS[preset], steps), "solver": _SOLVER, "relevance_samples": 2}
    elif fast:
        values["num_inference_steps"] = math.ceil(steps / 2)
    if fast:
        values["relevance_samples"] = 1
    return values
