"""Extents: by how much a finding changes each pixel, drawn for one to add, found for one to remove.

A side and a zone still leave a third of a lung open, and a model's relevance map shows the mean of all lesions there.
The simulator's drawing of one such lesion on the patient's own lungs says how far it reaches: a pleural band for a
pneumothorax, what lies under a meniscus for an effusion, plates or a wedge for atelectasis. The drawing itself is not
used, only where and by how much it changes the picture. The draws have a stream of their own, like places
(`x2x_core.pseudomasks.drawing`). A finding to remove lies where the picture shows it, which a network finds
(`x2x_core.pseudomasks.extent_finder`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.lung_masks import LungMasks
from x2x_core.anatomy.sites import soften
from x2x_core.imaging.contrast import Contrast
from x2x_core.imaging.geometry import resize
from x2x_core.language.clauses import Clause, Operation
from x2x_core.simulation.films.chest import FilmChest, UnsuitableFilmError
from x2x_core.simulation.films.extents import (
    BEYOND_LUNG,
    BODIES,
    MOVING_FINDINGS,
    lesion_extent,
    lesion_of,
    lesion_shift,
    measure_small,
    smaller_heart,
)
from x2x_core.simulation.films.fields import grow
from x2x_core.simulation.films.heart import FilmShift

from .extent_finder import ExtentFinder

logger = logging.getLogger(__name__)

_REACHED = 0.12  # change, relative to the most, from which the finding reaches a pixel
_VISIBLE = 2 / 255  # change of grey from which a body reaches a pixel
_MOVED = 0.15  # shift, relative to the greatest, from which the finding moves a pixel
_LUNG = (0.5, 0.95)  # probability of lung: from none to all of what is found there
_DENSEST = 2.0  # change of the densest findings, relative to the usual one that is found
_LEAST_SEEN = 0.012  # greatest change of grey under which a finding is not seen
_MARGIN = 0.015  # width by which the region is grown, share of the picture's longer side
_EDGE = 0.02  # width of the region's soft edge, share of the picture's longer side


@dataclass(frozen=True)
class Extent:
    """The extent of one finding on one picture."""

    change: torch.Tensor  # (1, 1, H, W) in grey values, [-1, 1]: below 0 where the finding makes the picture darker
    shift: torch.Tensor | None = None  # (1, 2, H, W): rows and columns from each pixel to where it is read from
    is_body: bool = False  # it is one body, such as free fluid, that is there as a whole or not
    cover: torch.Tensor | None = None  # (1, 1, H, W) in [0, 1]: how much of what moves hides what is there; None: all


class ExtentDrawer:
    """Draw the extents of findings on one picture.

    Args:
        pixels: `(1, C, H, W)` in [0, 1].
        alignment: of the picture.
    """

    def __init__(self, pixels: torch.Tensor, alignment: Alignment) -> None:
        self.size = (pixels.shape[-2], pixels.shape[-1])
        self._chest: FilmChest | None = None
        self._unsuitable = ""
        try:
            self._chest = measure_small(_grey(pixels), alignment.lungs)
        except UnsuitableFilmError as error:
            self._unsuitable = str(error)

    @property
    def suitable(self) -> bool:
        """True if lesions can be drawn on this picture."""
        return self._chest is not None

    def draw(self, clause: Clause, generator: torch.Generator) -> Extent | None:
        """Draw by how much the finding that a clause adds would change each pixel.

        Args:
            clause: of an instruction.
            generator: two numbers are drawn from it.

        Returns:
            The extent; ``None`` if the clause adds nothing with a place of its own, or the chest was not found.
        """
        lesion = lesion_of(clause, generator)
        if lesion is None:
            return None
        if self._chest is None:
            logger.warning(
                "No extent is drawn for %s: %s. It may change wherever it can be.", clause.finding, self._unsuitable
            )
            return None
        drawn = self._enlarge(lesion_extent(self._chest, lesion), lesion_shift(self._chest, lesion))
        return replace(drawn, is_body=lesion.finding in BODIES)

    def without(self, clause: Clause) -> Extent | None:
        """Draw what moves back when the finding that a clause removes is gone.

        Args:
            clause: of an instruction.

        Returns:
            The extent, the most that may move; ``None`` if the clause removes nothing that moves the picture, or the
            chest was not found.
        """
        if clause.operation is not Operation.REMOVE or clause.finding not in MOVING_FINDINGS or self._chest is None:
            return None
        return self._enlarge(*smaller_heart(self._chest))

    def _enlarge(self, change: np.ndarray, shift: FilmShift | None) -> Extent:
        """Return an extent at the picture's size, from a change `(h, w)` and a shift of that size."""
        enlarged = resize(torch.from_numpy(change)[None, None], self.size).clamp(-1, 1)
        if shift is None:
            return Extent(enlarged)
        places, cover = (torch.from_numpy(part).float() for part in (shift.places, shift.cover))
        moved = self.size[1] / places.shape[2] * resize(places[None], self.size)
        return Extent(enlarged, moved, cover=resize(cover[None, None], self.size).clamp(0, 1))


