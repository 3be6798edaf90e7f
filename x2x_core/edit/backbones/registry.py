"""The backbone of a loaded pipeline, found by the pipeline's class."""

from __future__ import annotations

import importlib
from typing import Any

from x2x_core.common.errors import InputError

from .protocol import EditBackbone

# Pipeline classes of diffusers, with the module in this folder and the class of the backbone of each. Modules are
# imported on use: each draws in the libraries of its model.
BACKBONES = {
    "StableDiffusionInstructPix2PixPipeline": ("instruct_pix2pix", "InstructPix2Pix"),
    "StableDiffusionXLInstructPix2PixPipeline": ("instruct_pix2pix_xl", "InstructPix2PixXL"),
    "StableDiffusionInpaintPipeline": ("inpainting", "Inpainting"),
    "StableDiffusionXLInpaintPipeline": ("inpainting_xl", "InpaintingXL"),
    "FluxKontextPipeline": ("kontext", "Kontext"),
    "Flux2KleinPipeline": ("flux2_klein", "Flux2Klein"),
    "QwenImageEditPipeline": ("qwen_image_edit", "QwenImageEdit"),
}

INSTRUCT_PIX2PIX = "StableDiffusionInstructPix2PixPipeline"
# Pipelines whose checkpoints another class in `BACKBONES` edits with.
EDITED_AS = {
    "StableDiffusionPipeline": "StableDiffusionInpaintPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLInpaintPipeline",
}


def backbone_of(pipe: Any) -> EditBackbone:
    """Return the backbone of a pipeline.

    Raises:
        InputError: a pipeline of another class.
    """
    if (found := _registered(pipe)) is not None:
        module, name = BACKBONES[found]
        return getattr(importlib.import_module(f"{__package__}.{module}"), name)(pipe)
    kind = type(pipe).__name__
    if kind in EDITED_AS:
        raise InputError(
            f"`pipe` is a {kind}, which makes pictures from a text alone: pass `{EDITED_AS[kind]}.from_pipe(pipe)`."
        )
    raise InputError(
        f"`pipe` must be one of {', '.join(BACKBONES)}, got {kind}. For another model, write an "
        "`EditBackbone` (x2x_core.edit.backbones.protocol) and pass it as `backbone`."
    )


def check_class(kind: str, checkpoint: Any) -> None:
    """Check that a checkpoint holds a pipeline that can be edited with.

    Args:
        kind: the class that its index names.
        checkpoint: its folder or repository.

    Raises:
        InputError: it is of another class.
    """
    if kind not in BACKBONES and kind not in EDITED_AS:
        raise InputError(
            f"`{checkpoint}` must hold one of {', '.join(BACKBONES)}, but holds a {kind}. For another model, load it, "
            "write an `EditBackbone` (x2x_core.edit.backbones.protocol) and pass both to `X2XEdit`."
        )


def is_other_model(kind: Any) -> bool:
    """Return True for a class of pipelines in `BACKBONES` that is not InstructPix2Pix, by the name in an index."""
    return isinstance(kind, str) and kind in BACKBONES and kind != INSTRUCT_PIX2PIX


def refuse_other_models(kind: Any, checkpoint: Any) -> None:
    """Refuse a checkpoint of a class of pipelines in `BACKBONES` that is not InstructPix2Pix.

    Args:
        kind: the class that its index names; others than those of `BACKBONES` pass.
        checkpoint: its folder or repository.

    Raises:
        InputError: it is one.
    """
    if is_other_model(kind):
        raise InputError(
            f"`{checkpoint}` holds a {kind}, which is not an InstructPix2Pix checkpoint: load it with "
            "`X2XEdit.from_pretrained`."
        )


def refuse_other_pipes(pipe: Any) -> None:
    """Refuse a pipeline that is edited with another backbone than InstructPix2Pix.

    Raises:
        InputError: it is one.
    """
    if _registered(pipe) not in (None, INSTRUCT_PIX2PIX):
        raise InputError(
            f"`pipeline` is a {type(pipe).__name__}, which is not an InstructPix2Pix model: edit with "
            "`X2XEdit(pipeline)`."
        )


def _registered(pipe: Any) -> str | None:
    """Return the class in `BACKBONES` that a pipeline is of."""
    return next((kind.__name__ for kind in type(pipe).__mro__ if kind.__name__ in BACKBONES), None)
