"""Batches of pictures: the caller's own numbers, their pixels in [0, 1], and edited copies in the caller's form."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from PIL import Image

logger = logging.getLogger(__name__)

LARGEST_WHOLE = {torch.uint8: 255, torch.uint16: 65535}


@dataclass(frozen=True)
class ImageBatch:
    """Pictures of one size and kind.

    `values` are the caller's own numbers: integers as int32, floating point in its own dtype and range.
    """

    values: torch.Tensor  # (N, C, H, W), C of 1 or 3
    dtype: torch.dtype  # of the caller's numbers: uint8, uint16 or floating point
    signed: bool = False  # floating point in [-1, 1] instead of [0, 1]
    mode: str | None = None  # Pillow mode; None for arrays and tensors
    alpha: torch.Tensor | None = None  # (N, 1, H, W) uint8, alpha of Pillow pictures
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))  # device of the caller's tensor
    white: int | None = None  # number shown as white, of integers; None: the greatest of their dtype

    @property
    def largest(self) -> int | None:
        """The caller's number for white, `None` for floating point."""
        return LARGEST_WHOLE.get(self.dtype) if self.white is None else self.white

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.values.shape[-2], self.values.shape[-1]

    def __len__(self) -> int:
        return self.values.shape[0]

    @cached_property
    def pixels(self) -> torch.Tensor:
        """`(N, C, H, W)` float32 in [0, 1]."""
        if self.largest is not None:
            return (self.values.float() / self.largest).clamp(max=1)
        values = self.values.float()
        return ((values + 1) / 2 if self.signed else values).clamp(0, 1)

    def in_colour(self) -> ImageBatch:
        """Return the pictures with three channels, as the published code processes them."""
        if self.values.shape[1] == 3:
            return self
        mode = None if self.mode is None else {"L": "RGB", "LA": "RGBA"}.get(self.mode, "RGB")
        return replace(self, values=self.values.expand(-1, 3, -1, -1), mode=mode)

    def as_given(self, edited: torch.Tensor, output_type: str) -> torch.Tensor:
        """Return edited pictures `(B, C, H, W)` in [0, 1] with the levels that `give_back` gives them."""
        largest = self.largest
        if largest is None or (self.mode is not None and output_type != "pil"):
            return edited
        return (edited.cpu() * largest).round() / largest

    def give_back(
        self, edited: torch.Tensor, mask: torch.Tensor, image_index: Sequence[int], output_type: str
    ) -> list[Image.Image] | np.ndarray | torch.Tensor:
        """Return edited pictures in the requested form; outside the mask they equal the caller's bit for bit.

        Args:
            edited: `(B, C, H, W)` float32 in [0, 1].
            mask: `(B, 1, H, W)` bool, True where `edited` replaces the original.
            image_index: index of the original, 0 to N - 1, of each of the B edits.
            output_type: "pil", "np" or "pt".
        """
        edited, mask = edited.cpu(), mask.cpu()
        index = list(image_index)
        if output_type == "pil":
            return self._pictures(edited, mask, index)
        if self.mode is not None:
            result = torch.where(mask, edited, self.pixels[index])
        else:
            result = torch.where(mask, self._in_own_range(edited), self.values[index])
            result = result.to(self.dtype)
        if output_type == "pt":
            return result.to(self.device)
        result = result.float() if result.dtype == torch.bfloat16 else result
        return np.ascontiguousarray(result.numpy().transpose(0, 2, 3, 1))

    def _in_own_range(self, edited: torch.Tensor) -> torch.Tensor:
        if self.largest is not None:
            return (edited * self.largest).round().to(self.values.dtype)
        return (edited * 2 - 1 if self.signed else edited).to(self.dtype)

    def _pictures(self, edited: torch.Tensor, mask: torch.Tensor, index: list[int]) -> list[Image.Image]:
        colour = self.values.shape[1] == 3
        if (self.dtype.is_floating_point and self.mode is None) or (colour and self.dtype == torch.uint16):
            if self.dtype == torch.uint16:
                logger.warning("Pillow has no 16-bit colour: the pictures are 8-bit. Ask for output_type 'np'.")
            merged = torch.where(mask, edited, self.pixels[index])
            merged = (merged * 255).round().to(torch.int32)
            return [_to_picture(values, "RGB" if colour else "L") for values in merged]
        merged = torch.where(mask, self._in_own_range(edited), self.values[index])
        mode = self.mode or ("RGB" if colour else "I;16" if self.dtype == torch.uint16 else "L")
        pictures = [_to_picture(values, mode.removesuffix("A")) for values in merged]
        if self.alpha is not None:
            for picture, original in zip(pictures, index):
                picture.putalpha(_to_picture(self.alpha[original], "L"))
        return pictures


def _to_picture(values: torch.Tensor, mode: str) -> Image.Image:
    """Convert `(C, H, W)` integers or floating-point numbers to a picture of `mode`."""
    array = values.numpy().transpose(1, 2, 0)
    if mode == "RGB":
        return Image.fromarray(np.ascontiguousarray(array.astype(np.uint8)))
    if mode.startswith("I;16"):
        return Image.fromarray(np.ascontiguousarray(array[..., 0].astype(np.uint16)))
    dtypes: dict[str, type[np.generic]] = {"L": np.uint8, "I": np.int32, "F": np.float32}
    return Image.fromarray(np.ascontiguousarray(array[..., 0].astype(dtypes[mode])))