class ShownExtents:
    """Find the extents of the findings that one picture shows, once, for the first clause that needs them.

    Args:
        pixels: `(1, C, H, W)` in [0, 1].
        lungs: of the picture, B = 1.
        finder: finds them; ``None``: the bundled one.
    """

    def __init__(self, pixels: torch.Tensor, lungs: LungMasks, finder: ExtentFinder | None = None) -> None:
        self._pixels, self._lungs, self._finder = pixels, lungs, finder

    @cached_property
    def _found(self) -> Mapping[str, torch.Tensor]:
        return (self._finder or ExtentFinder.bundled()).find(_grey(self._pixels).clamp(0, 1))

    @cached_property
    def _in_lungs(self) -> torch.Tensor:
        """Return how surely each pixel is lung, `(1, 1, H, W)` in [0, 1]: a removal never reaches under the dome."""
        found = torch.maximum(self._lungs.right, self._lungs.left)
        return ((found - _LUNG[0]) / (_LUNG[1] - _LUNG[0])).clamp(0, 1)

    def of(self, clause: Clause, region: torch.Tensor) -> Extent | None:
        """Return by how much each pixel changes if the finding that a clause removes is gone.

        Args:
            clause: of an instruction.
            region: `(1, 1, H, W)` in [0, 1], where the clause says that the finding lies.

        Returns:
            The extent, below 0 where the finding had made the picture brighter; ``None`` if the clause removes nothing,
            or the finding is not seen there.
        """
        if clause.operation is not Operation.REMOVE or clause.finding not in self._found:
            return None
        within = region if clause.finding in BEYOND_LUNG else region * self._in_lungs
        extent = (-_DENSEST * self._found[clause.finding] * within).clamp(-1, 1)
        if float(extent.abs().max()) < _DENSEST * _LEAST_SEEN:
            logger.warning(
                "No %s was found where it is to be removed. What the model takes for it may change.", clause.finding
            )
            return None
        return Extent(extent)


def _grey(pixels: torch.Tensor) -> torch.Tensor:
    """Return a picture `(1, C, H, W)` in grey, `(1, 1, H, W)`, in the contrast in which a model sees it."""
    return Contrast.of(pixels).to_model(pixels.float()).mean(dim=1, keepdim=True)


def region_of_extent(extent: Extent) -> torch.Tensor:
    """Return the pseudomask of an extent, `(1, 1, H, W)` in [0, 1]: all that it reaches and a margin, with soft edges.

    What the finding moves belongs to it.
    """
    reached = (body_pixels if extent.is_body else reached_pixels)(extent.change)[0, 0].numpy()
    if extent.shift is not None:
        reached |= moved_pixels(extent.shift)[0, 0].numpy()
    grown = grow(reached, max(1, round(_MARGIN * max(reached.shape))))
    return torch.from_numpy(soften(grown, _EDGE))[None, None]


def reached_pixels(change: torch.Tensor) -> torch.Tensor:
    """Return the pixels that a finding changes by a considerable share of its greatest change, `(B, 1, H, W)` bool."""
    amount = change.abs()
    return amount > _REACHED * amount.flatten(1).amax(dim=1)[:, None, None, None]


def body_pixels(change: torch.Tensor) -> torch.Tensor:
    """Return the pixels that a body changes visibly, `(B, 1, H, W)` bool: its faint rim hides borders too."""
    return change.abs() > _VISIBLE


def moved_pixels(shift: torch.Tensor) -> torch.Tensor:
    """Return the pixels that a finding moves by a considerable share of its greatest shift, `(B, 1, H, W)` bool.

    Args:
        shift: `(B, 2, H, W)`.
    """
    amount = shift.norm(dim=1, keepdim=True)
    return amount > _MOVED * amount.flatten(1).amax(dim=1)[:, None, None, None]


def join_extents(extents: Sequence[Extent]) -> torch.Tensor:
    """Return the changes of several findings as one: at each pixel that of the finding that changes it most.

    Returns:
        `(1, 1, H, W)` in [-1, 1].
    """
    stacked = torch.stack([extent.change for extent in extents])
    return stacked.gather(0, stacked.abs().argmax(dim=0, keepdim=True))[0]
