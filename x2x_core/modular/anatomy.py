"""A block that finds where an instruction may change a radiograph: lungs and atlas, no denoiser."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.modular_pipelines import ModularPipelineBlocks
from diffusers.modular_pipelines.modular_pipeline_utils import InputParam, OutputParam

from x2x_core.common.errors import InputError
from x2x_core.common.values import number
from x2x_core.edit.reading import read_pictures, read_subject
from x2x_core.edit.region import RegionInputs, find_region
from x2x_core.guidance.maps import guidance_mask
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.given import as_keep_mask

from .masks import to_mask_images

# The level of the pseudomask from which the picture may change.
MASK_THRESHOLD = 0.1


class AnatomyGuidanceBlock(ModularPipelineBlocks):
    """Find the mask of an instruction on a radiograph, from the atlas fitted to the patient's lungs.

    Args:
        atlas: the path of an atlas; ``None``: the bundled one.
    """

    def __init__(self, atlas: str | None = None) -> None:
        super().__init__()
        self._atlas = atlas

    @property
    def atlas(self) -> str | None:
        """The path of the atlas; ``None``: the bundled one."""
        return self._atlas

    @property
    def description(self) -> str:
        """The block in a sentence."""
        return "Find where the instruction may change a chest radiograph: its pseudomask, fitted to the lungs."

    @property
    def inputs(self) -> list[InputParam]:
        """The picture and the instruction."""
        return [
            InputParam("image", required=True, description="Radiographs of one size, as for InstructX2XPipeline."),
            InputParam("prompt", required=True, type_hint=str, description="The instruction, one or one for each."),
            InputParam("keep_mask", description="What must stay as it is, of the image's size; above 0 it stays."),
            InputParam("mask_threshold", default=MASK_THRESHOLD, description="Level of the map, [0, 1]."),
        ]

    @property
    def intermediate_outputs(self) -> list[OutputParam]:
        """The mask, as inpainting blocks take it, and the map."""
        return [
            OutputParam("mask_image", description="Masks as pictures, white where the image may change."),
            OutputParam("guidance_map", type_hint=torch.Tensor, description="(B, 1, H, W) in [0, 1]."),
        ]

    @torch.no_grad()
    def __call__(self, components: Any, state: Any) -> tuple[Any, Any]:
        """Find the mask.

        Raises:
            InputError: image latents, an instruction that can't be used, or a mask that does not fit.
        """
        block_state = self.get_block_state(state)
        pictures = read_pictures(block_state.image, 4, 8, reference=False)
        if pictures.pixels is None:
            raise InputError("`image` must be a picture, but it is image latents.")
        prompts = [block_state.prompt] if isinstance(block_state.prompt, str) else list(block_state.prompt)
        subject = read_subject(prompts, pictures.radiographs, 1, reference=False, region_given=False)
        keep = None if block_state.keep_mask is None else as_keep_mask(block_state.keep_mask, pictures.size)
        atlas = PseudomaskAtlas.bundled() if self._atlas is None else PseudomaskAtlas.load(self._atlas)
        inputs = RegionInputs(pictures.pixels, pictures.size, subject.pair_images, subject.instructions, keep=keep)
        guidance_map = find_region(atlas, inputs).pseudomask
        threshold = number(0, 1)("mask_threshold", block_state.mask_threshold)
        block_state.guidance_map = guidance_map
        block_state.mask_image = to_mask_images(guidance_mask(guidance_map, threshold, guidance_map))
        self.set_block_state(state, block_state)
        return components, state
