"""The caller's pictures: read to numbers that a model takes, and given back in the form they came in.

Pillow pictures, NumPy arrays and tensors come in; what is not edited goes out bit for bit as it came:

- a picture as a picture of its own mode: "L", "RGB", "I;16", "I", "F", "LA" and "RGBA" (alpha untouched); other modes
  are edited, and returned, as "RGB" or (for "1") as "L";
- an array or a tensor, as "np" or "pt", in its own dtype and range: whole numbers of 8 or 16 bits, or floating point;
- a picture, as "np" or "pt", as float32 in [0, 1] (all 65,536 levels of 16 bits are kept apart);
- an array or a tensor as "pil": 16-bit grey as "I;16", everything else in 8 bits.

Arrays are `(H, W)`, `(H, W, C)` or `(B, H, W, C)`, tensors `(H, W)`, `(C, H, W)` or `(B, C, H, W)`, with C of 1 or 3.
Floating point lies in [0, 1], or, if any value is negative, in [-1, 1].
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from x2x_core.common.errors import InputError

logger = logging.getLogger(__name__)

OUTPUT_TYPES = ("pil", "np", "pt", "latent")
LATENT_CHANNELS = 4  # a tensor of so many channels is image latents, as diffusers takes them
_WHOLE = {torch.uint8: 255, torch.uint16: 65535}
_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_ROUNDING = 1e-3  # floating point may miss its range by this much: resampling overshoots a little


@dataclass(frozen=True)
class ImageBatch:
    """Pictures of one size and kind.

    `values` are the caller's own numbers: whole numbers as int32, floating point in its own dtype and range.
    """

    values: torch.Tensor  # (N, C, H, W), C of 1 or 3
    dtype: torch.dtype  # uint8, uint16 or floating point: what the numbers were
    signed: bool = False  # floating point in [-1, 1] instead of [0, 1]
    mode: str | None = None  # Pillow's mode, for pictures
    alpha: torch.Tensor | None = None  # (N, 1, H, W) uint8, of pictures that have it
    device: torch.device = torch.device("cpu")  # where the caller's tensor was

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return tuple(self.values.shape[-2:])

    def __len__(self) -> int:
        return self.values.shape[0]

    @property
    def pixels(self) -> torch.Tensor:
        """`(N, C, H, W)` float32 in [0, 1]."""
        if self.dtype in _WHOLE:
            return self.values.float() / _WHOLE[self.dtype]
        values = self.values.float()
        return ((values + 1) / 2 if self.signed else values).clamp(0, 1)

    def in_colour(self) -> ImageBatch:
        """The same pictures with three channels, as the published code works on them."""
        if self.values.shape[1] == 3:
            return self
        mode = {"L": "RGB", "LA": "RGBA"}.get(self.mode, None if self.mode is None else "RGB")
        return replace(self, values=self.values.expand(-1, 3, -1, -1), mode=mode)

    def give_back(
        self,
        edited: torch.Tensor,
        mask: torch.Tensor,
        owners: Sequence[int],
        output_type: str,
    ) -> list[Image.Image] | np.ndarray | torch.Tensor:
        """The edited pictures in the form asked for; outside the mask the caller's own, bit for bit.

        Args:
            edited: `(B, C, H, W)` float32 in [0, 1].
            mask: `(B, 1, H, W)` bool, where `edited` is taken.
            owners: which of the N pictures each of the B edits is of.
            output_type: "pil", "np" or "pt".
        """
        edited, mask = edited.cpu(), mask.cpu()
        owners = list(owners)
        if output_type == "pil":
            return self._pictures(edited, mask, owners)
        if self.mode is not None:
            result = torch.where(mask, edited, self.pixels[owners])
        else:
            result = torch.where(mask, self._in_own_range(edited), self.values[owners])
            result = result.to(self.dtype)
        if output_type == "pt":
            return result.to(self.device)
        result = result.float() if result.dtype == torch.bfloat16 else result
        return np.ascontiguousarray(result.numpy().transpose(0, 2, 3, 1))

    def _in_own_range(self, edited: torch.Tensor) -> torch.Tensor:
        if self.dtype in _WHOLE:
            return (edited * _WHOLE[self.dtype]).round().to(self.values.dtype)
        return (edited * 2 - 1 if self.signed else edited).to(self.dtype)

    def _pictures(self, edited: torch.Tensor, mask: torch.Tensor, owners: list[int]) -> list[Image.Image]:
        colour = self.values.shape[1] == 3
        if (self.dtype.is_floating_point and self.mode is None) or (colour and self.dtype == torch.uint16):
            if self.dtype == torch.uint16:
                logger.warning("Pillow has no 16-bit colour: the pictures are 8-bit. Ask for output_type 'np'.")
            merged = torch.where(mask, edited, self.pixels[owners])
            merged = (merged * 255).round().to(torch.int32)
            return [_to_picture(one, "RGB" if colour else "L") for one in merged]
        merged = torch.where(mask, self._in_own_range(edited), self.values[owners])
        mode = self.mode or ("RGB" if colour else "I;16" if self.dtype == torch.uint16 else "L")
        pictures = [_to_picture(one, mode.removesuffix("A")) for one in merged]
        if self.alpha is not None:
            for picture, owner in zip(pictures, owners):
                picture.putalpha(_to_picture(self.alpha[owner], "L"))
        return pictures


def _to_picture(values: torch.Tensor, mode: str) -> Image.Image:
    """`(C, H, W)` whole or floating-point numbers as a picture of `mode`."""
    array = values.numpy().transpose(1, 2, 0)
    if mode == "RGB":
        return Image.fromarray(np.ascontiguousarray(array.astype(np.uint8)))
    dtype = np.uint16 if mode.startswith("I;16") else {"L": np.uint8, "I": np.int32, "F": np.float32}[mode]
    return Image.fromarray(np.ascontiguousarray(array[..., 0].astype(dtype)))


def read_images(image: Any) -> ImageBatch:
    """Read what a caller gives as `image`.

    Args:
        image: one picture, array or tensor, or a list of them, of one size and kind; see the module.

    Raises:
        InputError: another type, shape or range, or images that differ in size or kind.
    """
    if isinstance(image, (list, tuple)):
        if not image:
            raise InputError("`image` must hold at least one picture, got an empty list.")
        return _join([_read_one(one) for one in image])
    return _read_one(image)


def is_image_latents(image: Any, latent_channels: int = LATENT_CHANNELS) -> bool:
    """Whether a caller gives the VAE's encoding `(B, 4, h, w)` of the image instead of the image."""
    return isinstance(image, torch.Tensor) and image.ndim == 4 and image.shape[1] == latent_channels


