"""Hinting: a model that was trained for it is told in its noise where the finding is to lie."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from x2x_core.guidance.place_hint import add_place_hint, depth_in, graded_cells
from x2x_core.imaging.canvases import Canvases

from .region import Region
from .state import Encoded


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
        return graded_cells(canvases.place(depth_in(inputs.guidance_mask)), canvases.cells)
    if region is None or region.drawn is None:
        return None
    return graded_cells(canvases.place(region.drawn.extents.abs()), canvases.cells)
