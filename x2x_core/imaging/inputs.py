"""Input pictures in every form that callers have.

Accepted are Pillow pictures, NumPy arrays, tensors, paths of picture or DICOM files, and lists of these. Edited
pictures are returned in the form of the input, and what is not edited is returned bit for bit:

- a Pillow picture in its own mode: "L", "RGB", "I;16", "I", "F", "LA" and "RGBA" (alpha unchanged); other modes are
  converted to "RGB", "1" to "L";
- an array or a tensor, as "np" or "pt", in its own dtype and range: 8-bit or 16-bit integers, or floating point.
  16-bit integers that need fewer bits, such as a detector's 12, are scaled by these for the edit, with a warning;
- a Pillow picture, as "np" or "pt", as float32 in [0, 1] (16-bit levels stay distinct);
- an array or a tensor as "pil": 16-bit grey as "I;16", everything else in 8 bits;
- a file like a Pillow picture: grey as "L" or "I;16", colour as "RGB" (16-bit colour like an array).

Arrays are `(H, W)`, `(H, W, C)` or `(B, H, W, C)`, tensors `(H, W)`, `(C, H, W)` or `(B, C, H, W)`, with C of 1 or 3.
Of four channels, in arrays and in tensors `(B, 4, H, W)`, the last is alpha; it is dropped with a warning. A
floating-point tensor `(B, 4, h, w)` with values outside [0, 1] is image latents, not a picture. Floating-point pictures
are in [0, 1] or [-1, 1], see `x2x_core.imaging.ranges`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from x2x_core.common.checkpoint_layout import LATENT_CHANNELS
from x2x_core.common.errors import InputError, InputNotFoundError

from .batch import LARGEST_WHOLE, ImageBatch
from .depth import DEEP_MODES, depth_note, warn_if_dark, white_level
from .files import read_image
from .ranges import is_signed

logger = logging.getLogger(__name__)

OUTPUT_TYPES = ("pil", "np", "pt", "latent")
_CHANNELS = (1, 3, 4)  # grey, colour, colour with alpha


def read_images(image: Any) -> ImageBatch:
    """Read a caller's `image` argument.

    Args:
        image: a picture, array, tensor or path, or a list of them, of one size and kind; see the module docstring.

    Raises:
        InputError: unsupported type, shape or range, or images that differ in size or kind.
        InputNotFoundError: no file at a path.
    """
    single = not isinstance(image, list | tuple)
    if not single and not image:
        raise InputError("`image` must hold at least one picture, got an empty list.")
    batches = [_read_one(picture) for picture in ([image] if single else image)]
    batch = batches[0] if single else _join(batches)
    if batch.dtype.is_floating_point:
        batch = replace(batch, signed=is_signed([*batch.values]))
    return batch


def is_image_latents(image: Any, latent_channels: int = LATENT_CHANNELS) -> bool:
    """Return True if `image` is the VAE's encoding `(B, latent_channels, h, w)` of an image, as diffusers accepts it.

    Four channels are a picture with alpha if they are integers or all values lie in [0, 1]; one or three are always a
    picture.
    """
    if latent_channels in (1, 3) or not isinstance(image, torch.Tensor):
        return False
    if image.ndim != 4 or image.shape[1] != latent_channels:
        return False
    latents = image.is_floating_point() and not (latent_channels == 4 and _in_unit_range(image))
    reading = "image latents" if latents else "pictures with alpha"
    logger.info("`image` of shape %s and dtype %s is read as %s.", tuple(image.shape), image.dtype, reading)
    return latents


def _in_unit_range(values: torch.Tensor) -> bool:
    return values.numel() > 0 and float(values.min()) >= 0 and float(values.max()) <= 1


def _read_one(image: Any) -> ImageBatch:
    if isinstance(image, Image.Image):
        return _read_picture(image)
    if isinstance(image, np.ndarray):
        return _read_array(image)
    if isinstance(image, torch.Tensor):
        return _read_tensor(image)
    if isinstance(image, str | Path):
        return _read_file(image)
    raise InputError(
        "`image` must be a Pillow picture, an array, a tensor, the path of a file or a list of them, got "
        f"{type(image).__name__}."
    )


def _join(batches: Sequence[ImageBatch]) -> ImageBatch:
    kinds = {(batch.mode, batch.dtype, batch.values.shape[1], batch.size) for batch in batches}
    if len(kinds) > 1:
        described = sorted({_describe(batch) for batch in batches})
        raise InputError(
            f"`image` must hold pictures of one size and kind, got {', '.join(described)}: edit them one by one, or "
            "convert them."
        )
    alphas = [batch.alpha for batch in batches if batch.alpha is not None]
    alpha = torch.cat(alphas) if alphas else None
    levels = [batch.white for batch in batches if batch.white is not None]
    white = max(levels) if levels else None  # pictures of one detector: one of them may not use its highest bit
    return replace(batches[0], values=torch.cat([batch.values for batch in batches]), alpha=alpha, white=white)


def _describe(batch: ImageBatch) -> str:
    return f"{batch.mode or batch.dtype} {batch.size[0]}x{batch.size[1]}x{batch.values.shape[1]}"


# -- files and Pillow pictures ----------------------------------------------------------------------------------------


def _read_file(path: str | Path) -> ImageBatch:
    try:
        exists = Path(path).exists()
    except (OSError, ValueError):  # longer than a path can be, or with a NUL character
        exists = False
    if not exists:
        hint = (
            " If it is the prompt, call pipe(image, prompt), image first, or name the arguments."
            if isinstance(path, str)
            else ""
        )
        raise InputNotFoundError(
            "`image` must be a Pillow picture, an array, a tensor or the path of a file, but there is no file "
            f"{str(path)!r}.{hint}"
        )
    radiograph = read_image(path)
    dtype = torch.uint8 if radiograph.bit_depth == 8 else torch.uint16
    white = radiograph.white or LARGEST_WHOLE[dtype]
    values = (radiograph.pixels * white).round().to(torch.int32)
    modes = {(8, 1): "L", (8, 3): "RGB", (16, 1): "I;16"}
    return ImageBatch(values, dtype, mode=modes.get((radiograph.bit_depth, values.shape[1])), white=radiograph.white)


def _read_picture(picture: Image.Image) -> ImageBatch:
    mode = picture.mode
    if 0 in picture.size:
        raise InputError("`image` must have at least one pixel, got an empty picture.")
    if mode in DEEP_MODES:
        return _read_deep_picture(picture)
    if mode == "F":
        return replace(_read_array(np.asarray(picture)), mode="F")
    if mode in ("LA", "RGBA"):
        values = np.asarray(picture)
        alpha = torch.from_numpy(values[None, None, ..., -1].copy())
        return replace(_integer_batch(values[..., :-1], torch.uint8), mode=mode, alpha=alpha)
    converted = picture if mode in ("L", "RGB") else picture.convert("L" if mode == "1" else "RGB")
    return replace(_integer_batch(np.asarray(converted), torch.uint8), mode=converted.mode)


def _read_deep_picture(picture: Image.Image) -> ImageBatch:
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise InputError(
            f"`image` in mode {picture.mode!r} must hold 16-bit values, 0 to 65535, got {values.min()} to "
            f"{values.max()}."
        )
    mode = "I" if picture.mode == "I" else "I;16"
    return replace(_integer_batch(values, torch.uint16), mode=mode)


# -- arrays and tensors -----------------------------------------------------------------------------------------------


def _read_array(values: np.ndarray) -> ImageBatch:
    if values.dtype in (np.uint8, np.uint16):
        return _integer_batch(values, torch.uint8 if values.dtype == np.uint8 else torch.uint16)
    if values.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(
            f"`image` as an array must be uint8, uint16 or floating point, got {values.dtype}: convert it first."
        )
    tensor = torch.from_numpy(np.array(_with_batch_and_channels(values).transpose(0, 3, 1, 2), order="C"))
    return ImageBatch(tensor, tensor.dtype)


def _integer_batch(values: np.ndarray, dtype: torch.dtype) -> ImageBatch:
    values = _with_batch_and_channels(values)
    integers = torch.from_numpy(np.array(values.transpose(0, 3, 1, 2), np.int32, order="C"))
    return ImageBatch(integers, dtype, white=_white(integers, dtype))


def _white(integers: torch.Tensor, dtype: torch.dtype) -> int | None:
    """Return the number that is white in 16-bit pictures, with a warning if they do not use all bits."""
    if dtype != torch.uint16:
        return None
    white = white_level(int(integers.max()))
    if note := depth_note(white):
        logger.warning("`image` holds 16-bit integers. %s Edited pictures keep these numbers.", note)
    warn_if_dark(integers.numpy(), "`image`")
    return white


def _with_batch_and_channels(values: np.ndarray) -> np.ndarray:
    """Return `(H, W)`, `(H, W, C)` or `(B, H, W, C)` as `(B, H, W, C)` without alpha."""
    full = values[None, ..., None] if values.ndim == 2 else values[None] if values.ndim == 3 else values
    if full.ndim != 4 or full.shape[3] not in _CHANNELS or 0 in full.shape:
        raise InputError(
            f"`image` as an array must be (H, W), (H, W, C) or (B, H, W, C) with C of 1 or 3, got {values.shape}."
        )
    if full.shape[3] == 4:
        _warn_of_alpha()
    return full[..., :3]


def _read_tensor(values: torch.Tensor) -> ImageBatch:
    full = values[None, None] if values.ndim == 2 else values[None] if values.ndim == 3 else values
    channels = _CHANNELS if values.ndim == 4 else _CHANNELS[:2]
    if full.ndim != 4 or full.shape[1] not in channels or 0 in full.shape:
        raise InputError(
            "`image` as a tensor must be (H, W), (C, H, W) or (B, C, H, W) with C of 1 or 3 (or image latents), got "
            f"{tuple(values.shape)}."
        )
    if full.shape[1] == 4:
        _warn_of_alpha()
    full = full[:, :3].detach()
    if full.dtype in LARGEST_WHOLE:
        integers = full.cpu().to(torch.int32)
        return ImageBatch(integers, full.dtype, device=values.device, white=_white(integers, full.dtype))
    if not full.is_floating_point():
        raise InputError(f"`image` as a tensor must be uint8, uint16 or floating point, got {full.dtype}.")
    return ImageBatch(full.cpu(), full.dtype, device=values.device)


def _warn_of_alpha() -> None:
    logger.warning("`image` has four channels: read as red, green, blue and alpha. The alpha channel is dropped.")
