"""Pictures prepared for edits, so that another instruction, seed or setting on the same picture costs less."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.notes import Notes

# Pixels of the pictures that are kept, each with about 40 bytes of prepared data: one film, or 30 of 512 x 512.
MOST_PIXELS = 8_000_000

logger = logging.getLogger("x2x_core")


@dataclass(frozen=True, eq=False)
class _Kept:
    pixels: torch.Tensor
    options: dict[str, bool]
    prepared: Any  # x2x_core's PreparedImage
    warnings: tuple[str, ...]


class PreparedImages:
    """The pictures that one pipeline prepared last."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    def of(self, pipe: Any, pixels: torch.Tensor, **options: bool) -> Any:
        """Return pictures `(B, C, H, W)` prepared by the pipeline; warnings about them are given each time.

        Args:
            pipe: the pipeline.
            pixels: in [0, 1].
            options: of `InstructX2XPipeline.prepare`.
        """
        kept = next((own for own in self._kept if own.options == options and torch.equal(own.pixels, pixels)), None)
        if kept is None:
            with Notes() as notes:
                prepared = pipe.prepare(pixels, **options)
            kept = _Kept(pixels, options, prepared, tuple(notes.lines))
        else:
            self._kept.remove(kept)
            for line in kept.warnings:
                logger.warning("%s", line)
        self._kept.append(kept)
        while self._kept and sum(_area(own.pixels) for own in self._kept) > MOST_PIXELS:
            self._kept.pop(0)
        return kept.prepared


def _area(pixels: torch.Tensor) -> int:
    return len(pixels) * pixels.shape[-2] * pixels.shape[-1]
