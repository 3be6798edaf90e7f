"""From the widgets of the editing nodes to the pipeline's settings, and to words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.edit.settings import DEFAULT, EditSettings, resolve_settings, scale_in_words

from ..edit import SOLVERS
from ..sockets import RECOMMENDED


def read_levels(text: str) -> list[float] | None:
    """Noise levels from a text field.

    Args:
        text: numbers of [0, 1] with commas between them, or "recommended".

    Returns:
        The levels; ``None``: what the checkpoint recommends.

    Raises:
        InputError: other words, or a number out of range.
    """
    if text is None or text.strip().lower() in ("", RECOMMENDED):
        return None
    try:
        levels = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
    except ValueError:
        levels = []
    if not levels or not all(0 <= level <= 1 for level in levels):
        raise InputError(
            f"`noise_level` must be {RECOMMENDED!r}, or numbers from 0 to 1 with commas between them, got {text!r}."
        )
    return levels


@dataclass(frozen=True)
class EditWidgets:
    """The widgets of X2XEdit, by their names there."""

    preset: str
    steps: int
    guidance_scale: float
    image_guidance_scale: float
    mask_rule: str
    threshold: float
    solver: str
    edit_strength: float
    seed: int

    @property
    def reference(self) -> bool:
        return self.preset == "reference"

    def check(self) -> None:
        """See that nothing is asked for beside the preset 'reference' that it can't do.

        Raises:
            InputError: a solver of its own.
        """
        if self.reference and self.solver != SOLVERS[0]:
            raise InputError(
                f"`solver` must be {SOLVERS[0]!r} with preset 'reference', which has its own, got {self.solver!r}."
            )

    def given(self, recommended: Mapping[str, Any]) -> dict[str, Any]:
        """The pipeline's arguments; what is left out is the checkpoint's."""
        arguments = preset_arguments(self.preset, recommended)
        if self.preset == "custom":
            arguments = {
                "num_inference_steps": self.steps,
                "guidance_scale": self.guidance_scale,
                "image_guidance_scale": self.image_guidance_scale,
                "mask_rule": self.mask_rule,
            }
            if self.mask_rule == "threshold":
                arguments["mask_threshold"] = self.threshold
        if self.edit_strength != DEFAULT.edit_strength:
            arguments["edit_strength"] = self.edit_strength
        return arguments


def preset_arguments(preset: str, recommended: Mapping[str, Any]) -> dict[str, Any]:
    """What a preset asks of the pipeline beyond what a checkpoint recommends.

    'fast': half the checkpoint's steps, and one noise draw for the relevance map at each of its levels.

    Args:
        preset: one of `edit.PRESETS`.
        recommended: the pipeline's config.
    """
    if preset == "reference":
        return {"reference": True}
    if preset == "fast":
        steps = resolve_settings({}, recommended).num_inference_steps
        return {"num_inference_steps": math.ceil(steps / 2), "relevance_samples": 1}
    return {}


def preset_values(preset: str, recommended: Mapping[str, Any]) -> dict[str, Any]:
    """What the widgets of X2XEdit stand for with a preset, by their names there."""
    arguments = preset_arguments(preset, recommended)
    settings = resolve_settings(arguments, recommended, arguments.pop("reference", False))
    return {
        "steps": settings.num_inference_steps,
        "guidance_scale": _shown(settings.guidance_scale),
        "image_guidance_scale": settings.image_guidance_scale,
        "mask_rule": settings.mask_rule,
        "threshold": settings.mask_threshold,
    }


def _shown(scale: float | Mapping[str, float]) -> float | str:
    return scale_in_words(scale) if isinstance(scale, Mapping) else scale


@dataclass(frozen=True)
class MoreSettings:
    """What X2XSettings adds; ``None``: as the checkpoint recommends, or as the library does by default."""

    twin: bool | None = None
    composition: str | None = None
    soft_edge: float | None = None
    relevance_noise_level: tuple[float, ...] | None = None
    relevance_samples: int | None = None
    relevance_source: str | None = None
    attention_gating: bool | None = None
    remove_islands: bool | None = None
    close_holes: bool | None = None
    limit_area: bool | None = None
    align: bool | None = None
    negative_prompt: str | None = None
    atlas: Any = None  # x2x_core.pseudomasks.atlas.PseudomaskAtlas
    pseudomask: torch.Tensor | None = None  # MASK

    @classmethod
    def from_widgets(cls, *, noise_level: str, draws: int, negative: str, **chosen: Any) -> MoreSettings:
        """From the widgets of X2XSettings, by their names there.

        Raises:
            InputError: noise levels that are none.
        """
        switches = {RECOMMENDED: None, "on": True, "off": False}
        levels = read_levels(noise_level)
        values = {
            name: switches.get(value, value) if isinstance(value, str) else value for name, value in chosen.items()
        }
        if values.get("soft_edge", 0) < 0:
            values["soft_edge"] = None
        for name in ("composition", "relevance_source", "attention_gating", "align"):
            if name in values and values[name] == getattr(DEFAULT, name):
                values[name] = None  # not asked for: so that it does not stand against the published settings
        return cls(
            relevance_noise_level=None if levels is None else tuple(levels),
            relevance_samples=draws or None,
            negative_prompt=negative.strip() or None,
            **values,
        )

    def given(self) -> dict[str, Any]:
        """The pipeline's arguments that are settings or words."""
        known = {field.name for field in fields(EditSettings)} | {"negative_prompt"}
        values = {name: getattr(self, name) for name in known if hasattr(self, name)}
        return {name: value for name, value in values.items() if value is not None}


def make_solver(name: str, scheduler: Any) -> Any:
    """A scheduler by its name in the menu, on the schedule of the checkpoint's own.

    Args:
        name: one of `edit.SOLVERS`.
        scheduler: the checkpoint's; given back for the first of them.

    Raises:
        InputError: another name.
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


def describe_settings(preset: str, solver: str, settings: EditSettings, masked: bool) -> list[str]:
    """The settings that were used, those of the instruction, in lines for people."""
    lines = [
        f"Preset {preset}: {settings.num_inference_steps} steps, guidance {settings.guidance_scale:g}, image guidance "
        f"{settings.image_guidance_scale:g}, solver {solver}, composition {settings.composition}"
        f"{', twin' if settings.twin else ''}, strength {settings.edit_strength:g}."
    ]
    if masked:
        return [*lines, "Mask: the one that is connected; `mask_rule` and `threshold` do not count."]
    rule = f"threshold {settings.mask_threshold:g}" if settings.mask_rule == "threshold" else settings.mask_rule
    levels = settings.relevance_noise_level
    levels = ", ".join(f"{level:g}" for level in (levels if isinstance(levels, tuple) else (levels,)))
    return [*lines, f"Mask: {rule}; relevance at noise {levels}, draws {settings.relevance_samples}."]
