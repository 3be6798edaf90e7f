"""Motion: the pixels of a picture that a finding moves.

An organ that grows is not an opacity beside it: its border moves, with its own texture, and hides what it moves over.
Adding the difference leaves the old border inside the new outline, so the picture itself is moved. The drawing says how
far each pixel would move, and the model by what share of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from x2x_core.imaging.geometry import resize
from x2x_core.pseudomasks.extents import Extent, join_extents
from x2x_core.simulation.films.parenchyma import grain_of, metal_of
from x2x_core.simulation.films.warp import move_but_grain

_ALL = 0.99  # cover from which all is hidden; resampling leaves a little less than 1


@dataclass(frozen=True)
class Motion:
    """Shifts of the pixels of each output by the findings that move them; 0 throughout where nothing moves."""

    shift: torch.Tensor  # (B, 2, H, W): rows and columns from each pixel to the place it is read from
    change: torch.Tensor  # (B, 1, H, W) in [-1, 1]: the extent of the findings that move
    cover: torch.Tensor  # (B, 1, H, W) in [0, 1]: how much of what moves hides what is there

    @classmethod
    def of(cls, extents: Sequence[Sequence[Extent]], like: torch.Tensor) -> Motion | None:
        """Return the motion of B outputs from the extents of each, at the size of `like`; ``None`` if nothing moves."""
        moving = [[own for own in extent if own.shift is not None] for extent in extents]
        if not any(moving):
            return None
        none = torch.zeros_like(like[:1])
        still, whole = none.repeat(1, 2, 1, 1), torch.ones_like(none)
        shifts = [sum((own.shift for own in output if own.shift is not None), still) for output in moving]
        covers = [[own.cover for own in output if own.cover is not None] or [whole] for output in moving]
        return cls(
            torch.cat(shifts),
            torch.cat([join_extents(output) if output else none for output in moving]),
            torch.cat([torch.stack(own).amax(dim=0) for own in covers]),
        )

    def hides(self, number: int) -> bool:
        """Return True if what moves in an output hides what lies there: it is one body, like fluid."""
        return bool((self.cover[number] < _ALL).any())

    def at(self, size: tuple[int, int], batch: int) -> Motion:
        """Return the motion at the size of a picture, expanded to a batch."""
        height, width = size
        scale = width / self.shift.shape[-1]
        parts = (self.shift, self.change, self.cover)
        shift, change, cover = (resize(part, (height, width)).expand(batch, -1, -1, -1) for part in parts)
        return Motion(shift * scale, change, cover.clamp(0, 1))

    def without(self, keep: torch.Tensor) -> Motion:
        """Return the motion with the pixels of `keep`, `(B, 1, H, W)` bool, at rest."""
        return Motion(self.shift.masked_fill(keep, 0), self.change.masked_fill(keep, 0), self.cover)


def as_a_whole(relevance: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """Return relevance maps in which all that moves has the most of it: it is one thing, and moves as a whole.

    Args:
        relevance: `(B, 1, H, W)`.
        moved: of the same shape, bool.
    """
    most = relevance.masked_fill(~moved, 0).flatten(1).amax(dim=1)[:, None, None, None]
    return torch.where(moved, most, relevance)


def move_picture(picture: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Return a picture whose pixels are read from beside themselves; its grain stays where it is.

    Args:
        picture: `(C, H, W)`.
        shift: `(2, H, W)`, rows and columns; where both are 0 the picture stays as it is, bit for bit.
    """
    pixels = shift.cpu().float().numpy()
    return torch.stack([torch.from_numpy(_move(plane, pixels)) for plane in picture.cpu().float().numpy()]).to(picture)


def _move(plane: np.ndarray, shift: np.ndarray) -> np.ndarray:
    moving = (shift != 0).any(axis=0)
    if not moving.any():
        return plane
    metal = metal_of(plane)
    return move_but_grain(plane, shift, grain_of(plane - metal, moving), metal)
