"""Prepared pictures: what all edits of a picture share, computed once.

Prompts, seeds and settings differ from edit to edit; the picture, its encoding and the patient's lungs do not. See
`InstructX2XPipeline.prepare`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.common.errors import InputError
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.contrast import Contrast

from .reading import Pictures
from .unet import canvas_cells

if TYPE_CHECKING:
    from x2x_core.pipeline import InstructX2XPipeline


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """N pictures with what every edit of them needs; give it to the pipeline's calls instead of the image."""

    pictures: Pictures
    canvas: Canvas  # of the whole pictures
    latents: torch.Tensor  # (N, C, h, w), unscaled, of the whole pictures
    decoded: torch.Tensor | None  # what `latents` decode to; None where the checkpoint's own settings do not use it
    contrast: Contrast | None  # which the model sees the pictures stretched to; None: as they are
    alignments: tuple[Alignment | None, ...]  # N, the patients' lungs; None: found by the edits that need them
    reference: bool  # prepared for `reference=True`
    vae: Any  # which encoded the pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def whole_latents(self, canvases: set[Canvas], own_contrast: bool) -> torch.Tensor | None:
        """Return `latents` if an edit on these canvases needs no others: on whole pictures, restricted to a region."""
        same = canvases == {self.canvas} and own_contrast == (self.contrast is not None)
        return self.latents if same else None


def check_prepared(prepared: PreparedImage, pipe: InstructX2XPipeline, reference: bool) -> None:
    """Check that prepared pictures fit a call.

    Raises:
        InputError: they were prepared by another pipeline, for another resolution or precision, or with another
            `reference`.
    """
    if prepared.vae is not pipe.vae:
        raise InputError(
            "`image` must be prepared by the pipeline that edits it, but its latents are of another VAE: call "
            "`pipe.prepare(image)` of this pipeline."
        )
    if prepared.latents.dtype != pipe.vae.dtype:
        raise InputError(
            f"`image` must be prepared in the VAE's precision, {pipe.vae.dtype}, but its latents are "
            f"{prepared.latents.dtype}: call `pipe.prepare(image)` again."
        )
    side = pipe.vae_scale_factor * canvas_cells(pipe.unet)
    if max(prepared.canvas.pixels) != side:
        raise InputError(
            f"`image` must be prepared for the U-Net's {side} pixels, but it was prepared for "
            f"{max(prepared.canvas.pixels)}: call `pipe.prepare(image)` again."
        )
    if prepared.reference != reference:
        raise InputError(
            f"`image` must be prepared with the call's `reference={reference}`, but it was prepared with "
            f"`reference={prepared.reference}`: call `pipe.prepare(image, reference={reference})`."
        )
