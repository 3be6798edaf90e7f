"""Merge a decoded edit into the original picture."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.checkpoint_layout import CELL_PIXELS
from x2x_core.common.errors import InputError
from x2x_core.edit.composition import (
    compose_change,
    compose_decoded,
    is_grey,
    match_channels,
)
from x2x_core.edit.drift import drift_of
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.soft import soft_edges

from .cropping import uncrop
from .inputs import bool_mask, to_batch

logger = logging.getLogger(__name__)

COLOURS = 3
# Cells of ComfyUI's autoencoders in pixels. Without the picture that was encoded, crops to larger ones are taken for
# scaling, which is more common.
_CELLS = (CELL_PIXELS, 16, 32)
_CELLS_ASSUMED = _CELLS[:2]


@dataclass(frozen=True, eq=False)
class Decoded:
    """Results of VAE Decode, and the size of the picture that was given to VAE Encode."""

    edited: torch.Tensor  # IMAGE
    unchanged: torch.Tensor | None = None  # IMAGE of the same size; None: the edit replaces the original
    encoded: tuple[int, int] | None = None  # (height, width); None: that of the original, or else of `edited`


@dataclass(frozen=True)
class Blending:
    """Settings of merging an edit into the original."""

    soft_edge: float  # width of the soft edge inside the mask, share of the picture's longer side
    strength: float  # opacity of the edit, [0, 1]
    composition: str = "difference"  # or "saturating"; of an edit that has an unchanged picture
    remove_drift: bool = False  # subtract the change outside the mask, continued into it


@dataclass(frozen=True)
class _Frame:
    """Position of a decoded picture in the original."""

    decoded: tuple[int, int]  # (height, width) of the decoded picture
    encoded: tuple[int, int]  # before VAE Encode cropped it
    original: tuple[int, int]

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

    def place_mask(self, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask `(B, 1, h, w)` bool of any size as `(B, 1, H, W)` of the original.

        A mask of the decoded picture's size is cropped like it; any other covers the whole original.
        """
        values = mask.float()
        if tuple(mask.shape[-2:]) == self.decoded:
            values = uncrop(values, self.encoded, "constant")
        return F.interpolate(values, self.original, mode="nearest-exact") > 0


def compose(image: torch.Tensor, decoded: Decoded, guidance_mask: torch.Tensor, blending: Blending) -> torch.Tensor:
    """Merge an edit into the original inside a mask.

    Args:
        image: IMAGE `(B, H, W, C)`, the original; channels beyond three are kept.
        decoded: the edit and its reference. The edit may be cropped by VAE Encode, and smaller than the original.
        guidance_mask: MASK of any size; the image may change where it is at least 0.5.
        blending: edge, opacity, composition, and whether a drift of the colours is removed.

    Returns:
        IMAGE `(B, H, W, C)`, identical to the original outside the mask and where VAE Encode cropped it.

    Raises:
        InputError: pictures that do not belong together, a saturating composition of nothing to compare with, or a
            drift to be removed of a picture that the mask covers.
    """
    if blending.composition == "saturating" and decoded.unchanged is None:
        raise InputError("`composition` 'saturating' needs `unchanged`: connect it, or choose 'difference'.")
    count = max(len(image), len(decoded.edited))
    original = to_batch(image, count, "image").movedim(-1, 1)
    original, rest = original[:, :COLOURS], original[:, COLOURS:]
    edited = _pictures(decoded.edited, count, "edited")
    frame = _frame(edited, original, decoded.encoded)
    mask = frame.place_mask(to_batch(bool_mask(guidance_mask), count, "guidance_mask"))
    encoded = frame.place(torch.ones_like(edited[:, :1]), "constant")
    soft_mask = soft_edges(mask, blending.soft_edge * max(frame.original)) * encoded
    unchanged = None if decoded.unchanged is None else _unchanged(decoded.unchanged, edited)
    if blending.remove_drift:
        before = match_channels(frame.take(original), COLOURS) if unchanged is None else unchanged
        edited = edited - _drift(edited - before, frame.take(mask.float()) > 0)
    result = _merge(original, edited, unchanged, frame, soft_mask, blending)
    result = torch.where(soft_mask > 0, result, original)
    return torch.cat([result, rest], dim=1).movedim(1, -1)


def _merge(
    original: torch.Tensor,
    edited: torch.Tensor,
    unchanged: torch.Tensor | None,
    frame: _Frame,
    soft_mask: torch.Tensor,
    blending: Blending,
) -> torch.Tensor:
    """Return the original `(B, C, H, W)` with the edit."""
    grey = is_grey(original)
    if unchanged is None:
        picture = match_channels(frame.place(edited), original.shape[1], grey)
        return compose_decoded(original, picture, soft_mask, blending.strength)
    change = match_channels(frame.place(edited - unchanged), original.shape[1], grey)
    return compose_change(blending.composition, original, change, soft_mask, blending.strength)


def _drift(change: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the drift of the colours that a change shows outside the mask.

    Raises:
        InputError: nothing is outside the mask.
    """
    covered = mask.flatten(1).all(dim=1)
    if covered.any():
        number = int(covered.nonzero()[0])
        raise InputError(
            f"`remove_drift` needs pixels outside `guidance_mask`, but the mask covers all of image {number}. Connect "
            "a smaller mask, or switch it off."
        )
    return drift_of(change, mask)


def _pictures(images: torch.Tensor, count: int, name: str) -> torch.Tensor:
    """Return an IMAGE as `(count, 3, h, w)`."""
    return to_batch(images, count, name).movedim(-1, 1)[:, :COLOURS]


def _unchanged(images: torch.Tensor, edited: torch.Tensor) -> torch.Tensor:
    """Return the reference of a difference, `(B, 3, h, w)`.

    Raises:
        InputError: it has another size than the edit.
    """
    unchanged = _pictures(images, len(edited), "unchanged")
    if unchanged.shape[-2:] != edited.shape[-2:]:
        raise InputError(
            f"`unchanged` must have the size of `edited`, {tuple(edited.shape[-2:])}, got "
            f"{tuple(unchanged.shape[-2:])}. Decode both with the same VAE from latents of the same size."
        )
    return unchanged


def _frame(edited: torch.Tensor, image: torch.Tensor, encoded: tuple[int, int] | None) -> _Frame:
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
    return _Frame(decoded, encoded, size)


def _is_crop(part: tuple[int, int], whole: tuple[int, int], cells: tuple[int, ...]) -> bool:
    """Return True if a picture of size `part` is one of size `whole`, cropped to cells of one of these sizes."""
    if all(0 <= full - kept < CELL_PIXELS for full, kept in zip(whole, part)):
        return True
    return any(all(full // cell * cell == kept for full, kept in zip(whole, part)) for cell in cells)