def _read_one(image: Any) -> ImageBatch:
    if isinstance(image, Image.Image):
        return _read_picture(image)
    if isinstance(image, np.ndarray):
        return _read_array(image)
    if isinstance(image, torch.Tensor):
        return _read_tensor(image)
    hint = " Call it as pipe(image, prompt), image first." if isinstance(image, str) else ""
    raise InputError(
        f"`image` must be a Pillow picture, an array, a tensor or a list of them, got {type(image).__name__}.{hint}"
    )


def _join(batches: list[ImageBatch]) -> ImageBatch:
    kinds = {(one.mode, one.dtype, one.values.shape[1], one.size) for one in batches}
    if len(kinds) > 1:
        said = sorted({f"{one.mode or one.dtype} {one.size[0]}x{one.size[1]}x{one.values.shape[1]}" for one in batches})
        raise InputError(
            f"`image` must hold pictures of one size and kind, got {', '.join(said)}: edit them one by one, or bring "
            "them to one."
        )
    alpha = None if batches[0].alpha is None else torch.cat([one.alpha for one in batches])
    signed = any(one.signed for one in batches)
    return replace(batches[0], values=torch.cat([one.values for one in batches]), alpha=alpha, signed=signed)


def _read_picture(picture: Image.Image) -> ImageBatch:
    mode = picture.mode
    if 0 in picture.size:
        raise InputError("`image` must have at least one pixel, got an empty picture.")
    if mode in _DEEP_MODES:
        return _read_deep_picture(picture)
    if mode == "F":
        return replace(_read_array(np.asarray(picture)), mode="F")
    if mode in ("LA", "RGBA"):
        values = np.asarray(picture)
        alpha = torch.from_numpy(values[None, None, ..., -1].copy())
        return replace(_whole_batch(values[..., :-1], torch.uint8), mode=mode, alpha=alpha)
    kept = picture if mode in ("L", "RGB") else picture.convert("L" if mode == "1" else "RGB")
    return replace(_whole_batch(np.asarray(kept), torch.uint8), mode=kept.mode)


