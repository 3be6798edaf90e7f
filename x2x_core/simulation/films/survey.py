"""A survey of films: which of them lesions can be drawn on, and why the others are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.common.errors import InputError
from x2x_core.imaging.files import read_image

from .chest import FilmChest, UnsuitableFilmError, measure_chest
from .folder import Film

#: Longer side at which lesions are drawn, in pixels: larger films are scaled down.
LARGEST = 1024


class Unreadable(StrEnum):
    """The reason for leaving out a file that cannot be read."""

    FILE = "not a readable radiograph"


@dataclass(frozen=True)
class Survey:
    """The films that can be used, and the number of others by reason."""

    suitable: tuple[Film, ...]
    left_out: dict[str, int]

    @classmethod
    def of(cls, films: Sequence[Film], verdicts: Sequence[str | None]) -> Survey:
        """Collect the verdicts of `check_film` on films, in their order."""
        suitable = tuple(film for film, verdict in zip(films, verdicts) if verdict is None)
        return cls(suitable, dict(Counter(verdict for verdict in verdicts if verdict is not None)))


def read_chest(film: Film) -> FilmChest:
    """Read a film and measure its chest.

    Raises:
        InputError: the file cannot be read.
        UnsuitableFilmError: no lesion can be drawn on it.
    """
    pixels = read_image(film.path).pixels.mean(dim=1, keepdim=True)
    grey = pixels[0, 0].numpy().astype(np.float32)
    longer = max(grey.shape)
    if longer > LARGEST:
        share = LARGEST / longer
        grey = np.asarray(cv2.resize(grey, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.float32)
    return measure_chest(grey, LungFinder.bundled())


def check_film(film: Film) -> str | None:
    """Return the reason for leaving a film out, or ``None`` where lesions can be drawn on it."""
    try:
        read_chest(film)
    except UnsuitableFilmError as error:
        return error.reason.value
    except InputError:
        return Unreadable.FILE.value
    return None
