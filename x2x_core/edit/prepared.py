"""Prepared pictures: what all edits of a picture share, computed once.

Prompts, seeds and settings differ from edit to edit; the picture, its encoding and the patient's lungs do not. See
`InstructX2XPipeline.prepare`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from x2x_core.anatomy.alignment import Alignment
from x2x_core.common.errors import InputError
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.contrast import Contrast
from x2x_core.pseudomasks.extents import ExtentDrawer, ShownExtents

from .backbones.protocol import EditBackbone
from .reading import Pictures
from .views import EncodedViews, RecentViews


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """N pictures with what every edit of them needs; give it to the pipeline's calls instead of the image."""

    pictures: Pictures
    canvas: Canvas  # of the whole pictures
    views: EncodedViews  # N, of the whole pictures; decoded where the checkpoint's own settings use it
    contrast: Contrast | None  # which the model sees the pictures stretched to; None: as they are
    alignments: tuple[Alignment | None, ...]  # N, the patients' lungs; None: found by the edits that need them
    drawers: tuple[ExtentDrawer | None, ...]  # N, of extents; None: made by the edits that draw them
    shown: tuple[ShownExtents | None, ...]  # N, found by the first edit that needs them; None: by each
    reference: bool  # prepared for `reference=True`
    vae: Any  # which encoded the pictures
    crops: RecentViews = field(default_factory=RecentViews)  # encoded by edits on crops

    def __len__(self) -> int:
        return len(self.pictures)

    def fits(self, canvases: set[Canvas], own_contrast: bool) -> bool:
        """Return True if an edit on these canvases needs no other views: on whole pictures, restricted to a region."""
        return canvases == {self.canvas} and own_contrast == (self.contrast is not None)


def check_prepared(prepared: PreparedImage, backbone: EditBackbone, reference: bool) -> None:
    """Check that prepared pictures fit a call.

    Raises:
        InputError: they were prepared by another pipeline, for another resolution or precision, or with another
            `reference`.
    """
    vae, latents = backbone.pipe.vae, prepared.views.latents
    if prepared.vae is not vae:
        raise InputError(
            "`image` must be prepared by the pipeline that edits it, but its latents are of another VAE: call "
            "`pipe.prepare(image)` of this pipeline."
        )
    if latents.dtype != vae.dtype:
        raise InputError(
            f"`image` must be prepared in the VAE's precision, {vae.dtype}, but its latents are "
            f"{latents.dtype}: call `pipe.prepare(image)` again."
        )
    side = backbone.geometry.resolution
    if max(prepared.canvas.pixels) != side:
        raise InputError(
            f"`image` must be prepared for the model's {side} pixels, but it was prepared for "
            f"{max(prepared.canvas.pixels)}: call `pipe.prepare(image)` again."
        )
    if prepared.reference != reference:
        raise InputError(
            f"`image` must be prepared with the call's `reference={reference}`, but it was prepared with "
            f"`reference={prepared.reference}`: call `pipe.prepare(image, reference={reference})`."
        )
