"""Presets: named choices between speed and fidelity, on top of what a checkpoint recommends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

# From cheap to faithful.
PRESETS = ("fast", "balanced", "best")
# Context of windows around the mask, pixels of the canvas, see `x2x_core.edit.windows`.
_CONTEXTS = {"fast": 16, "balanced": 32}
# Steps of a modern solver for checkpoints that recommend no number of steps; without a preset: the default.
_STEPS = {"fast": 6, "balanced": 10}
_SOLVER = "DPM++ 2M"
# Schedulers of checkpoints that it replaces: those that need more steps than the default.
_REPLACED = ("DDIMScheduler", "PNDMScheduler")
STEPS_WITHOUT_RESTRICTION = 20  # on the pipeline's own scheduler


def preset_values(
    preset: str, steps: int, recommends_steps: bool, noise_levels: Sequence[float] = ()
) -> dict[str, Any]:
    """Return the settings that a preset changes, by name.

    "best" changes nothing: what an edit without a preset does. "balanced" denoises and decodes a window around the mask
    and leaves out what hardly counts of guidance; for checkpoints that recommend no number of steps it takes ten of a
    modern solver, 29 U-Net items an edit with the default scales. "fast" takes half the steps, or 16 items, one
    relevance draw per noise level, and of several levels level 1 alone if it is among them. It edits at the scale of
    the whole picture, without a crop: a window costs in proportion to the mask, and all edits of a prepared picture
    share its encoding. Of a checkpoint of one step at level 1, all presets take the two items of the relevance map
    alone, and differ in what they encode and decode.

    Args:
        preset: one of `PRESETS`.
        steps: the denoising steps without a preset.
        recommends_steps: True if the checkpoint recommends them.
        noise_levels: of the relevance map without a preset.
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
        values["padding_mask_crop"] = None
        values["relevance_samples"] = 1
        if 1.0 in noise_levels:
            values["relevance_noise_level"] = 1.0
    return values


def default_steps(config: Mapping[str, Any], restricted: bool, solver: str | None, eta: float | None) -> dict[str, Any]:
    """Return the settings, by name, that go with the number of steps where neither caller nor checkpoint names it.

    Args:
        config: the pipeline's, whose entry "scheduler" names a class.
        restricted: False for an edit without restriction, which is the stock pipeline's.
        solver: chosen by a preset.
        eta: of DDIM, which keeps that scheduler unless it is 0.
    """
    if not restricted:
        return {} if solver else {"num_inference_steps": STEPS_WITHOUT_RESTRICTION}
    replaced = (config.get("scheduler") or (None, None))[-1] in _REPLACED
    return {"solver": _SOLVER} if replaced and not solver and not eta else {}
