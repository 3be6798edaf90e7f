"""From a guidance map to a binary guidance mask.

The guidance map G is thresholded at a level set by one of two rules, and the mask is cleaned up:

- `threshold`: the published rule, G >= tau.
- `adaptive`: the level is found in the map itself: the mask is the smallest region that holds 98 % of the map's energy,
  the sum of G^2 (a highest density region; Hyndman, 1996). Scaling the map does not change the mask; a concentrated map
  gives a small one, a diffuse map a large one.
- Islands: connected components that hold little of the mask's energy are removed, except the strongest in each clause's
  region and on each side that the instruction names.
- Holes are filled within the pseudomask.
- Area: the level is lowered until the finding's smallest expected area is reached, or raised until the area is at most
  the largest.

The mask never leaves the pseudomask P: it lies where P > 0, and filled holes where P >= `sites.EDGE_LEVEL`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch

from x2x_core.anatomy.areas import AreaLimits
from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.imaging.geometry import box_around

from .mask_settings import MaskSettings

ENERGY_SHARE = 0.98  # of the guidance map, that the adaptive rule's mask holds
LOWEST_LEVEL, HIGHEST_LEVEL = 0.05, 0.6  # bounds of the adaptive rule's level
LEVELS = 1000  # steps in which that level is found
ISLAND_SHARE = 0.1  # of the mask's energy, under which a part is an island
SEARCH_STEPS = 14  # halvings in the search for a level
ANY = 1e-30  # a level that any guidance above 0 passes


def find_mask(
    guidance: torch.Tensor,
    pseudomask: torch.Tensor,
    settings: MaskSettings,
    limits: Sequence[AreaLimits | None] | None = None,
    parts: Sequence[torch.Tensor | None] | None = None,
) -> torch.Tensor:
    """Return the guidance mask of each guidance map.

    Args:
        guidance: G `(B, 1, H, W)` in [0, 1].
        pseudomask: P `(B, 1, H, W)` in [0, 1].
        settings: the rule and the clean-up steps.
        limits: expected areas, one for each image; ``None``: no limits.
        parts: for each image `(N, H, W)` bool, regions that each keep their strongest component; ``None``: the whole
            image.

    Returns:
        `(B, 1, H, W)` bool on the CPU. The mask of a guidance map that is 0 everywhere is empty at any level above 0,
        whatever area is expected.
    """
    masks = []
    for number, (values, allowed) in enumerate(zip(guidance.float(), pseudomask.float())):
        own_parts = parts[number] if parts else None
        masks.append(
            _find_one(
                values[0].cpu().numpy(),
                allowed[0].cpu().numpy(),
                settings,
                limits[number] if limits else None,
                None if own_parts is None else own_parts.cpu().numpy(),
            )
        )
    return torch.from_numpy(np.stack(masks))[:, None]


def _find_one(
    guidance: np.ndarray,
    pseudomask: np.ndarray,
    settings: MaskSettings,
    limits: AreaLimits | None,
    parts: np.ndarray | None,
) -> np.ndarray:
    """Return the mask of one map, `(H, W)`; it is searched for in the box around the pseudomask."""
    found = np.zeros(guidance.shape, bool)
    level = settings.mask_threshold if settings.mask_rule == "threshold" else adaptive_level(guidance)
    box = box_around(pseudomask > 0)
    if box is None:
        return found
    guidance, pseudomask = guidance[box], pseudomask[box]
    parts = None if parts is None else parts[:, box[0], box[1]]
    allowed = pseudomask > 0
    highest = float(guidance.max(where=allowed, initial=0))

    def at(level: float) -> np.ndarray:
        mask = (guidance >= level) & allowed
        if settings.remove_islands:
            mask = without_islands(mask, guidance, parts)
        return without_holes(mask, pseudomask) if settings.close_holes else mask

    if settings.limit_area and limits is not None and highest > 0:
        found[box] = _within_limits(at, level, limits, highest, found.size)
    else:
        found[box] = at(level)
    return found


def adaptive_level(guidance: np.ndarray, share: float = ENERGY_SHARE) -> float:
    """Return the highest level above which a guidance map holds a given share of its energy.

    Args:
        guidance: G `(H, W)` in [0, 1].
        share: of the energy, in (0, 1].

    Returns:
        The level, clamped to [`LOWEST_LEVEL`, `HIGHEST_LEVEL`]: a map that stays below the lowest gives an empty mask.
    """
    steps = (guidance * LEVELS).astype(np.int64).ravel()
    energy = np.bincount(steps, np.square(guidance, dtype=np.float64).ravel(), minlength=LEVELS + 1)
    above = energy[::-1].cumsum()[::-1]  # at or above each step
    level = np.flatnonzero(above >= share * above[0])[-1] / LEVELS
    return float(np.clip(level, LOWEST_LEVEL, HIGHEST_LEVEL))


def without_islands(mask: np.ndarray, guidance: np.ndarray, parts: np.ndarray | None = None) -> np.ndarray:
    """Remove the small islands of a mask.

    Args:
        mask: `(H, W)` bool.
        guidance: G `(H, W)`.
        parts: `(N, H, W)` bool, regions that each keep their strongest component; ``None``: the whole image.

    Returns:
        `(H, W)` bool: the components with at least `ISLAND_SHARE` of the energy, and the strongest of each part.
    """
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    energy = np.square(guidance, dtype=np.float64)
    total = _per_piece(pieces, energy, count)
    kept = total >= ISLAND_SHARE * total.sum()
    for part in np.ones((1, *mask.shape), bool) if parts is None else parts:
        inside = _per_piece(pieces[part], energy[part], count)
        if inside.max() > 0:
            kept[inside.argmax()] = True
    kept[0] = False
    return kept[pieces]


def _per_piece(pieces: np.ndarray, energy: np.ndarray, count: int) -> np.ndarray:
    """Return the energy of each component `(count,)`, 0 for the background."""
    total = np.bincount(pieces.ravel(), energy.ravel(), minlength=count)
    total[0] = 0
    return total


def without_holes(mask: np.ndarray, pseudomask: np.ndarray) -> np.ndarray:
    """Fill the holes of a mask where the pseudomask is at least `EDGE_LEVEL`.

    A hole is a region outside the mask that is not connected to the image's border.

    Args:
        mask: `(H, W)` bool.
        pseudomask: P `(H, W)` in [0, 1].
    """
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, pieces = cv2.connectedComponents(outside, connectivity=4)
    holes = (pieces != pieces[0, 0])[1:-1, 1:-1] & ~mask
    return mask | (holes & (pseudomask >= EDGE_LEVEL))


def _within_limits(
    at: Callable[[float], np.ndarray], level: float, limits: AreaLimits, highest: float, pixels: int
) -> np.ndarray:
    """Return the mask at the level nearest to `level` whose area is within limits.

    If no level reaches the smallest area, every pixel with guidance above 0 is taken; if even the map's highest values
    (`highest`) exceed the largest area, they alone are. The largest area has precedence. Areas are shares of `pixels`,
    those of the image.
    """

    def area(mask: np.ndarray) -> float:
        return np.count_nonzero(mask) / pixels

    mask = at(level)
    if area(mask) < limits.lowest:
        level = _search(at, min(level, highest), ANY, lambda mask: area(mask) >= limits.lowest)
        mask = at(level)
    if area(mask) > limits.highest:
        level = _search(at, level, highest, lambda mask: area(mask) <= limits.highest)
        mask = at(level)
    return mask


def _search(at: Callable[[float], np.ndarray], start: float, end: float, fits: Callable[[np.ndarray], bool]) -> float:
    """Bisect for the level nearest to `start`, towards `end`, whose mask fits; `end` if no mask fits."""
    for _ in range(SEARCH_STEPS):
        middle = (start + end) / 2
        if fits(at(middle)):
            end = middle
        else:
            start = middle
    return end
