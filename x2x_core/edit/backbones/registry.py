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


def backbone_of(pipe: Any) -> EditBackbone:
    """Return the backbone of a pipeline.

    Raises:
        InputError: a pipeline of another class.
    """
    for kind in type(pipe).__mro__:
        if kind.__name__ in BACKBONES:
            module, name = BACKBONES[kind.__name__]
            return getattr(importlib.import_module(f"{__package__}.{module}"), name)(pipe)
    raise InputError(
        f"`pipe` must be one of {', '.join(BACKBONES)}, got {type(pipe).__name__}. For another model, write an "
        "`EditBackbone` (x2x_core.edit.backbones.protocol) and pass it as `backbone`."
    )
