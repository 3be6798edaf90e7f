"""Extents: where in its region a finding to add is to lie, drawn on the patient's own lungs for each output.

A side and a zone still leave a third of a lung open, and a model's relevance map shows the mean of all lesions there.
The simulator's drawing of one such lesion on this picture says how far it reaches: a pleural band for a pneumothorax,
what lies under a meniscus for an effusion, plates or a wedge for atelectasis. The drawing itself is not used, only
where it changes the picture. The draws have a stream of their own, like places (`x2x_core.edit.places`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from x2x_core.anatomy.alignment import Alignment
from x2x_core.anatomy.sites import soften
from x2x_core.imaging.contrast import Contrast
from x2x_core.imaging.geometry import resize
from x2x_core.language.clauses import Clause
from x2x_core.simulation.films.chest import FilmChest, UnsuitableFilmError
from x2x_core.simulation.films.extents import DARK, lesion_extent, lesion_of, measure_small
from x2x_core.simulation.films.fields import blur, grow

logger = logging.getLogger(__name__)

_REACHED = 0.12  # change, relative to the most, from which the finding reaches a pixel
_MARGIN = 0.015  # width by which the region is grown, share of the picture's longer side
_AIR, _AIR_EDGE = 0.3, 0.008  # the same for air in the pleural space
_CELL_BLUR = 0.6  # standard deviation of a model's blur, latent cells
_WINDOW = 2.0  # standard deviation of the window that the amount is fitted in, latent cells
_LEAST_POWER = 1e-3  # mean square of an extent under which the amount is taken for smaller
_KNOWN = 0.1  # blurred extent from which its detail counts in full
_EDGE = 0.02  # width of the region's soft edge, share of the picture's longer side


class ExtentDrawer:
    """Draw the extents of findings on one picture.

    Args:
        pixels: `(1, C, H, W)` in [0, 1].
        alignment: of the picture.
    """

    def __init__(self, pixels: torch.Tensor, alignment: Alignment) -> None:
        self.size = (pixels.shape[-2], pixels.shape[-1])
        self._chest: FilmChest | None = None
        grey = Contrast.of(pixels).to_model(pixels.float()).mean(dim=1, keepdim=True)
        try:
            self._chest = measure_small(grey, alignment.lungs)
        except UnsuitableFilmError as error:
            logger.warning("No extent is drawn: %s. A finding may change wherever it can be.", error)

    def draw(self, clause: Clause, generator: torch.Generator) -> torch.Tensor | None:
        """Draw how much each pixel takes part in the finding that a clause adds.

        Args:
            clause: of an instruction.
            generator: two numbers are drawn from it.

        Returns:
            `(1, 1, H, W)` in [-1, 1], below 0 where the finding is darker than the lung; ``None`` if the clause adds
            nothing with a place of its own, or the chest was not found.
        """
        lesion = lesion_of(clause, generator)
        if lesion is None or self._chest is None:
            return None
        extent = torch.from_numpy(lesion_extent(self._chest, lesion))[None, None]
        sign = -1 if clause.finding in DARK else 1
        return sign * resize(extent, self.size).clamp(0, 1)


def region_of_extent(extent: torch.Tensor, clause: Clause) -> torch.Tensor:
    """Return the pseudomask of the extent of a clause's finding, `(1, 1, H, W)` in [0, 1].

    It is all that the finding reaches and a margin, with soft edges. Air ends sharply at the visceral pleura.

    Args:
        extent: `(1, 1, H, W)` in [-1, 1].
        clause: of the finding.
    """
    extent = extent.abs()
    if clause.finding in DARK:
        return torch.from_numpy(soften((extent[0, 0] > _AIR).numpy(), _AIR_EDGE))[None, None]
    reached = (extent[0, 0] > _REACHED).numpy()
    grown = grow(reached, max(1, round(_MARGIN * max(reached.shape))))
    return torch.from_numpy(soften(grown, _EDGE))[None, None]


def join_extents(extents: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the extents of several findings as one: at each pixel that of the finding that takes most part."""
    stacked = torch.stack(list(extents))
    return stacked.gather(0, stacked.abs().argmax(dim=0, keepdim=True))[0]


def with_detail(
    change: torch.Tensor, extents: torch.Tensor, cells: int, shares: Sequence[float] | None
) -> torch.Tensor:
    """Return a model's change with the detail of the extents.

    A model knows a change to about a latent cell; the extent E knows where in the cell it lies, and how it is textured.
    With K the blur of a cell, the change is fitted as a K E by least squares around each pixel, and becomes a E: the
    amount is the model's, the detail the extent's, so that air ends at the pleura and a plate is narrow. This is joint
    upsampling by a guide (He, Sun and Tang, *Guided image filtering*, TPAMI 2013) without its constant term. Where no
    extent was drawn, the change stays.

    Args:
        change: `(B, C, H, W)`.
        extents: `(B, 1, H, W)` in [-1, 1].
        cells: latent cells along the longer side of a canvas.
        shares: for each picture, the share of its longer side that its canvas shows; ``None``: whole pictures.

    Returns:
        `(B, C, H, W)`. Where a finding is darker than the lung, nothing becomes brighter, and the other way round.
    """
    side = max(extents.shape[-2:]) / cells
    sharp = [
        torch.stack([_sharpen(plane, extent[0].float().numpy(), side * share) for plane in own.float().numpy()])
        for own, extent, share in zip(change, extents, shares or [1.0] * len(extents), strict=True)
    ]
    return torch.stack(sharp).to(change)


def _sharpen(change: np.ndarray, extent: np.ndarray, cell: float) -> torch.Tensor:
    """Return the change `(H, W)` of one channel with the detail of an extent; `cell` is the side of a latent cell."""
    blurred = blur(extent, max(_CELL_BLUR * cell, 0.3))
    if not np.abs(blurred).max() > 0:
        return torch.from_numpy(change)
    step = max(1, int(cell / 2))  # amounts are smooth: they are fitted on a coarse grid
    size = (-(-change.shape[1] // step), -(-change.shape[0] // step))
    products = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (change * blurred, blurred**2)]
    above, below = (blur(part, _WINDOW * cell / step) for part in products)
    amount = cv2.resize(above / (below + _LEAST_POWER), change.shape[::-1], interpolation=cv2.INTER_LINEAR).clip(0)
    known = (np.abs(blurred) / _KNOWN).clip(0, 1)
    return torch.from_numpy((change + known * (amount * extent - change)).astype(np.float32))
