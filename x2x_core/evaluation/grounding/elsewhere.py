"""The same amount of change away from a finding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from x2x_core.common.errors import InputError

MARGIN = 0.03  # distance from the finding's region, as a share of the longer side
MOST_GAIN = 4.0  # by which a change is scaled at most
TOLERANCE = 0.05  # relative difference up to which two amounts are equal
_STEPS = 24  # bisections of the factor


@dataclass(frozen=True)
class Matched:
    """An edit whose change was scaled to a wanted amount."""

    image: torch.Tensor  # (1, 1, H, W) in [0, 1]
    gain: float  # factor of the change; below 0 if it was turned into the opposite
    amount: float  # reached
    matches: bool  # within `TOLERANCE` of the wanted amount


def as_written(image: torch.Tensor) -> torch.Tensor:
    """Return an image in [0, 1] in 8 bits, as it is written and models see it."""
    return (image.clamp(0, 1) * 255).round() / 255


def amount(before: torch.Tensor, after: torch.Tensor) -> float:
    """Return the amount of a change: the mean absolute difference of the grey values in [0, 1]."""
    return float((after - before).abs().double().mean())


def pixels_elsewhere(keep: torch.Tensor, body: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw a place away from a finding, and return the free pixels in the order of their distance from it.

    Args:
        keep: `(1, 1, H, W)` bool, the finding's region with its margin; it is left out.
        body: like `keep`, where the place may lie; pixels beyond it come last.
        generator: draws the place.

    Returns:
        Flat indices of all pixels outside `keep`, int64.

    Raises:
        InputError: nothing is left beside `keep`.
    """
    free, inside = (~keep).flatten(), body.flatten()
    if not free.any():
        raise InputError("`keep` must leave a part of the image, but covers all of it.")
    candidates = (free & inside).nonzero()[:, 0]
    if not len(candidates):
        candidates = free.nonzero()[:, 0]
    height, width = keep.shape[-2:]
    centre = int(candidates[torch.randint(len(candidates), (1,), generator=generator)])
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
    distance = ((rows - centre // width) ** 2 + (columns - centre % width) ** 2).flatten()
    distance = distance + (height**2 + width**2) * ~inside
    return distance.masked_fill(~free, 2**40).argsort(stable=True)[: int(free.sum())]


def region_of(pixels: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Return flat indices of pixels as a region `(1, 1, H, W)` bool."""
    region = torch.zeros(size.numel(), dtype=torch.bool)
    region[pixels] = True
    return region.reshape(size)


def moved_change(before: torch.Tensor, after: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Make the changes of an edit elsewhere: the same differences of grey values, the largest at the drawn place.

    Both edits have the same histogram of differences, as far as there is room; the moved one is a round, smooth spot.

    Args:
        before: `(1, 1, H, W)`.
        after: the edit, like `before`.
        pixels: free pixels by their distance from the drawn place, see `pixels_elsewhere`.

    Returns:
        The image with the moved change; not clipped.
    """
    change = (after - before).flatten()
    change = change[change != 0]
    strongest = change[change.abs().argsort(descending=True, stable=True)[: len(pixels)]]
    ordered = strongest.sort(descending=bool(change.sum() >= 0)).values
    moved = before.flatten().clone()
    moved[pixels[: len(ordered)]] += ordered
    return moved.reshape(before.shape)


def match_written(before: torch.Tensor, after: torch.Tensor, wanted: float) -> Matched:
    """Match an amount either way, and judge it by the image in 8 bits, in which faint changes are lost.

    Args:
        before: `(1, 1, H, W)` in [0, 1], in 8 bits.
        after: see `match_amount`.
        wanted: see `match_amount`.
    """
    matched = match_either_way(before, after, wanted)
    image = as_written(matched.image)
    reached = amount(before, image)
    return replace(matched, image=image, amount=reached, matches=_equal(reached, wanted))


def match_either_way(before: torch.Tensor, after: torch.Tensor, wanted: float) -> Matched:
    """Scale a change, or where black or white leaves no room for it the opposite change; see `match_amount`."""
    matched = match_amount(before, after, wanted)
    if matched.matches:
        return matched
    opposite = match_amount(before, 2 * before - after, wanted)
    return replace(opposite, gain=-opposite.gain) if opposite.amount > matched.amount else matched


def match_amount(before: torch.Tensor, after: torch.Tensor, wanted: float) -> Matched:
    """Scale a change so that it has a given amount; grey values stay in [0, 1].

    Args:
        before: `(1, 1, H, W)` in [0, 1].
        after: like `before`, also beyond [0, 1].
        wanted: see `amount`.

    Returns:
        The scaled edit. The factor is at most `MOST_GAIN`: an amount that it does not reach is recorded as such.
    """
    change = after - before

    def scaled(gain: float) -> torch.Tensor:
        return (before + gain * change).clamp(0, 1)

    low, high = 0.0, MOST_GAIN
    if amount(before, scaled(high)) > wanted:
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if amount(before, scaled(middle)) < wanted else (low, middle)
    reached = amount(before, scaled(high))
    return Matched(scaled(high), high, reached, _equal(reached, wanted))


def _equal(reached: float, wanted: float) -> bool:
    return abs(reached - wanted) <= TOLERANCE * wanted
