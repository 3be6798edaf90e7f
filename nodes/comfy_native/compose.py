"""Merge a decoded edit into the original picture."""

from __future__ import annotations

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
from x2x_core.edit.drawn import Drawn
from x2x_core.edit.drawn_change import compose_drawn
from x2x_core.edit.drift import drift_of
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.soft import soft_edges

from .frames import Frame, crop_frame, whole_frame
from .inputs import bool_mask, kept, to_batch

COLOURS = 3


@dataclass(frozen=True, eq=False)
class Decoded:
    """Results of VAE Decode, and the size of the picture that was given to VAE Encode."""

    edited: torch.Tensor  # IMAGE
    unchanged: torch.Tensor | None = None  # IMAGE of the same size; None: the edit replaces the original
    encoded: tuple[int, int] | None = None  # (height, width); None: that of the original, or else of `edited`
    crop: Canvases | None = None  # what the pictures show of each original; None: all of it


@dataclass(frozen=True)
class Blending:
    """Settings of merging an edit into the original."""

    soft_edge: float  # width of the soft edge inside the mask, share of the picture's longer side
    strength: float  # opacity of the edit, [0, 1]
    composition: str = "difference"  # or "saturating"; of an edit that has an unchanged picture
    remove_drift: bool = False  # subtract the change outside the mask, continued into it


def compose(
    image: torch.Tensor,
    decoded: Decoded,
    guidance_mask: torch.Tensor,
    blending: Blending,
    keep_mask: torch.Tensor | None = None,
    drawn: Drawn | None = None,
) -> torch.Tensor:
    """Merge an edit into the original inside a mask.

    Args:
        image: IMAGE `(B, H, W, C)`, the original; channels beyond three are kept.
        decoded: the edit and its reference. The edit may be cropped by VAE Encode, and smaller than the original.
        guidance_mask: MASK of any size; the image may change where it is at least 0.5.
        blending: edge, opacity, composition, and whether a drift of the colours is removed.
        keep_mask: MASK of any size; the image stays as it is where it is above 0. ``None``: nothing is kept.
        drawn: extents of the originals' size, whose detail a difference to an unchanged picture is given, and what
            moves with it; ``None``: none.

    Returns:
        IMAGE `(B, H, W, C)`, identical to the original outside the mask, outside the crop and where VAE Encode cropped
        it.

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
    frame = _frame(edited, original, decoded)
    region, mask = _masks(frame, guidance_mask, keep_mask, count)
    encoded = frame.place(torch.ones_like(edited[:, :1]), "constant")
    soft_mask = soft_edges(mask, blending.soft_edge * max(frame.original)) * encoded
    unchanged = None if decoded.unchanged is None else _unchanged(decoded.unchanged, edited)
    if blending.remove_drift:
        before = match_channels(frame.take(original), COLOURS) if unchanged is None else unchanged
        edited = edited - _drift(edited - before, frame.take(region.float()) > 0)
    if unchanged is None:
        picture = match_channels(frame.place(edited), original.shape[1], is_grey(original))
        result = compose_decoded(original, picture, soft_mask, blending.strength)
    else:
        change = match_channels(frame.place(edited - unchanged), original.shape[1], is_grey(original))
        strength, shares = blending.strength, frame.shares
        if drawn is None:
            result = compose_change(blending.composition, original, change, soft_mask, strength, shares)
        else:
            cells = max(edited.shape[-2:]) // CELL_PIXELS
            result = compose_drawn(blending.composition, original, change, soft_mask, drawn, cells, strength, shares)
    result = torch.where(soft_mask > 0, result, original)
    return torch.cat([result, rest], dim=1).movedim(1, -1)


def _frame(edited: torch.Tensor, original: torch.Tensor, decoded: Decoded) -> Frame:
    """Return where the decoded pictures lie in their originals, both `(B, C, H, W)`.

    Raises:
        InputError: sizes that do not belong together.
    """
    if decoded.crop is None:
        return whole_frame(edited, original, decoded.encoded)
    if decoded.encoded is not None:
        raise InputError("`encoded` must be left out with `crop`, which says what was encoded. Disconnect one of them.")
    return crop_frame(edited, original, decoded.crop)


def _masks(
    frame: Frame, guidance_mask: torch.Tensor, keep_mask: torch.Tensor | None, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the region of the edit, and what of it may change, both `(B, 1, H, W)` bool."""
    region = frame.whole(to_batch(bool_mask(guidance_mask), count, "guidance_mask"))
    region = F.interpolate(region, frame.original, mode="nearest-exact") >= 0.5
    if keep_mask is None:
        return region, region
    keep = frame.whole(to_batch(kept(keep_mask), count, "keep_mask"))
    # the largest value of what each pixel covers: no pixel to be kept is lost
    return region, region & ~(F.adaptive_max_pool2d(keep, frame.original) > 0)


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