def _read_deep_picture(picture: Image.Image) -> ImageBatch:
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise InputError(
            f"`image` in mode {picture.mode!r} must hold 16-bit values, 0 to 65535, got {values.min()} to "
            f"{values.max()}."
        )
    mode = "I" if picture.mode == "I" else "I;16"
    return replace(_whole_batch(values, torch.uint16), mode=mode)


def _whole_batch(values: np.ndarray, dtype: torch.dtype) -> ImageBatch:
    values = _with_batch_and_channels(values)
    return ImageBatch(torch.from_numpy(np.array(values.transpose(0, 3, 1, 2), np.int32, order="C")), dtype)


def _read_array(values: np.ndarray) -> ImageBatch:
    if values.dtype in (np.uint8, np.uint16):
        return _whole_batch(values, torch.uint8 if values.dtype == np.uint8 else torch.uint16)
    if values.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(
            f"`image` as an array must be uint8, uint16 or floating point, got {values.dtype}: convert it first."
        )
    values = _with_batch_and_channels(values)
    tensor = torch.from_numpy(np.array(values.transpose(0, 3, 1, 2), order="C"))
    return ImageBatch(tensor, tensor.dtype, _check_range(tensor))


def _with_batch_and_channels(values: np.ndarray) -> np.ndarray:
    """`(B, H, W, C)` of `(H, W)`, `(H, W, C)` or that."""
    full = values[None, ..., None] if values.ndim == 2 else values[None] if values.ndim == 3 else values
    if full.ndim != 4 or full.shape[3] not in (1, 3) or 0 in full.shape:
        raise InputError(
            f"`image` as an array must be (H, W), (H, W, C) or (B, H, W, C) with C of 1 or 3, got {values.shape}."
        )
    return full


def _read_tensor(values: torch.Tensor) -> ImageBatch:
    full = values[None, None] if values.ndim == 2 else values[None] if values.ndim == 3 else values
    if full.ndim != 4 or full.shape[1] not in (1, 3) or 0 in full.shape:
        raise InputError(
            "`image` as a tensor must be (H, W), (C, H, W) or (B, C, H, W) with C of 1 or 3 (or image latents), got "
            f"{tuple(values.shape)}."
        )
    full = full.detach()
    if full.dtype in _WHOLE:
        return ImageBatch(full.cpu().to(torch.int32), full.dtype, device=values.device)
    if not full.is_floating_point():
        raise InputError(f"`image` as a tensor must be uint8, uint16 or floating point, got {full.dtype}.")
    full = full.cpu()
    return ImageBatch(full, full.dtype, _check_range(full), device=values.device)


def _check_range(values: torch.Tensor) -> bool:
    """Whether floating-point values lie in [-1, 1]; else they must lie in [0, 1]."""
    if not torch.isfinite(values).all():
        raise InputError("`image` must hold finite numbers, got NaN or infinity.")
    lowest, highest = float(values.min()), float(values.max())
    if highest > 1 + _ROUNDING or lowest < -1 - _ROUNDING:
        raise InputError(
            f"`image` in floating point must lie in [0, 1] (or [-1, 1]), got {lowest:g} to {highest:g}: divide it by "
            "its largest possible value."
        )
    return lowest < -_ROUNDING
