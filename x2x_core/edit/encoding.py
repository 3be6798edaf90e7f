"""Encoding: pictures and prompts are encoded, and the noise is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from diffusers.utils.torch_utils import randn_tensor

from x2x_core.imaging.batch import ImageBatch
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.contrast import Contrast

from .backbones.conditioning import PromptInputs
from .backbones.protocol import EditBackbone, EncodesWindows
from .composition import match_channels
from .decoding import decode
from .prepared import PreparedImage
from .state import Encoded, to_view
from .views import EncodedViews
from .windowing import find_windows
from .windows import Windows


@dataclass(frozen=True)
class NoiseInputs:
    """Sources of noise. The diffusion noise is drawn first, the relevance noise second.

    Both are drawn even if they are given or not needed, so that a seed has one relevance map. (An edit without
    restriction draws as the stock pipeline does.)
    """

    generator: torch.Generator | list[torch.Generator] | None
    latents: torch.Tensor | None  # the caller's diffusion noise, (1 | B, C, h, w)
    relevance_noise: torch.Tensor | None  # the caller's, (1 | B, C, h, w) or (1 | B, L * K, C, h, w)
    levels: int  # L, noise levels of the relevance map
    samples: int  # K, draws at each
    restricted: bool
    # Of the L levels, the one whose first draw is the diffusion noise itself, because denoising starts there too.
    first_level: int | None = None


@dataclass(frozen=True)
class PartInputs:
    """The caller's masks, around which alone pictures are encoded."""

    guidance_mask: torch.Tensor  # (B, 1, H, W) bool
    context: int | None  # of the windows that are denoised, pixels of the canvas; None: the whole canvas


@dataclass(frozen=True)
class EncodingInputs:
    """Inputs of encoding: N pictures (or their latents) and the prompts of P pairs, for B outputs."""

    images: ImageBatch | None
    latents: torch.Tensor | None  # image latents (N, C, h, w), unscaled, instead of `images`
    in_colour: bool  # return colour also for grey pictures, as the published code does
    image_index: list[int]  # B: the picture of each output
    prompts: PromptInputs
    noise: NoiseInputs
    device: torch.device  # that the model runs on
    own_contrast: bool = False  # stretch pictures in a narrow range of greys, see `x2x_core.imaging.contrast`
    prepared: PreparedImage | None = None  # the same pictures, encoded before
    part: PartInputs | None = None  # None: pictures are encoded as a whole


def encode(backbone: EditBackbone, inputs: EncodingInputs, canvases: Canvases) -> Encoded:
    """Encode pictures and prompts, and draw the noise.

    Args:
        backbone: the model.
        inputs: pictures, prompts and sources of noise.
        canvases: the canvas of each output.
    """
    images, index = inputs.images, inputs.image_index
    contrast = _contrast_of(inputs)
    windows = _seen_windows(backbone, inputs, canvases)
    corners = [None] * len(index) if windows is None else windows.corners
    seen = list(zip(index, canvases.each, corners, strict=True))
    views = list(dict.fromkeys(seen))  # each is encoded once
    view_index = [views.index(view) for view in seen]
    if windows is not None:
        windows = replace(windows, corners=tuple(corner for *_, corner in views if corner is not None))
    view_canvases = Canvases(tuple(canvas for _, canvas, _ in views))
    encoding = _encode_views(backbone, inputs, contrast, [picture for picture, *_ in views], view_canvases, windows)
    if images is None:
        images = ImageBatch(encoding.pixels, torch.float32)
    image_latents = encoding.latents[view_index]
    conditioning = backbone.condition(inputs.prompts, encoding.pixels[view_index], image_latents)
    dtype = conditioning.dtype  # the VAE may run in a higher precision
    noise, relevance_noise = _draw(backbone, inputs, canvases.cells, dtype)
    return Encoded(
        images=images.in_colour() if inputs.in_colour else images,
        canvases=canvases,
        image_index=index,
        view_index=view_index,
        views=encoding,
        clean=backbone.to_latents(image_latents.to(dtype)),
        conditioning=conditioning,
        noise=noise,
        relevance_noise=relevance_noise,
        contrast=contrast,
    )


