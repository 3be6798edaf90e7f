"""Extents: where in its region a finding to add is to lie, drawn on the patient's own lungs for each output.

A side and a zone still leave a third of a lung open, and a model's relevance map shows the mean of all lesions there.
The simulator's drawing of one such lesion on this picture says how far it reaches: a pleural band for a pneumothorax,
what lies under a meniscus for an effusion, plates or a wedge for atelectasis. The drawing itself is not used, only
where it changes the picture. The draws have a stream of their own, like places (`x2x_core.pseudomasks.drawing`).
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
from x2x_core.simulation.films.extents import lesion_extent, lesion_of, measure_small
from x2x_core.simulation.films.fields import grow

logger = logging.getLogger(__name__)

_REACHED = 0.12  # change, relative to the most, from which the finding reaches a pixel
_MARGIN = 0.015  # width by which the region is grown, share of the picture's longer side
_WIDEST_DISC = 12  # radius in pixels up to which a mask is grown by OpenCV's disc, whose cost is its area
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
        self._unsuitable = ""
        try:
            self._chest = measure_small(grey, alignment.lungs)
        except UnsuitableFilmError as error:
            self._unsuitable = str(error)

    def draw(self, clause: Clause, generator: torch.Generator) -> torch.Tensor | None:
        """Draw how much each pixel takes part in the finding that a clause adds.

        Args:
            clause: of an instruction.
            generator: two numbers are drawn from it.

        Returns:
            `(1, 1, H, W)` in [-1, 1], below 0 where the finding makes the picture darker; ``None`` if the clause adds
            nothing with a place of its own, or the chest was not found.
        """
        lesion = lesion_of(clause, generator)
        if lesion is None:
            return None
        if self._chest is None:
            logger.warning(
                "No extent is drawn for %s: %s. It may change wherever it can be.", clause.finding, self._unsuitable
            )
            return None
        extent = torch.from_numpy(lesion_extent(self._chest, lesion))[None, None]
        return resize(extent, self.size).clamp(-1, 1)


def region_of_extent(extent: torch.Tensor) -> torch.Tensor:
    """Return the pseudomask of an extent, `(1, 1, H, W)` in [0, 1]: all that it reaches and a margin, with soft edges.

    Args:
        extent: `(1, 1, H, W)` in [-1, 1].
    """
    reached = (extent[0, 0].abs() > _REACHED).numpy()
    radius = max(1, round(_MARGIN * max(reached.shape)))
    grown = grow(reached, radius) if radius <= _WIDEST_DISC else _grow_widely(reached, radius)
    return torch.from_numpy(soften(grown, _EDGE))[None, None]


def _grow_widely(mask: np.ndarray, radius: int) -> np.ndarray:
    """Dilate a mask `(H, W)` bool by a disc, whose radius in pixels does not change the cost."""
    if not mask.any():
        return mask
    outside = (~mask).astype(np.uint8)
    return cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius


def join_extents(extents: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the extents of several findings as one: at each pixel that of the finding that takes most part."""
    stacked = torch.stack(list(extents))
    return stacked.gather(0, stacked.abs().argmax(dim=0, keepdim=True))[0]
