"""Pictures on their canvases, with what a model makes of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

import torch

#: Calls whose views are kept.
RECENT_CALLS = 8


@dataclass(frozen=True)
class EncodedViews:
    """V encoded views: pictures on their canvases, as the model sees them."""

    pixels: torch.Tensor  # (V, C, H, W) in [0, 1]
    latents: torch.Tensor  # (V, ...), image latents
    decoded: torch.Tensor | None = None  # (V, C, H, W), what these decode to, if it is known

    def of(self, pictures: Sequence[int], device: torch.device) -> EncodedViews:
        """Return the views of some pictures, the latents on a device."""
        index = list(pictures)
        decoded = None if self.decoded is None else self.decoded[index].to(device)
        return EncodedViews(self.pixels[index], self.latents[index].to(device), decoded)


@dataclass(frozen=True)
class RecentViews:
    """The views that the last calls encoded, by what they show."""

    kept: dict[Hashable, EncodedViews] = field(default_factory=dict)

    def once(self, shown: Hashable, encode: Callable[[], EncodedViews]) -> EncodedViews:
        """Return the views of a call, encoded unless one of the last calls showed the same; nobody writes into them."""
        views = self.kept.pop(shown, None) or encode()
        self.kept[shown] = views
        while len(self.kept) > RECENT_CALLS:
            self.kept.pop(next(iter(self.kept)), None)
        return views
