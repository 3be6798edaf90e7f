"""Composition of changes whose extents are known: the model's change with their detail, and what moves with it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .composition import compose_change
from .detail import body_share, fitted_amount, with_detail
from .drawn import Drawn
from .motion import Motion, move_picture


def compose_drawn(
    composition: str,
    original: torch.Tensor,
    change: torch.Tensor,
    soft_mask: torch.Tensor,
    drawn: Drawn,
    cells: int,
    strength: float = 1.0,
    shares: Sequence[float] | None = None,
) -> torch.Tensor:
    """Return the original with a change that has the detail of its extents, and the pixels moved that move.

    A shift is scaled by the share of its extent that the model's change shows, at most 1, and fades with the mask. What
    moves over something else is one body, and is there in full from half of that on. Of the change itself only what
    other findings add is used there.

    Args:
        composition: "difference" or "saturating", see `x2x_core.edit.composition.compose_change`.
        original: `(B, C, H, W)` in [0, 1].
        change: of the same shape, in grey values, [-1, 1].
        soft_mask: `(B, 1, H, W)` in [0, 1].
        drawn: extents and motion.
        cells: latent cells along the longer side of a canvas.
        strength: [0, 1].
        shares: for each picture, the share of its longer side that the model saw; ``None``: whole pictures.
    """
    motion = drawn.motion
    if motion is None:
        detailed = with_detail(change, drawn.extents, cells, shares, drawn.bodies)
        return compose_change(composition, original, detailed, soft_mask, strength, shares, exact=True)
    side = max(original.shape[-2:]) / cells
    moved = _moved(original, change, soft_mask, motion, [side * share for share in shares or [1.0] * len(original)])
    others = torch.where(drawn.extents == motion.change, 0, drawn.extents)
    detailed = with_detail(change, others, cells, shares, drawn.bodies)
    moves = motion.shift.flatten(1).any(dim=1)[:, None, None, None]
    rest = torch.where(moves & (others == 0), 0, detailed)
    base = torch.lerp(original, moved, strength)
    return compose_change(composition, base, rest, soft_mask, strength, shares, exact=True)


def _moved(
    original: torch.Tensor,
    change: torch.Tensor,
    soft_mask: torch.Tensor,
    motion: Motion,
    cells: Sequence[float],
) -> torch.Tensor:
    """Return the originals `(B, C, H, W)` with their pixels moved by as much of the motion as the change shows.

    `cells` are the sides of a latent cell in pixels, one for each picture.
    """
    pictures = []
    for number, (picture, cell) in enumerate(zip(original, cells, strict=True)):
        seen = change[number].mean(dim=0).float().numpy()
        amount = fitted_amount(seen, motion.change[number, 0].numpy(), cell)
        if motion.hides(number):
            moved = move_picture(picture, body_share(amount) * motion.shift[number])
            cover = motion.cover[number]
            moved = torch.where(cover < 1, torch.maximum(moved, picture), moved)  # beyond it nothing becomes darker
            pictures.append(torch.lerp(picture, moved, soft_mask[number] * cover))
        else:
            shift = min(max(amount, 0.0), 1.0) * soft_mask[number] * motion.shift[number]
            pictures.append(move_picture(picture, shift))
    return torch.stack(pictures)
