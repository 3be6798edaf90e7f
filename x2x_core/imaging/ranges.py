"""Range of floating-point pictures: [0, 1], [0, 1] with overshoot from resampling, or [-1, 1].

Bicubic and Lanczos filters overshoot at edges, so a picture in [0, 1] may hold some values a little outside it, and a
single negative value says nothing about the range. Each picture is judged by itself, from three measures:

- the spread: its smallest and largest value;
- the excess: by how much its values lie outside a range on average. Overshoot is confined to edges, so its excess is
  small (below 0.001 for a resampled radiograph, 0.018 for black and white noise enlarged by Lanczos);
- the dark share: the share of its values below -0.1. In [-1, 1] these are all grey levels below 0.45; overshoot brings
  at most 6 % of black and white noise there.

A picture is in [0, 1] if its values lie in [-0.5, 1.5] with an excess of at most 0.02. It is in [-1, 1] if its smallest
value is below -0.5, where no overshoot reaches, its dark share is at least 10 %, its values lie in [-1.5, 1.5] with an
excess of at most 0.02, and its excess below 0 is at least three times that above 1, as strong overshoot has both.
Anything else is refused, such as a picture whose contrast was stretched to [-0.3, 1].
Pictures of one call must have one range; one that could be either, such as a bright one in [-1, 1], is accepted only
beside pictures in [-1, 1].
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import Enum, auto

import torch

from x2x_core.common.errors import InputError

logger = logging.getLogger(__name__)

SILENT = 1e-3  # overshoot up to this much, as rounding in half precision gives, is clipped without a warning
OVERSHOOT = 0.5  # largest overshoot of a single value
EXCESS = 0.02  # largest mean overshoot
DARK, DARK_SHARE = -0.1, 0.1  # in [-1, 1], at least this share of the values lies below DARK

ONE_SIDED = 3  # in [-1, 1], the mean excess below 0 is at least this many times that above 1


class _Range(Enum):
    """Range that one picture can be in."""

    UNIT = auto()  # [0, 1]
    SIGNED = auto()  # [-1, 1]
    UNCLEAR = auto()  # could be in [-1, 1], but not unmistakably
    NEITHER = auto()


def is_signed(pictures: Sequence[torch.Tensor]) -> bool:
    """Return True if floating-point pictures are in [-1, 1], False if they are in [0, 1].

    A warning reports values outside the range, which are clipped.

    Args:
        pictures: tensors of any shape, one for each picture.

    Raises:
        InputError: values that are NaN or infinite, pictures in neither range or in different ones.
    """
    pictures = [picture.detach().double() for picture in pictures]
    if not all(bool(torch.isfinite(picture).all()) for picture in pictures):
        raise InputError("`image` must hold finite numbers, got NaN or infinity.")
    lowest = min(float(picture.min()) for picture in pictures)
    highest = max(float(picture.max()) for picture in pictures)
    ranges = {_range_of(picture) for picture in pictures}
    if _Range.NEITHER in ranges or ranges == {_Range.UNCLEAR}:
        remedy = "divide it by its largest possible value" if highest > 1 + OVERSHOOT else "scale it to [0, 1]"
        raise InputError(
            f"`image` in floating point must lie in [0, 1] (or, unmistakably, in [-1, 1]), got {lowest:g} to "
            f"{highest:g}: {remedy}."
        )
    if _Range.UNIT in ranges and len(ranges) > 1:
        raise InputError(
            "`image` must hold pictures of one range, got some in [0, 1] and some in [-1, 1]: scale all to [0, 1]."
        )
    signed = _Range.SIGNED in ranges
    bottom = -1 if signed else 0
    if lowest < bottom - SILENT or highest > 1 + SILENT:
        logger.warning(
            "The image's values lie between %.4g and %.4g: read as [%d, 1], and clipped to it.", lowest, highest, bottom
        )
    return signed


def _range_of(picture: torch.Tensor) -> _Range:
    lowest, highest = float(picture.min()), float(picture.max())
    above = float((picture - 1).clamp(min=0).mean())
    if highest > 1 + OVERSHOOT or above > EXCESS:
        return _Range.NEITHER
    if lowest >= -OVERSHOOT and above + _excess_below(picture, 0) <= EXCESS:
        return _Range.UNIT
    if lowest < -1 - OVERSHOOT or above + _excess_below(picture, -1) > EXCESS:
        return _Range.NEITHER
    dark = float((picture < DARK).double().mean())
    is_one_sided = _excess_below(picture, 0) >= ONE_SIDED * above
    reaches = lowest < -OVERSHOOT
    return _Range.SIGNED if reaches and dark >= DARK_SHARE and is_one_sided else _Range.UNCLEAR


def _excess_below(picture: torch.Tensor, bottom: float) -> float:
    return float((bottom - picture).clamp(min=0).mean())
