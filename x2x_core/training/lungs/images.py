"""Radiographs with their lung masks, as training images of the lung finder: simulated ones, and outlined films.

A folder of outlined films has::

    outlines.csv   split, image (file name), source (how the outline was made)
    films/         the films
    fields/        right and left lung field of each in red and green, under the film's name as .png
    masks/         whole lungs, likewise, of those films of which they are known, or estimated by another network
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.pairs.layout import read_rows

#: Table of a folder of outlined films, its columns, and the folder of the films.
OUTLINES, OUTLINE_COLUMNS, FILMS = "outlines.csv", ("split", "image", "source"), "films"


@dataclass(frozen=True)
class LungImage:
    """Files of a radiograph and its masks; both masks have the right lung in red and the left in green."""

    image: Path
    fields: Path  # lung fields: what the heart and the diaphragm do not cover
    lungs: Path | None  # whole lungs; ``None`` if unknown: a film does not show them

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the image `(h, w)` float32 in [0, 1] and its `OUTPUTS` `(h, w, 4)` uint8 in 0..255.

        Where the whole lungs are unknown, the fields stand for them.

        Raises:
            InputError: a file is not an image, or a mask has another size.
        """
        image = _decoded(self.image, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        masks = [_decoded(path, cv2.IMREAD_COLOR)[..., 2:0:-1] for path in (self.fields, self.lungs or self.fields)]
        for mask in masks:
            if mask.shape[:2] != image.shape:
                raise InputError(f"`{self.fields}` must have the size of `{self.image}`, {image.shape[::-1]}.")
        return image, np.concatenate(masks, axis=2)


def _decoded(path: Path, mode: int) -> np.ndarray:
    picture = cv2.imread(str(path), mode)
    if picture is None:
        raise InputError(f"`{path}` is not an image that can be read.")
    return np.asarray(picture)


def read_lung_images(folder: str | Path, split: str) -> list[LungImage]:
    """Return the images of one split with their masks: of outlined films, or of a simulated dataset, before and after.

    Raises:
        InputNotFoundError: there is no dataset, it has no `masks/` or `fields/`, or a film or its outline is missing.
        InputError: see `read_rows`; or the table of outlined films lacks a column.
    """
    folder = Path(folder)
    if (folder / OUTLINES).is_file():
        return _outlined_films(folder, split)
    images: list[LungImage] = []
    for row in read_rows(folder, split):
        fields = folder / "fields" / f"{row.past.stem.split('-')[0]}.png"
        lungs = folder / "masks" / row.past.name
        for mask in (fields, lungs):
            if not mask.is_file():
                raise InputNotFoundError(
                    f"`{mask}` is missing: the lung finder is trained on a simulated dataset with lung fields, which "
                    "`x2x simulate --fields` writes."
                )
        images += [LungImage(path, fields, lungs) for path in (row.past, row.current)]
    return images


def _outlined_films(folder: Path, split: str) -> list[LungImage]:
    with (folder / OUTLINES).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := [column for column in OUTLINE_COLUMNS if column not in (reader.fieldnames or ())]:
            raise InputError(f"`{folder / OUTLINES}` must have the column {missing[0]!r}, got {reader.fieldnames}.")
        names = [row["image"] for row in reader if row["split"] == split]
    images = []
    for name in names:
        fields, lungs = (folder / kind / f"{Path(name).stem}.png" for kind in ("fields", "masks"))
        for path in (folder / FILMS / name, fields):
            if not path.is_file():
                raise InputNotFoundError(f"`{path}` is missing, but `{folder / OUTLINES}` names it.")
        images.append(LungImage(folder / FILMS / name, fields, lungs if lungs.is_file() else None))
    return images
