"""Position of a decoded picture in the original: all of it, as VAE Encode crops it, or a crop around a mask."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from x2x_core.common.checkpoint_layout import CELL_PIXELS
from x2x_core.common.errors import InputError
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.geometry import resize

from .cropping import uncrop

logger = logging.getLogger(__name__)

# Cells of ComfyUI's autoencoders in pixels. Without the picture that was encoded, crops to larger ones are taken for
# scaling, which is more common.
_CELLS = (CELL_PIXELS, 16, 32)
_CELLS_ASSUMED = _CELLS[:2]


class Frame(Protocol):
    """Position of decoded pictures `(B, C, h, w)` in their originals `(B, C, H, W)`."""

    @property
    def original(self) -> tuple[int, int]:
        """Size of the originals, `(height, width)`."""
        ...

    @property
    def shares(self) -> Sequence[float] | None:
        """Share of the longer side of each original that its decoded picture shows; ``None``: all of them whole."""
        ...

    def place(self, values: torch.Tensor, mode: str = "replicate") -> torch.Tensor:
        """Return values of the decoded pictures as those of the originals; what these lack is filled by `mode`."""
        ...

    def take(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the originals as those of the decoded pictures."""
        ...

    def whole(self, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask `(B, 1, h, w)` bool as float32 of the whole original, of any size.

        A mask of the decoded picture's size is cropped like it; any other covers the whole original.
        """
        ...


@dataclass(frozen=True)
class WholeFrame:
    """Position of a decoded picture that shows all of the original, but for what VAE Encode crops."""

    decoded: tuple[int, int]  # (height, width) of the decoded picture
    encoded: tuple[int, int]  # before VAE Encode cropped it
    original: tuple[int, int]

    @property
    def shares(self) -> None:
        """``None``: the pictures are whole."""

    def place(self, values: torch.Tensor, mode: str = "replicate") -> torch.Tensor:
        """Return `(B, C, h, w)` of the decoded picture as `(B, C, H, W)` of the original."""
        values = uncrop(values, self.encoded, mode)
        return values if self.encoded == self.original else resize(values, self.original)

    def take(self, values: torch.Tensor) -> torch.Tensor:
        """Return `(B, C, H, W)` of the original as `(B, C, h, w)` of the decoded picture."""
        values = values if self.encoded == self.original else resize(values, self.encoded)
        (height, width), (rows, columns) = self.encoded, self.decoded
        top, left = (height - rows) // 2, (width - columns) // 2
        return values[..., top : top + rows, left : left + columns]

    def whole(self, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask `(B, 1, h, w)` bool as float32 of the whole original, of any size."""
        values = mask.float()
        if tuple(mask.shape[-2:]) == self.decoded:
            values = uncrop(values, self.encoded, "constant")
        return values


@dataclass(frozen=True)
class CropFrame:
    """Position of decoded pictures that show a window of each original."""

    canvases: Canvases  # B
    original: tuple[int, int]

    @property
    def shares(self) -> list[float] | None:
        """Share of the longer side of each original that its window shows."""
        return self.canvases.shares

    def place(self, values: torch.Tensor, mode: str = "constant") -> torch.Tensor:
        """Return `(B, C, h, w)` of the windows as `(B, C, H, W)` of the originals, 0 outside them."""
        return self.canvases.cut(values)

    def take(self, values: torch.Tensor) -> torch.Tensor:
        """Return `(B, C, H, W)` of the originals as `(B, C, h, w)` of the windows."""
        return self.canvases.place(values)

    def whole(self, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask `(B, 1, h, w)` bool as float32 of the whole original, of any size."""
        is_crop = tuple(mask.shape[-2:]) == self.canvases.pixels != self.original
        return self.canvases.cut(mask.float()) if is_crop else mask.float()


def crop_frame(edited: torch.Tensor, image: torch.Tensor, crop: Canvases) -> CropFrame:
    """Return the position of edits of crops.

    Args:
        edited: `(B, C, h, w)`.
        image: the originals `(B, C, H, W)`.
        crop: of one original, or of each.

    Raises:
        InputError: pictures or numbers that do not belong together.
    """
    height, width = image.shape[-2:]
    if tuple(edited.shape[-2:]) != crop.pixels:
        raise InputError(
            f"`edited` must have the size of the crop, {crop.pixels[0]}x{crop.pixels[1]} pixels (height x width), got "
            f"{edited.shape[-2]}x{edited.shape[-1]}. Choose a `size` in Crop to Mask that the model keeps."
        )
    if crop.each[0].size != (height, width):
        raise InputError(
            f"`image` must be the one given to Crop to Mask, {crop.each[0].size[0]}x{crop.each[0].size[1]} pixels "
            f"(height x width), got {height}x{width}."
        )
    if len(crop.each) not in (1, len(image)):
        raise InputError(f"`crop` must be of one image, or of each of {len(image)} images, got {len(crop.each)}.")
    return CropFrame(Canvases(crop.each * (len(image) // len(crop.each))), (height, width))


def whole_frame(edited: torch.Tensor, image: torch.Tensor, encoded: tuple[int, int] | None) -> WholeFrame:
    """Find the position of the edit in the original.

    Raises:
        InputError: sizes that do not belong together.
    """
    (height, width), (rows, columns) = image.shape[-2:], edited.shape[-2:]
    size, decoded = (height, width), (rows, columns)
    if encoded is None:
        encoded = size if _is_crop(decoded, size, _CELLS_ASSUMED) else decoded
        hint = "If the image was scaled before VAE Encode, connect the scaled image to `encoded`."
    elif _is_crop(decoded, encoded, _CELLS):
        hint = "Scale the image without stretching it before VAE Encode."
    else:
        raise InputError(
            f"`encoded` must be the image given to VAE Encode: `edited`, {rows}x{columns} pixels (height x width), is "
            f"not a crop of {encoded[0]}x{encoded[1]}."
        )
    # scaled sizes are rounded: one side may be off by a pixel
    if abs(encoded[0] * width - encoded[1] * height) > max(size):
        raise InputError(
            f"`edited` must have the aspect ratio of `image`, {height}x{width} pixels (height x width), got "
            f"{rows}x{columns}. {hint}"
        )
    if decoded != encoded:
        logger.warning(
            "VAE Encode cropped the image from %dx%d to %dx%d pixels (height x width). Its border stays unchanged.",
            *encoded, *decoded,
        )  # fmt: skip
    return WholeFrame(decoded, encoded, size)


def _is_crop(part: tuple[int, int], whole: tuple[int, int], cells: tuple[int, ...]) -> bool:
    """Return True if a picture of size `part` is one of size `whole`, cropped to cells of one of these sizes."""
    if all(0 <= full - kept < CELL_PIXELS for full, kept in zip(whole, part)):
        return True
    return any(all(full // cell * cell == kept for full, kept in zip(whole, part)) for cell in cells)
