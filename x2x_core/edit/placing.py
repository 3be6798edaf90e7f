"""Placing: the canvas of each output, which shows the whole picture or a crop around the region of the edit."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.crop_window import window_around

from .region import Region


@dataclass(frozen=True)
class PlacingInputs:
    """Inputs of placing besides the region."""

    canvas: Canvas  # of the whole picture
    outputs: int  # B
    margin: int | None  # around the region, pixels of `canvas`; None: no crop
    guidance_mask: torch.Tensor | None = None  # the caller's, (B, 1, H, W) bool


def place_outputs(inputs: PlacingInputs, region: Region | None) -> Canvases:
    """Return the canvas of each output: with a margin, a crop around all pixels that the edit may change.

    These are the support of the output's pseudomask, or the caller's guidance mask. Without either, the picture is
    whole.
    """
    may_change = inputs.guidance_mask
    if may_change is None and region is not None:
        may_change = region.pseudomask > 0
    if inputs.margin is None or may_change is None:
        return Canvases((inputs.canvas,) * inputs.outputs)
    margin = inputs.margin / max(inputs.canvas.pixels)
    return Canvases(tuple(inputs.canvas.on(window_around(own, margin)) for own in may_change[:, 0]))
