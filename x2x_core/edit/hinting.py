"""Hinting: a model that was trained for it is told in its noise where the finding is to lie."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.guidance.place_hint import add_place_hint
from x2x_core.imaging.canvases import Canvases

from .region import Region
from .state import Encoded

_LEAST = 1e-3  # greatest extent under which there is none
_DEEP = 80  # percentile of the depths in a mask from which a pixel is as deep as any


@dataclass(frozen=True)
class HintingInputs:
    """Inputs of hinting besides the region and the encoded pictures."""

    strength: float  # of the hint, standard deviations of the noise; 0: none
    guidance_mask: torch.Tensor | None = None  # the caller's, (B, 1, H, W) bool: the place itself


def hint_place(inputs: HintingInputs, encoded: Encoded, region: Region | None) -> Encoded:
    """Return the encoded pictures with the place of each output in the noise of its edit and relevance map.

    The place is the caller's guidance mask, or the extent that is known. Outputs without either are left open. A mask
    is wider than what it holds and says nothing of its amount, so its hint rises from its border inwards.
    """
    cells = _cells(inputs, encoded.canvases, region) if inputs.strength else None
    if cells is None:
        return encoded
    cells = cells.to(encoded.noise.device)
    relevance_noise = encoded.relevance_noise
    if relevance_noise is not None:
        draws = relevance_noise.shape[1]
        hinted = add_place_hint(relevance_noise.flatten(0, 1), cells.repeat_interleave(draws, dim=0), inputs.strength)
        relevance_noise = hinted.unflatten(0, (-1, draws))
    noise = add_place_hint(encoded.noise, cells, inputs.strength)
    return replace(encoded, noise=noise, relevance_noise=relevance_noise)


def _cells(inputs: HintingInputs, canvases: Canvases, region: Region | None) -> torch.Tensor | None:
    if inputs.guidance_mask is not None:
        within = torch.stack([_from_border(own[0]) for own in inputs.guidance_mask.cpu()])[:, None]
        return F.adaptive_avg_pool2d(canvases.place(within), canvases.cells)
    if region is None or region.extents is None:
        return None
    shares = F.adaptive_avg_pool2d(canvases.place(region.extents.abs()), canvases.cells)
    return shares / shares.flatten(1).amax(dim=1)[:, None, None, None].clamp_min(_LEAST)


def _from_border(mask: torch.Tensor) -> torch.Tensor:
    """Return how deep each pixel of a mask `(H, W)` bool lies in it, in [0, 1]: 1 for the deepest fifth, 0 outside."""
    padded = np.pad(mask.numpy().astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    if not depth.any():
        return torch.zeros(mask.shape)
    return torch.from_numpy((depth / np.percentile(depth[depth > 0], _DEEP)).clip(0, 1))
