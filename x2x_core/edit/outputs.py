"""Outputs of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from diffusers.utils import BaseOutput
from PIL import Image

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.change import Change
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.crop_window import CropWindow
from x2x_core.language.instruction import Instruction

from .composing import Composed
from .region import Region
from .state import Guidance, Relevance, to_image


class _NamedOutput(BaseOutput):
    """Named values."""

    def all_fields(self) -> tuple:
        """Return all values in order, missing ones as ``None``."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass
class InstructX2XPipelineOutput(_NamedOutput):
    """An edit, with its guidance map.

    B is the number of edits: `num_images_per_prompt` of each pair of image and prompt, in sequence. Maps are float32 in
    [0, 1] on the CPU, at the image's own size.

    Args:
        images: the edited images, of the caller's size and kind (see `x2x_core.imaging.inputs`), or final latents.
        nsfw_content_detected: for each edit, True if a safety checker objected: a restricted edit is then undone, an
            unrestricted one is black. ``None`` without a checker.
        guidance_map: G = P * R, `(B, 1, H, W)`.
        guidance_mask: where the image was allowed to change, `(B, 1, H, W)` bool. Nothing changed elsewhere.
        relevance_map: R, `(B, 1, H, W)`; ``None`` if none was computed (the caller gave the guidance mask, or free
            text edits a picture that is not a radiograph, without restriction).
        pseudomask: P, `(B, 1, H, W)`; ``None`` if the caller gave the guidance mask.
        instructions: what was understood, one for each pair of image and prompt; if places were drawn, one for each
            edit, with its place.
        relevance_uncertainty: the standard error of R over its draws and noise levels, `(B, 1, H, W)`, in R's units;
            ``None`` for one draw or none, or if attention was used.
        alignments: for each of `instructions`, how the pseudomask was fitted to the patient's lungs; ``None`` for one
            whose region does not depend on them, and instead of the list if no region does (`align=False`,
            `reference=True`, the caller's own mask, published masks).
        windows: for each edit, the window of the image that it was computed on, ``None`` for the whole image; ``None``
            instead of the list if all were computed on the whole image. Maps are 0 outside the window; latents are
            those of the window.
        changes: for each edit, what changed and where, read off the pixels alone (`Change.sentence()`); ``None`` for
            latents.
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
    windows: list[CropWindow | None] | None = None
    changes: list[Change] | None = None

    @classmethod
    def of(
        cls,
        composed: Composed,
        guidance: Guidance,
        region: Region | None,
        canvases: Canvases,
        instructions: list[Instruction],
        changes: list[Change] | None,
    ) -> InstructX2XPipelineOutput:
        """Collect the results of the stages."""
        return cls(
            images=composed.images,
            nsfw_content_detected=composed.nsfw_content_detected,
            guidance_map=guidance.map,
            guidance_mask=guidance.mask,
            relevance_map=guidance.relevance,
            pseudomask=guidance.pseudomask,
            instructions=instructions,
            relevance_uncertainty=guidance.uncertainty,
            alignments=None if region is None else region.alignments,
            windows=canvases.windows,
            changes=changes,
        )


@dataclass
class InstructX2XGuidanceOutput(_NamedOutput):
    """The guidance map and mask of an edit, and what they were made from; see `InstructX2XPipelineOutput`.

    `guidance_mask`, changed or not, can be passed to the pipeline.
    """

    guidance_map: torch.Tensor
    guidance_mask: torch.Tensor
    relevance_map: torch.Tensor
    pseudomask: torch.Tensor
    instructions: list[Instruction]
    relevance_uncertainty: torch.Tensor | None = None
    alignments: list[Alignment | None] | None = None
    windows: list[CropWindow | None] | None = None

    @classmethod
    def of(
        cls, guidance: Guidance, region: Region | None, canvases: Canvases, instructions: list[Instruction]
    ) -> InstructX2XGuidanceOutput:
        """Collect the results of the stages."""
        assert guidance.relevance is not None and guidance.pseudomask is not None and region is not None
        return cls(
            guidance_map=guidance.map,
            guidance_mask=guidance.mask,
            relevance_map=guidance.relevance,
            pseudomask=guidance.pseudomask,
            instructions=instructions,
            relevance_uncertainty=guidance.uncertainty,
            alignments=region.alignments,
            windows=canvases.windows,
        )


@dataclass
class InstructX2XRelevanceOutput(_NamedOutput):
    """The relevance map of an instruction.

    Args:
        relevance_map: R at the image's size, `(B, 1, H, W)` float32 in [0, 1].
        latent_relevance_map: R as computed, on the model's canvas, `(B, 1, h, w)` float32 in [0, 1].
        instructions: see `InstructX2XPipelineOutput`.
        relevance_uncertainty: see `InstructX2XPipelineOutput`.
        windows: see `InstructX2XPipelineOutput`.
    """

    relevance_map: torch.Tensor
    latent_relevance_map: torch.Tensor
    instructions: list[Instruction]
    relevance_uncertainty: torch.Tensor | None = None
    windows: list[CropWindow | None] | None = None

    @classmethod
    def of(
        cls, relevance: Relevance, canvases: Canvases, instructions: list[Instruction]
    ) -> InstructX2XRelevanceOutput:
        """Collect the results of the stages."""
        return cls(
            relevance_map=to_image(relevance.map, canvases),
            latent_relevance_map=relevance.map.cpu(),
            instructions=instructions,
            relevance_uncertainty=None if relevance.uncertainty is None else to_image(relevance.uncertainty, canvases),
            windows=canvases.windows,
        )
