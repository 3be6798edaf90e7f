"""Edit settings of X2XEdit: widgets and presets as arguments of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.edit.presets import PRESETS
from x2x_core.edit.settings import DEFAULT, resolve_settings

from ..choices import SOLVERS


@dataclass(frozen=True)
class EditWidgets:
    """The widgets of X2XEdit, named as there."""

    preset: str
    steps: int
    guidance_scale: float | Mapping[str, float]  # a number, or one for each finding
    image_guidance_scale: float
    mask_rule: str
    threshold: float
    solver: str
    edit_strength: float
    seed: int

    @property
    def reference(self) -> bool:
        """True if the published algorithm is used."""
        return self.preset == "reference"

    def check(self) -> None:
        """Check the preset "reference" against the solver.

        Raises:
            InputError: another solver is selected.
        """
        if self.reference and self.solver != SOLVERS[0]:
            raise InputError(
                f"`solver` must be {SOLVERS[0]!r} with preset 'reference', which uses its own solver, got "
                f"{self.solver!r}."
            )

    def arguments(self) -> dict[str, Any]:
        """Return the pipeline's arguments; arguments left out keep the checkpoint's recommendation."""
        arguments = preset_arguments(self.preset)
        if self.preset == "custom":
            arguments = {
                "num_inference_steps": self.steps,
                "guidance_scale": self.guidance_scale,
                "image_guidance_scale": self.image_guidance_scale,
                "mask_rule": self.mask_rule,
            }
            if self.mask_rule == "threshold":
                arguments["mask_threshold"] = self.threshold
        if self.solver != SOLVERS[0]:
            arguments["solver"] = self.solver
        if self.edit_strength != DEFAULT.edit_strength:
            arguments["edit_strength"] = self.edit_strength
        return arguments


def preset_arguments(preset: str) -> dict[str, Any]:
    """Return the pipeline's arguments of a preset, on top of what a checkpoint recommends.

    Args:
        preset: one of `x2x_core.edit.presets.PRESETS`, "reference", or another for none.
    """
    if preset == "reference":
        return {"reference": True}
    return {"preset": preset} if preset in PRESETS else {}


def preset_values(preset: str, recommended: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a preset gives the widgets of X2XEdit, by widget."""
    arguments = preset_arguments(preset)
    settings = resolve_settings(arguments, recommended, arguments.pop("reference", False))
    scale = settings.guidance_scale
    return {
        "steps": settings.num_inference_steps,
        "guidance_scale": "by finding" if isinstance(scale, Mapping) else scale,
        "image_guidance_scale": settings.image_guidance_scale,
        "mask_rule": settings.mask_rule,
        "threshold": settings.mask_threshold,
    }
