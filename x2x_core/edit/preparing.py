"""Preparing pictures for several edits: read, encoded, and searched for the lungs once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.contrast import Contrast
from x2x_core.pseudomasks.extents import ExtentDrawer, ShownExtents

from .decoding import decode
from .editor import Editor
from .encoding import encode_pixels
from .prepared import PreparedImage
from .reading import read_pictures
from .request import whole_canvas
from .settings import resolve_settings


def prepare_image(editor: Editor, image: Any, reference: bool, align: bool) -> PreparedImage:
    """Prepare pictures; see `InstructX2XPipeline.prepare`.

    Raises:
        InputError: pictures that can't be used, or image latents.
    """
    if isinstance(image, PreparedImage):
        raise InputError("`image` must be a picture, but it is prepared already: give it to the call.")
    backbone = editor.backbone
    sizes = backbone.geometry
    pictures = read_pictures(image, sizes.latent_channels, sizes.cell, reference)
    if pictures.pixels is None:
        raise InputError(
            "`image` must be a picture, but it is image latents, which are encoded: give them to the call."
        )
    canvas = whole_canvas(sizes, pictures, restricted=True)
    contrast = None if reference else Contrast.of(pictures.pixels)
    views = encode_pixels(backbone, pictures.pixels, contrast, Canvases((canvas,) * len(pictures)))
    settings = resolve_settings({}, editor.config, reference)
    drawn = settings.draw_extent and settings.draw_place
    compared = settings.composition != "decoded" and not settings.twin
    align = align and not reference and not editor.pseudomasks.published
    alignments = tuple(
        editor.pseudomasks.align(picture[None]) if align and chest else None
        for picture, chest in zip(pictures.pixels, pictures.radiographs, strict=True)
    )
    return PreparedImage(
        pictures=pictures,
        canvas=canvas,
        views=replace(views, decoded=decode(backbone, views.latents)) if compared else views,
        contrast=contrast,
        alignments=alignments,
        drawers=tuple(
            ExtentDrawer(picture[None], own) if drawn and own is not None and own.sure else None
            for picture, own in zip(pictures.pixels, alignments, strict=True)
        ),
        shown=tuple(
            ShownExtents(picture[None], own.lungs) if own is not None and own.sure else None
            for picture, own in zip(pictures.pixels, alignments, strict=True)
        ),
        reference=reference,
        vae=backbone.pipe.vae,
    )
