"""Blocks for Modular Diffusers: the guidance of InstructX2X inside diffusers' own workflows.

- `anatomy`: `AnatomyGuidanceBlock` finds a mask from the instruction, the atlas and the patient's lungs, without a
  model; it goes in at place 0 of any workflow that takes `mask_image`.
- `relevance`: `RelevanceBlock` finds a mask from where a Stable Diffusion XL U-Net's predictions with and without the
  prompt differ; it goes in after the text encoder, before the mask is read.
- `qwen_relevance`: `QwenImageRelevanceBlock` and `QwenImageEditRelevanceBlock` do so with these transformers.
- `composition`: `CompositionBlock` keeps everything outside the mask bit for bit; it goes in at the end.
- `saving`: blocks as folders that `ModularPipelineBlocks.from_pretrained` reads.

diffusers marks its modular pipelines as experimental; these blocks were tried with diffusers 0.42.1.
"""

from x2x_core.modular.anatomy import AnatomyGuidanceBlock
from x2x_core.modular.composition import CompositionBlock
from x2x_core.modular.qwen_relevance import QwenImageEditRelevanceBlock, QwenImageRelevanceBlock
from x2x_core.modular.relevance import RelevanceBlock
from x2x_core.modular.saving import save_block

__all__ = [
    "AnatomyGuidanceBlock",
    "CompositionBlock",
    "QwenImageEditRelevanceBlock",
    "QwenImageRelevanceBlock",
    "RelevanceBlock",
    "save_block",
]
