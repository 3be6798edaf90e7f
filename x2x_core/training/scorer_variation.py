"""Random variation of a simulated pair for training scorers: views as edited images have them.

A model's edit is rarely as crisp as the truth: it is softer, a little weaker or stronger, and comes with faint stains.
So a view is often one image of a pair plus the blurred change to the other, and it counts as the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.common.randomness import uniform
from x2x_core.imaging.blur import blur

_EDITED = 0.6  # chance that a view is one image plus a softened change
_SOFTEST = 2.5  # spread of the blur of the change, pixels of the view
_STAINED = 0.3  # chance of faint smooth stains all over
_STAIN = 0.03  # largest spread of the stains, grey levels of [0, 1]


def edited_view(start: torch.Tensor, end: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A view that counts as `end`: `end` itself, or `start` with the change to `end` softened.

    Args:
        start, end: `(1, h, w)` in [0, 1], the images of a pair.
        generator: the same state gives the same view.
    """
    view = end
    if uniform(0, 1, generator) < _EDITED:
        change = blur(end - start, uniform(0, _SOFTEST, generator)) * uniform(0.85, 1.15, generator)
        view = start + change
    if uniform(0, 1, generator) < _STAINED:
        cells = int(torch.randint(3, 12, (), generator=generator))
        stains = torch.randn(1, 1, cells, cells, generator=generator) * uniform(0, _STAIN, generator)
        view = view + F.interpolate(stains, size=view.shape[-2:], mode="bicubic", align_corners=False)[0]
    return view.clamp(0, 1)
