"""A survey of films: which of them lesions can be drawn on, and why the others are left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.common.errors import InputError
from x2x_core.common.processes import distribute, processes_for
from x2x_core.common.storage import write_text
from x2x_core.imaging.files import read_image

from .chest import FilmChest, UnsuitableFilmError, measure_chest
from .folder import Film

#: Longer side at which lesions are drawn, in pixels: larger films are scaled down.
LARGEST = 1024
#: The verdicts in a folder of parts, and their summary beside a dataset.
SURVEY_FILE = "survey.json"

Progress = Callable[..., None]  # called with the items done, their number and a note


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

    def as_dict(self) -> dict[str, Any]:
        """Return the summary for JSON."""
        used, left_out = len(self.suitable), self.left_out
        return {"films": used + sum(left_out.values()), "suitable": used, "left_out": left_out}

    def check(self, folder: str | Path) -> None:
        """Check that a film of a folder can be used.

        Raises:
            InputError: none can.
        """
        if not self.suitable:
            reasons = ", ".join(f"{number} {reason}" for reason, number in self.left_out.items())
            raise InputError(f"`{folder}` must hold frontal chest radiographs, but none can be used: {reasons}.")


def survey_films(films: Sequence[Film], parts: Path, workers: int | None, progress: Progress | None) -> Survey:
    """Check every film, or read the verdicts of an earlier run.

    Args:
        films: what to check.
        parts: folder for the verdicts.
        workers: number of processes; ``None`` uses one per core.
        progress: called with the films checked, their number and a note.
    """
    file = parts / SURVEY_FILE
    if file.is_file():
        return Survey.of(films, json.loads(file.read_text(encoding="utf-8")))
    verdicts: list[str | None] = [None] * len(films)
    checks = distribute(_check_numbered, enumerate(films), processes_for(films, workers))
    for done, (number, verdict) in enumerate(checks, 1):
        verdicts[number] = verdict
        if progress:
            progress(done, len(films), "films checked")
    write_text(file, json.dumps(verdicts))
    return Survey.of(films, verdicts)


def _check_numbered(numbered: tuple[int, Film]) -> tuple[int, str | None]:
    number, film = numbered
    return number, check_film(film)


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
