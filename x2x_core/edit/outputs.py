"""What the pipeline gives back."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from diffusers.utils import BaseOutput
from PIL import Image

from x2x_core.anatomy.alignment import Alignment
from x2x_core.language.instruction import Instruction


class _NamedOutput(BaseOutput):
    """Named values; as a tuple, all of them in order, those left out as ``None``."""

    def all_fields(self) -> tuple:
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass
class InstructX2XPipelineOutput(_NamedOutput):
    """An edit, with the map that led it.

    B is the number of edits: of every pair of image and prompt `num_images_per_prompt`, one after the other. Maps are
    float32 in [0, 1] on the CPU, at the image's own size.

    Args:
        images: the edited images, of the caller's size and kind (see `x2x_core.imaging.inputs`), or final latents.
        nsfw_content_detected: for each edit, whether a safety checker objected: a restricted edit is then undone, an
            unrestricted one is black. ``None`` where there is no checker.
        guidance_map: G = P * R, `(B, 1, H, W)`.
        guidance_mask: where the image was allowed to change, `(B, 1, H, W)` bool. Elsewhere nothing changed.
        relevance_map: R, `(B, 1, H, W)`; ``None`` where none was computed (the caller gave the guidance mask, or free
            text edits a picture that is no radiograph, without restriction).
        pseudomask: P, `(B, 1, H, W)`; ``None`` where the caller gave the guidance mask.
        instructions: what was understood, one for each pair of image and prompt.
        relevance_uncertainty: the standard error of R over its draws and noise levels, `(B, 1, H, W)`, in R's units;
            ``None`` where there was one draw or none, or attention was read too.
        alignments: how the pseudomask was laid over the patient's lungs, one for each pair; ``None`` in it where a pair's
            region follows no lungs, and in its place where none does (`align=False`, `reference=True`, a mask of the
            caller's, published masks).
    """

    images: list[Image.Image] | np.ndarray | torch.Tensor
    nsfw_content_detected: list[bool] | None = None
    guidance_map: torch.Tensor | None = None
    guidance_mask: torch.Tensor | None = None
    relevance_map: torch.Tensor | None = None
    pseudomask: torch.Tensor | None = None
    instructions: list[Instruction] | None = None
    relevance_uncertainty: torch.Tensor | None = None
    alignments: list[Alignment | None] | None = None


@dataclass
class InstructX2XGuidanceOutput(_NamedOutput):
    """Where an edit would be allowed to change the image, and why; see `InstructX2XPipelineOutput`.

    `guidance_mask`, changed or not, can be handed back to the pipeline.
    """

    guidance_map: torch.Tensor
    guidance_mask: torch.Tensor
    relevance_map: torch.Tensor
    pseudomask: torch.Tensor
    instructions: list[Instruction]
    relevance_uncertainty: torch.Tensor | None = None
    alignments: list[Alignment | None] | None = None


@dataclass
class InstructX2XRelevanceOutput(_NamedOutput):
    """What the model would change for an instruction, wherever that is.

    Args:
        relevance_map: R at the image's size, `(B, 1, H, W)` float32 in [0, 1].
        latent_relevance_map: R as computed, on the model's canvas, `(B, 1, h, w)` float32 in [0, 1].
        instructions: what was understood, one for each pair of image and prompt.
        relevance_uncertainty: see `InstructX2XPipelineOutput`.
    """

    relevance_map: torch.Tensor
    latent_relevance_map: torch.Tensor
    instructions: list[Instruction]
    relevance_uncertainty: torch.Tensor | None = None
