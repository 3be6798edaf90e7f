"""Random views of a simulated pair that resemble edited images, for training the scorers.

A model's edit is rarely as crisp as the truth: it is softer, slightly weaker or stronger, and has faint stains. A view
is therefore often one image of a pair plus the blurred change to the other, labelled as the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.common.randomness import uniform
from x2x_core.imaging.blur import blur

_EDITED = 0.6  # probability of one image plus a softened change
_MAX_BLUR = 2.5  # standard deviation of the blur of the change, in pixels of the view
_STAINED = 0.3  # probability of faint smooth stains over the view
_MAX_STAIN = 0.03  # standard deviation of the stains, in grey levels of [0, 1]


def edited_view(start: torch.Tensor, end: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return a view labelled as `end`: `end` itself, or `start` with the change to `end` softened.

    Args:
        start: `(1, h, w)` in [0, 1], one image of a pair.
        end: the other image, same shape and range.
        generator: source of all random numbers; equal states give equal views.
    """
    view = end
    if uniform(0, 1, generator) < _EDITED:
        change = blur(end - start, uniform(0, _MAX_BLUR, generator)) * uniform(0.85, 1.15, generator)
        view = start + change
    if uniform(0, 1, generator) < _STAINED:
        cells = int(torch.randint(3, 12, (), generator=generator))
        stains = torch.randn(1, 1, cells, cells, generator=generator) * uniform(0, _MAX_STAIN, generator)
        view = view + F.interpolate(stains, size=view.shape[-2:], mode="bicubic", align_corners=False)[0]
    return view.clamp(0, 1)
