"""Simulated radiographs with their lung masks, as training images of the lung finder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.pairs.layout import read_rows


@dataclass(frozen=True)
class LungImage:
    """Files of a simulated radiograph and its masks; both masks have the right lung in red and the left in green."""

    image: Path
    fields: Path  # lung fields: what the heart and the diaphragm do not cover
    lungs: Path  # whole lungs

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the image `(h, w)` float32 in [0, 1] and its `OUTPUTS` `(h, w, 4)` uint8 in 0..255.

        Raises:
            InputError: a file is not an image.
        """
        image = _decoded(self.image, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        masks = [_decoded(path, cv2.IMREAD_COLOR)[..., 2:0:-1] for path in (self.fields, self.lungs)]
        return image, np.concatenate(masks, axis=2)


def _decoded(path: Path, mode: int) -> np.ndarray:
    picture = cv2.imread(str(path), mode)
    if picture is None:
        raise InputError(f"`{path}` is not an image that can be read.")
    return np.asarray(picture)


def read_lung_images(folder: str | Path, split: str) -> list[LungImage]:
    """Return the images of one split of a simulated dataset, before and after, with their masks.

    Raises:
        InputNotFoundError: there is no dataset, or it has no `masks/` or `fields/`.
        InputError: see `read_rows`.
    """
    folder = Path(folder)
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
