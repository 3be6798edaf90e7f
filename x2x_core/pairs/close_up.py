"""Close-ups: square windows around the change of a pair, for models that edit crops as well as whole images."""

from __future__ import annotations

import torch

from x2x_core.common.randomness import uniform

#: Sides of a close-up, shares of the image's side.
SIDES = (0.4, 0.9)
#: Least grey difference that counts as a change.
LEAST_CHANGE = 0.02


def close_up(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return a random square window that holds the whole change of a pair.

    Args:
        pair: `(2, S, S)` in [0, 1], past and current.
        generator: draws side and place.

    Returns:
        `(2, s, s)`, a view of `pair`, with s between `SIDES` of S; `pair` itself where nothing changes or the change is
        larger than the largest window.
    """
    size = pair.shape[-1]
    changed = (pair[1] - pair[0]).abs() > LEAST_CHANGE
    rows, columns = (changed.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    smallest, largest = (round(share * size) for share in SIDES)
    share = uniform(0, 1, generator)
    places = [uniform(0, 1, generator) for _ in range(2)]
    if not len(rows):
        return pair
    spans = [(int(line[0]), int(line[-1]) + 1) for line in (rows, columns)]
    least = max(smallest, *(end - start for start, end in spans))
    if least > largest:
        return pair
    side = least + round(share * (largest - least))
    top, left = (_offset(span, side, size, place) for span, place in zip(spans, places))
    return pair[:, top : top + side, left : left + side]


def _offset(span: tuple[int, int], side: int, size: int, place: float) -> int:
    """Return the start of a window in `[0, size - side]` that holds the span; `place` in [0, 1) chooses among them."""
    first, last = max(0, span[1] - side), min(span[0], size - side)
    return first + round(place * (last - first))
