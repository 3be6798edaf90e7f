"""Sizes and frames of images: padding and its exact inverse, fitting, resampling.

Images are floating-point tensors `(B, C, H, W)`; sizes are `(height, width)` in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError


@dataclass(frozen=True)
class Padding:
    """Pixels added on each edge; `crop` removes them."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __post_init__(self) -> None:
        if min(self.left, self.top, self.right, self.bottom) < 0:
            raise InputError(f"`Padding` must not be negative, got {self}.")


def pad(image: torch.Tensor, padding: Padding) -> torch.Tensor:
    """Add pixels around an image by repeating its border.

    Unlike black, a repeated border has no edge that a network could respond to.

    Args:
        image: `(B, C, H, W)`.
        padding: pixels to add on each edge.

    Returns:
        `(B, C, top + H + bottom, left + W + right)`; the inner pixels equal the image's bit for bit.

    Raises:
        InputError: image not 4-dimensional, or empty.
    """
    _check_image(image)
    if padding == Padding():
        return image
    edges = (padding.left, padding.right, padding.top, padding.bottom)
    if image.is_floating_point():
        return F.pad(image, edges, mode="replicate")
    rows = _repeated_border(image.shape[-2], padding.top, padding.bottom, image.device)
    columns = _repeated_border(image.shape[-1], padding.left, padding.right, image.device)
    return image[..., rows, :][..., columns]


def _repeated_border(length: int, before: int, after: int, device: torch.device) -> torch.Tensor:
    return torch.arange(-before, length + after, device=device).clamp(0, length - 1)


def crop(image: torch.Tensor, padding: Padding) -> torch.Tensor:
    """Remove padding: `crop(pad(x, p), p)` equals `x` bit for bit.

    Raises:
        InputError: nothing is left inside the padding.
    """
    _check_image(image)
    height, width = image.shape[-2:]
    bottom, right = height - padding.bottom, width - padding.right
    if bottom <= padding.top or right <= padding.left:
        raise InputError(f"`padding` must leave some of the {height}x{width} image, got {padding}.")
    return image[..., padding.top : bottom, padding.left : right]


def padding_to_multiple(size: tuple[int, int], multiple: int) -> Padding:
    """Return the padding, split between opposite edges, that makes both sides multiples of `multiple`."""
    if multiple < 1:
        raise InputError(f"`multiple` must be at least 1, got {multiple}.")
    height, width = check_size(size)
    return _spread(-height % multiple, -width % multiple)


def padding_to_square(size: tuple[int, int]) -> Padding:
    """Return the padding, split between opposite edges, that makes the image square."""
    height, width = check_size(size)
    side = max(height, width)
    return _spread(side - height, side - width)


def _spread(rows: int, columns: int) -> Padding:
    top, left = rows // 2, columns // 2
    return Padding(left=left, top=top, right=columns - left, bottom=rows - top)


def pad_to_multiple(image: torch.Tensor, multiple: int) -> tuple[torch.Tensor, Padding]:
    """Pad `(B, C, H, W)` so that both sides are multiples of `multiple`; undo it with `crop`."""
    _check_image(image)
    padding = padding_to_multiple(_size(image), multiple)
    return pad(image, padding), padding


def pad_to_square(image: torch.Tensor) -> tuple[torch.Tensor, Padding]:
    """Pad `(B, C, H, W)` to a square; undo it with `crop`."""
    _check_image(image)
    padding = padding_to_square(_size(image))
    return pad(image, padding), padding


def fit_size(size: tuple[int, int], resolution: int) -> tuple[int, int]:
    """Return the size with the same aspect ratio whose longer side is `resolution`; no side is below 1.

    Args:
        size: `(height, width)`.
        resolution: pixels of the longer side, at least 1.

    Raises:
        InputError: size or resolution below 1.
    """
    height, width = check_size(size)
    if resolution < 1:
        raise InputError(f"`resolution` must be at least 1, got {resolution}.")
    scale = resolution / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def fit_to(image: torch.Tensor, resolution: int) -> tuple[torch.Tensor, Padding]:
    """Scale an image into a `resolution` x `resolution` square, keeping its aspect ratio.

    Args:
        image: `(B, C, H, W)`.
        resolution: side of the square in pixels.

    Returns:
        The square `(B, C, resolution, resolution)`, padded by repeating the border, and the padding:
        `resize(crop(square, padding), (H, W))` restores the image's own frame.
    """
    _check_image(image)
    fitted = resize(image, fit_size(_size(image), resolution))
    return pad_to_square(fitted)


def resize(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resample an image: antialiased to shrink, bicubic to enlarge.

    Sides that shrink are resampled first, by an antialiased triangle filter. Bicubic interpolation is clipped to the
    image's own range, so that it does not overshoot.

    Args:
        image: `(B, C, H, W)`, floating point.
        size: `(height, width)`.

    Returns:
        `(B, C, height, width)`; the same tensor if it already has this size.

    Raises:
        InputError: not a 4-dimensional floating-point image, or a size below 1.
    """
    _check_image(image)
    size = check_size(size)
    if not image.is_floating_point():
        raise InputError(f"`image` must be floating point to be resampled, got {image.dtype}.")
    smaller = min(image.shape[-2], size[0]), min(image.shape[-1], size[1])
    return _enlarge(_shrink(image, smaller), size)


def _shrink(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    if size[1] == 1:  # PyTorch's antialiased filter repeats the first row where one column comes out
        return _shrink(image.transpose(-1, -2), size[::-1]).transpose(-1, -2) if size[0] > 1 else _mean_line(image)
    return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)


def _mean_line(image: torch.Tensor) -> torch.Tensor:
    """Reduce a picture to one pixel by way of one line."""
    line = F.interpolate(image.transpose(-1, -2), (1, image.shape[-2]), mode="bilinear", antialias=True)
    return F.interpolate(line, (1, 1), mode="bilinear", antialias=True)


def _enlarge(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    grown = F.interpolate(image, size, mode="bicubic", align_corners=False)
    lowest = image.amin(dim=(-2, -1), keepdim=True)
    highest = image.amax(dim=(-2, -1), keepdim=True)
    return torch.minimum(torch.maximum(grown, lowest), highest)


def box_around(region: np.ndarray) -> tuple[slice, slice] | None:
    """Return rows and columns of the box around a region `(H, W)` bool; ``None`` around none."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return `(height, width)` as integers.

    Raises:
        InputError: not two whole numbers of at least 1.
    """
    if len(size) != 2 or any(int(side) != side or side < 1 for side in size):
        raise InputError(f"`size` must be (height, width) of at least 1 pixel each, got {tuple(size)}.")
    return int(size[0]), int(size[1])


def _size(image: torch.Tensor) -> tuple[int, int]:
    return image.shape[-2], image.shape[-1]


def _check_image(image: torch.Tensor) -> None:
    if image.ndim != 4 or 0 in image.shape:
        raise InputError(f"`image` must be a tensor (B, C, H, W) with pixels, got shape {tuple(image.shape)}.")
