"""Preparing pictures for several edits: read, encoded, and searched for the lungs once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from x2x_core.common.errors import InputError
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.contrast import Contrast

from .decoding import decode
from .encoding import encode_pixels
from .prepared import PreparedImage
from .reading import read_pictures
from .request import whole_canvas
from .settings import resolve_settings

if TYPE_CHECKING:
    from x2x_core.pipeline import InstructX2XPipeline


def prepare_image(pipe: InstructX2XPipeline, image: Any, reference: bool, align: bool) -> PreparedImage:
    """Prepare pictures; see `InstructX2XPipeline.prepare`.

    Raises:
        InputError: pictures that can't be used, or image latents.
    """
    if isinstance(image, PreparedImage):
        raise InputError("`image` must be a picture, but it is prepared already: give it to the call.")
    pictures = read_pictures(image, pipe.vae.config.latent_channels, pipe.vae_scale_factor, reference)
    if pictures.pixels is None:
        raise InputError(
            "`image` must be a picture, but it is image latents, which are encoded: give them to the call."
        )
    canvas = whole_canvas(pipe, pictures, restricted=True)
    contrast = None if reference else Contrast.of(pictures.pixels)
    latents = encode_pixels(pipe, pictures.pixels, contrast, Canvases((canvas,) * len(pictures)))
    settings = resolve_settings({}, pipe.config, reference)
    compared = settings.composition != "decoded" and not settings.twin
    align = align and not reference and not pipe.pseudomasks.published
    alignments = tuple(
        pipe.pseudomasks.align(picture[None]) if align and chest else None
        for picture, chest in zip(pictures.pixels, pictures.radiographs, strict=True)
    )
    return PreparedImage(
        pictures=pictures,
        canvas=canvas,
        latents=latents,
        decoded=decode(pipe, latents) if compared else None,
        contrast=contrast,
        alignments=alignments,
        reference=reference,
        vae=pipe.vae,
    )
