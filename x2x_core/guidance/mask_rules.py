"""From a guidance map to a guidance mask: where the image may change, yes or no.

A level is set on the guidance map G, by one of two rules, and the mask that it gives is tidied:

- `threshold`: the published rule, G >= tau.
- `adaptive`: the level is found in the map itself: the mask is the smallest region that holds 98 % of the map's energy,
  the sum of G^2 (a highest density region; Hyndman, 1996). A map that is weak or strong as a whole gives the same mask,
  one that is sure of a place a small one, and one that is not a large one.
- Islands: connected parts that hold little of the mask's energy (the sum of G^2) go, all but the strongest of each
  clause and each side that the instruction names.
- Holes are closed, as far as the pseudomask goes.
- Area: the level is lowered until the finding's least expected area is reached, or raised to hold it to the largest.

Nothing here lets a mask leave the pseudomask P: it lies where P > 0, and closed holes where P >= `sites.EDGE_LEVEL`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from x2x_core.anatomy.areas import AreaLimits
from x2x_core.anatomy.sites import EDGE_LEVEL

if TYPE_CHECKING:
    from x2x_core.edit.settings import EditSettings

MASK_RULES = ("threshold", "adaptive")

ENERGY_SHARE = 0.98  # of the guidance map, that the adaptive rule's mask holds
LOWEST_LEVEL, HIGHEST_LEVEL = 0.05, 0.6  # bounds of the adaptive rule's level
LEVELS = 1000  # steps in which that level is found
ISLAND_SHARE = 0.1  # of the mask's energy, under which a part is an island
SEARCH_STEPS = 14  # halvings in the search for a level
ANY = 1e-30  # a level that any guidance passes but none at all does not


def find_mask(
    guidance: torch.Tensor,
    pseudomask: torch.Tensor,
    settings: EditSettings,
    limits: Sequence[AreaLimits | None] | None = None,
    parts: Sequence[torch.Tensor | None] | None = None,
) -> torch.Tensor:
    """The guidance mask of each guidance map.

    Args:
        guidance: G `(B, 1, H, W)` in [0, 1].
        pseudomask: P `(B, 1, H, W)` in [0, 1].
        settings: `mask_rule`, `mask_threshold`, `remove_islands`, `close_holes` and `limit_area` count.
        limits: expected areas, one for each image; ``None``: none is expected.
        parts: for each image `(N, H, W)` bool, regions that each keep their strongest piece; ``None``: the whole image.

    Returns:
        `(B, 1, H, W)` bool on the CPU. A guidance map that is 0 everywhere has no place to grow a mask from: with a
        level above 0 its mask is empty, whatever area is expected.
    """
    masks = [
        _find_one(
            values[0].cpu().numpy(),
            allowed[0].cpu().numpy(),
            settings,
            limits[number] if limits else None,
            parts[number].cpu().numpy() if parts and parts[number] is not None else None,
        )
        for number, (values, allowed) in enumerate(zip(guidance.float(), pseudomask.float()))
    ]
    return torch.from_numpy(np.stack(masks))[:, None]


def _find_one(
    guidance: np.ndarray,
    pseudomask: np.ndarray,
    settings: EditSettings,
    limits: AreaLimits | None,
    parts: np.ndarray | None,
) -> np.ndarray:
    """The mask of one map, `(H, W)`."""
    allowed = pseudomask > 0
    highest = float(guidance.max(where=allowed, initial=0))
    level = settings.mask_threshold if settings.mask_rule == "threshold" else adaptive_level(guidance)

    def at(level: float) -> np.ndarray:
        mask = (guidance >= level) & allowed
        if settings.remove_islands:
            mask = without_islands(mask, guidance, parts)
        return without_holes(mask, pseudomask) if settings.close_holes else mask

    if settings.limit_area and limits is not None and highest > 0:
        return _within_limits(at, level, limits, highest)
    return at(level)


def adaptive_level(guidance: np.ndarray, share: float = ENERGY_SHARE) -> float:
    """The highest level above which a guidance map has a share of its energy.

    Args:
        guidance: G `(H, W)` in [0, 1].
        share: of the energy, in (0, 1].

    Returns:
        The level, held to [`LOWEST_LEVEL`, `HIGHEST_LEVEL`]: a map that stays under the lowest has no place to edit.
    """
    steps = (guidance * LEVELS).astype(np.int64).ravel()
    energy = np.bincount(steps, np.square(guidance, dtype=np.float64).ravel(), minlength=LEVELS + 1)
    above = energy[::-1].cumsum()[::-1]  # at or above each step
    level = np.flatnonzero(above >= share * above[0])[-1] / LEVELS
    return float(np.clip(level, LOWEST_LEVEL, HIGHEST_LEVEL))


def without_islands(mask: np.ndarray, guidance: np.ndarray, parts: np.ndarray | None = None) -> np.ndarray:
    """A mask without its small islands.

    Args:
        mask: `(H, W)` bool.
        guidance: G `(H, W)`.
        parts: `(N, H, W)` bool, regions that each keep the piece that is strongest in them; ``None``: the whole image.

    Returns:
        `(H, W)` bool: the pieces that hold at least `ISLAND_SHARE` of the energy, and the strongest of each part.
    """
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    energy = np.square(guidance, dtype=np.float64)
    total = _per_piece(pieces, energy, count)
    kept = total >= ISLAND_SHARE * total.sum()
    for part in np.ones((1, *mask.shape), bool) if parts is None else parts:
        there = _per_piece(pieces[part], energy[part], count)
        if there.max() > 0:
            kept[there.argmax()] = True
    kept[0] = False
    return kept[pieces]


def _per_piece(pieces: np.ndarray, energy: np.ndarray, count: int) -> np.ndarray:
    """The energy of each piece `(count,)`; that of the background, 0, is left out."""
    total = np.bincount(pieces.ravel(), energy.ravel(), minlength=count)
    total[0] = 0
    return total


def without_holes(mask: np.ndarray, pseudomask: np.ndarray) -> np.ndarray:
    """A mask with its holes closed where the pseudomask is at least `EDGE_LEVEL`.

    A hole is what the mask surrounds: no path leads from it to the image's border without crossing the mask.

    Args:
        mask: `(H, W)` bool.
        pseudomask: P `(H, W)` in [0, 1].
    """
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, pieces = cv2.connectedComponents(outside, connectivity=4)
    holes = (pieces != pieces[0, 0])[1:-1, 1:-1] & ~mask
    return mask | (holes & (pseudomask >= EDGE_LEVEL))


def _within_limits(at: Callable[[float], np.ndarray], level: float, limits: AreaLimits, highest: float) -> np.ndarray:
    """The mask at the level nearest to `level` whose area is within limits.

    Where no level reaches the least area, all that the map has is taken; where even the map's highest values
    (`highest`) are more than the largest area, they alone are. The largest area has the last word.
    """
    mask = at(level)
    if mask.mean() < limits.lowest:
        level = _search(at, min(level, highest), ANY, lambda found: found.mean() >= limits.lowest)
        mask = at(level)
    if mask.mean() > limits.highest:
        level = _search(at, level, highest, lambda found: found.mean() <= limits.highest)
        mask = at(level)
    return mask


def _search(at: Callable[[float], np.ndarray], start: float, end: float, fits: Callable[[np.ndarray], bool]) -> float:
    """The level nearest to `start`, on the way to `end`, whose mask fits; `end` where none does."""
    for _ in range(SEARCH_STEPS):
        middle = (start + end) / 2
        if fits(at(middle)):
            end = middle
        else:
            start = middle
    return end
