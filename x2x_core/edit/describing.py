"""Describing: what the edit changed and where, read off the pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.change import Change, describe_change

from .composing import Composed
from .region import Region


def describe(composed: Composed, region: Region | None, chests: Sequence[bool]) -> list[Change] | None:
    """Return the change of each of B outputs; ``None`` for latents.

    Args:
        composed: originals and results.
        region: with the fit to the patients' lungs.
        chests: B: True for pictures that are taken for chest radiographs.
    """
    if composed.pixels is None:
        return None
    before, after = composed.pixels
    fits: list[Alignment | None] = (region.alignments if region is not None else None) or [None]
    copies = len(before) // len(fits)
    return [
        _describe(old, new, fits[number // copies], chest)
        for number, (old, new, chest) in enumerate(zip(before, after, chests, strict=True))
    ]


def _describe(before: torch.Tensor, after: torch.Tensor, fit: Alignment | None, chest: bool) -> Change:
    if fit is None:
        return describe_change(before, after, chest=chest)
    return describe_change(before, after, fit.frame, fitted=fit.fitted, chest=chest)
