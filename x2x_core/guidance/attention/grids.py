"""The grids of cross-attention layers: the latents, halved some number of times (the layer's level)."""

from __future__ import annotations

from collections.abc import Collection

from x2x_core.common.errors import InputError

GRID_SHARE = 0.5  # side of the recorded grid, share of the latents' side


def grid_at(level: int, cells: tuple[int, int]) -> tuple[int, int]:
    """Return `(height, width)` of a layer's grid for latents of `cells`: halved `level` times, rounded up."""
    height, width = (-(-side // 2**level) for side in cells)
    return height, width


def watched_level(levels: Collection[int], grid_share: float = GRID_SHARE) -> int:
    """Return the level whose grid is nearest, in octaves, to a share of the latents' side; of two, the finer.

    Args:
        levels: of the layers of a U-Net.
        grid_share: side of the grid as a share of the latents' side, (0, 1].

    Raises:
        InputError: `grid_share` is out of range.
    """
    if not 0 < grid_share <= 1:
        raise InputError(f"`grid_share` must lie in (0, 1], got {grid_share:g}.")

    def ratio(level: int) -> float:
        share = 2.0**-level
        return max(share, grid_share) / min(share, grid_share)

    return min(sorted(set(levels)), key=ratio)
