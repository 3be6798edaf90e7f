"""Extents, motion and bodies of the findings that an edit adds or removes, as one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from x2x_core.imaging.geometry import resize
from x2x_core.pseudomasks.extents import Extent, body_pixels, join_extents, moved_pixels

from .motion import Motion


@dataclass(frozen=True)
class Drawn:
    """Extents and motion of the findings that are added or removed, at the size of the pictures.

    Args:
        extents: `(B, 1, H, W)` in grey values, [-1, 1]: by how much the findings change each pixel, 0 throughout for
            outputs where that is left open.
        motion: of those that move the picture; ``None`` if none does.
        bodies: `(B, 1, H, W)` bool, the pixels that one body takes, such as fluid; ``None`` if there is none.
    """

    extents: torch.Tensor
    motion: Motion | None = None
    bodies: torch.Tensor | None = None

    @classmethod
    def of(cls, extents: Sequence[Sequence[Extent]], like: torch.Tensor) -> Drawn:
        """Join the extents of the findings of each of B outputs, at the size of `like`, `(B, 1, H, W)`."""
        none = torch.zeros_like(like[:1])
        joined = torch.cat([join_extents(own) if own else none for own in extents])
        in_bodies = [[each for each in own if each.is_body] for own in extents]
        bodies = torch.cat([join_extents(own) if own else none for own in in_bodies])
        taken = (bodies == joined) & (joined != 0)
        return cls(joined, Motion.of(extents, like), taken if taken.any() else None)

    @property
    def known(self) -> torch.Tensor:
        """True for each output that has an extent, `(B,)` bool."""
        return self.extents.flatten(1).any(dim=1)

    @property
    def shares(self) -> torch.Tensor:
        """Share that each pixel takes in the findings, relative to the most, `(B, 1, H, W)` in [0, 1]."""
        amount = self.extents.abs()
        return amount / amount.flatten(1).amax(dim=1)[:, None, None, None].clamp_min(1e-6)

    @property
    def wholes(self) -> torch.Tensor | None:
        """The pixels that are relevant as a whole, `(B, 1, H, W)` bool: of bodies, and those that move."""
        parts = [] if self.motion is None else [moved_pixels(self.motion.shift)]
        if self.bodies is not None:
            parts.append(body_pixels(self.extents) & self.bodies)
        return torch.stack(parts).any(dim=0) if parts else None

    def at(self, size: tuple[int, int], batch: int) -> Drawn:
        """Return it at the size of a picture or map, expanded to a batch."""
        extents = self.extents if self.extents.shape[-2:] == size else resize(self.extents, size)
        bodies = None
        if self.bodies is not None:
            bodies = (resize(self.bodies.float(), size) >= 0.5).expand(batch, -1, -1, -1)
        return Drawn(extents.expand(batch, -1, -1, -1), self.motion and self.motion.at(size, batch), bodies)

    def without(self, keep: torch.Tensor) -> Drawn:
        """Return it with nothing in the pixels of `keep`, `(B, 1, H, W)` bool."""
        return Drawn(
            self.extents.masked_fill(keep, 0),
            self.motion and self.motion.without(keep),
            None if self.bodies is None else self.bodies & ~keep,
        )
