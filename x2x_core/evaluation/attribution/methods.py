"""The explanations of one image: an edit of the finding, gradients, a latent shift, and two references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction

from .gradients import grad_cam, integrated_gradients
from .latent_shift import latent_shift
from .target import Target

EDIT, GRADIENTS, GRAD_CAM, LATENT_SHIFT = "edit", "integrated gradients", "Grad-CAM", "latent shift"
PLACE, CHANCE = "pseudomask", "random"  # references: where the finding can be, and nothing
METHODS = (EDIT, GRADIENTS, GRAD_CAM, LATENT_SHIFT, PLACE, CHANCE)
REFERENCES = (PLACE, CHANCE)


@dataclass(frozen=True)
class Explained:
    """Maps by method, `(1, 1, H, W)` float32 at least 0, and the probability after the edit; ``None`` without one."""

    maps: dict[str, torch.Tensor]
    after_edit: float | None


def explain(
    pipeline: Any, target: Target, image: torch.Tensor, seed: int, methods: Sequence[str] = METHODS, **call: Any
) -> Explained:
    """Explain why a classifier sees a finding in an image.

    The edit removes the finding where the guidance allows it; its map is the absolute change. The instruction names
    neither side nor place: it knows no more than the classifier's label.

    Args:
        pipeline: an `InstructX2XPipeline`.
        target: classifier and finding.
        image: `(1, 1, H, W)` in [0, 1], which has the finding.
        seed: of the edit and of the random map.
        methods: some of `METHODS`.
        call: arguments of the pipeline's call.

    Raises:
        InputError: an unknown method, or a classifier without derivatives for a method that needs them.
        MissingExtraError: captum is not installed, and a method needs it.
    """
    check_methods(methods)
    maps: dict[str, torch.Tensor] = {}
    after_edit = None
    prepared = pipeline.prepare(image)
    if EDIT in methods or PLACE in methods:
        prompt = str(Instruction(clauses=(Clause(Operation.REMOVE, target.finding),)))
        generators = [torch.Generator().manual_seed(seed)]
        output = pipeline(prepared, [prompt], generator=generators, output_type="pt", **call)
        edited = output.images.cpu().float().mean(1, keepdim=True).clamp(0, 1)
        maps |= {EDIT: (edited - image).abs(), PLACE: output.pseudomask.float()}
        after_edit = float(target.probability(edited))
    makers: dict[str, Callable[[], torch.Tensor]] = {
        GRADIENTS: lambda: integrated_gradients(target, image),
        GRAD_CAM: lambda: grad_cam(target, image),
        LATENT_SHIFT: lambda: latent_shift(target, image, pipeline.vae, max(prepared.canvas.pixels)),
        CHANCE: lambda: torch.rand(image.shape, generator=torch.Generator().manual_seed(seed)),
    }
    maps |= {name: make() for name, make in makers.items() if name in methods}
    return Explained({name: maps[name] for name in methods}, after_edit)


def check_methods(methods: Sequence[str]) -> None:
    """Check names of methods.

    Raises:
        InputError: none, or an unknown one.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        raise InputError(f"`methods` must be some of {', '.join(METHODS)}, got {', '.join(unknown) or 'none'}.")