def _contrast_of(inputs: EncodingInputs) -> Contrast | None:
    if inputs.images is None or not inputs.own_contrast:
        return None
    if inputs.prepared is not None and inputs.prepared.contrast is not None:
        return inputs.prepared.contrast
    return Contrast.of(inputs.images.pixels)


def _seen_windows(backbone: EditBackbone, inputs: EncodingInputs, canvases: Canvases) -> Windows | None:
    """Return the window of each output that is encoded, in latent cells; ``None``: the whole canvas, or it is known."""
    part, prepared = inputs.part, inputs.prepared
    if not isinstance(backbone, EncodesWindows) or part is None:
        return None
    if inputs.images is None or (prepared and prepared.fits(set(canvases.each), inputs.own_contrast)):
        return None
    return find_windows(backbone, part.context, canvases.cells_of(part.guidance_mask))


def _encode_views(
    backbone: EditBackbone,
    inputs: EncodingInputs,
    contrast: Contrast | None,
    pictures: list[int],
    canvases: Canvases,
    windows: Windows | None,
) -> EncodedViews:
    """Encode each of V views; one encoding serves every use.

    Args:
        backbone: the model.
        inputs: the pictures.
        contrast: of the pictures.
        pictures: V, the picture of each view.
        canvases: of the V views.
        windows: of the V views, as for `encode_pixels`.
    """
    if inputs.images is None:
        assert inputs.latents is not None
        latents = inputs.latents[pictures].to(inputs.device)
        decoded = decode(backbone, latents)
        return EncodedViews(to_view(decoded), latents, decoded)
    prepared = inputs.prepared
    if prepared is not None and prepared.fits(set(canvases.each), inputs.own_contrast):
        return prepared.views.of(pictures, inputs.device)
    own_contrast = None if contrast is None else contrast[pictures]
    pixels = inputs.images.pixels

    def encode_now() -> EncodedViews:
        return encode_pixels(backbone, pixels[pictures], own_contrast, canvases, windows)

    if prepared is None:
        return encode_now()
    shown = (tuple(pictures), canvases.each, inputs.own_contrast, windows)
    return prepared.crops.once(shown, encode_now).of(range(len(pictures)), inputs.device)


def encode_pixels(
    backbone: EditBackbone,
    pixels: torch.Tensor,
    contrast: Contrast | None,
    canvases: Canvases,
    windows: Windows | None = None,
) -> EncodedViews:
    """Encode pictures on their canvases, or windows of these.

    Args:
        backbone: the model.
        pixels: `(V, 1 | 3, H, W)` in [0, 1].
        contrast: of the pictures, which they are stretched to; ``None``: as they are.
        canvases: of the pictures.
        windows: of the canvases, in latent cells, away from which latents may be 0; ``None``: the whole canvases.
    """
    pixels = pixels if contrast is None else contrast.to_model(pixels)
    pixels = match_channels(canvases.place(pixels), backbone.geometry.image_channels)
    if windows is None or not isinstance(backbone, EncodesWindows):
        return EncodedViews(pixels, backbone.encode_image(pixels))
    return EncodedViews(pixels, backbone.encode_windows(pixels, windows))


def _draw(
    backbone: EditBackbone, inputs: EncodingInputs, cells: tuple[int, int], dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return diffusion noise `(B, C, h, w)` and relevance noise `(B, L * K, C, h, w)`, K draws for each of L levels."""
    given, device, outputs = inputs.noise, inputs.device, len(inputs.image_index)
    shape = (backbone.geometry.latent_channels, *cells)
    noise = relevance_noise = None
    if given.latents is None or given.restricted:
        noise = randn_tensor((outputs, *shape), given.generator, device, dtype)
    if given.restricted:
        draws = given.levels * given.samples
        relevance_noise = randn_tensor((outputs, draws, *shape), given.generator, device, dtype)
    if given.latents is not None:
        noise = given.latents.to(device, dtype).expand(outputs, *shape)
    if relevance_noise is not None and given.first_level is not None:
        relevance_noise[:, given.first_level * given.samples] = noise
    if given.relevance_noise is not None:
        own = given.relevance_noise.to(device, dtype)
        if own.ndim == 4:  # one draw, used at every level
            own = own[:, None].expand(-1, given.levels, -1, -1, -1)
        relevance_noise = own.expand(outputs, *own.shape[1:])
    assert noise is not None
    return noise, relevance_noise
