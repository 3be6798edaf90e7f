"""A film as `apart_lesions.py` draws on it: its lungs, the greys of soft tissue, and irregular shapes inside a lung."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, map_coordinates

from x2x_core.anatomy.lungs import INSIDE, LungFinder
from x2x_core.common.errors import InputError, InputNotFoundError

HEALTHY = "No Finding"
LEAST_CONFIDENCE = 0.7  # of the lung finder, for a film to be drawn on
ZONES = ("upper", "middle", "lower")


def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian of `sigma` pixels, mirrored at the border."""
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma)


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return a smooth step from 0 at `low` to 1 at `high`; `low` may be the greater."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Draw smooth noise of mean 0 and deviation 1, correlated over `sigma` pixels."""
    coarse = max(sigma / 4, 1)
    small = rng.standard_normal((int(shape[0] / coarse) + 2, int(shape[1] / coarse) + 2))
    field = cv2.resize(smooth(small, sigma / coarse), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / field.std()


def sample(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sample an image at places in pixels, linearly."""
    return map_coordinates(image, [rows, columns], order=1, mode="nearest")


@dataclass(frozen=True)
class Film:
    """A film `(H, W)` in [0, 1] and probabilities of its lungs, at the same size.

    Everything that follows speaks of the *near* lung, the one on the left of the picture: the patient's right, or in
    `flipped()` the left. Its lateral side has the low columns.
    """

    grey: np.ndarray
    near: np.ndarray
    far: np.ndarray
    near_whole: np.ndarray
    far_whole: np.ndarray

    def flipped(self) -> Film:
        """Return the mirrored film, in which the other lung is near."""
        return Film(
            *(np.ascontiguousarray(one[:, ::-1]) for one in (self.grey, self.far, self.near)),
            *(np.ascontiguousarray(one[:, ::-1]) for one in (self.far_whole, self.near_whole)),
        )

    @cached_property
    def unit(self) -> float:
        """Pixels in a 512th of the width, about 0.8 mm."""
        return self.grey.shape[1] / 512

    @cached_property
    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each pixel."""
        rows, columns = np.mgrid[: self.grey.shape[0], : self.grey.shape[1]].astype(np.float32)
        return rows, columns

    @cached_property
    def field(self) -> np.ndarray:
        """Near lung field as a soft support in [0, 1], a little way under the diaphragm and into the heart's border."""
        side = 2 * round(9 * self.unit) + 1
        wide = cv2.dilate((self.near > INSIDE).astype(np.uint8), np.ones((side, side), np.uint8))
        return smooth((wide > 0) & ((self.near_whole > INSIDE) | (self.near > INSIDE)), 2 * self.unit)

    @cached_property
    def tight(self) -> np.ndarray:
        """Near lung field itself, with a narrow soft edge."""
        return smooth(self.near > INSIDE, 1.5 * self.unit)

    @cached_property
    def extent(self) -> tuple[int, int]:
        """Rows of the near lung's apex and of its diaphragm."""
        area = np.cumsum((self.near > INSIDE).sum(1))
        return int(np.searchsorted(area, 1)), int(np.searchsorted(area, 0.97 * area[-1]))

    @cached_property
    def height(self) -> float:
        """Height of the near lung in pixels."""
        return float(self.extent[1] - self.extent[0])

    @cached_property
    def medial(self) -> np.ndarray:
        """Column of the near field's medial border in each row, `(H,)`; beyond the lung that of its end."""
        inside = self.near > INSIDE
        rows = np.flatnonzero(inside.any(1))
        last = inside.shape[1] - 1 - np.argmax(inside[rows, ::-1], axis=1)
        above = rows <= self.dome  # below it the border is the diaphragm's
        border = np.interp(np.arange(len(inside)), rows[above], last[above])
        return gaussian_filter1d(border, 6 * self.unit)

    @cached_property
    def dome(self) -> float:
        """Row of the diaphragm's domes: the lower one, since the heart hides a part of the left one."""
        bottoms = [one.bottom[one.bottom > 0] for one in (self, self.flipped())]
        return float(max(np.percentile(one, 30) for one in bottoms))

    @cached_property
    def bottom(self) -> np.ndarray:
        """Row of the near field's lower border in each column, `(W,)`; 0 where there is none."""
        inside = self.near > INSIDE
        return np.where(inside.any(0), inside.shape[0] - 1 - np.argmax(inside[::-1], axis=0), 0)

    @cached_property
    def hilum(self) -> tuple[float, float]:
        """Row and column of the near hilum."""
        row = self.extent[0] + 0.5 * self.height
        return row, float(self.medial[int(row)])

    @cached_property
    def tissue(self) -> np.ndarray:
        """Grey of soft tissue around each pixel, carried on from heart, mediastinum and abdomen into the lungs."""
        whole = np.maximum(self.near_whole, self.far_whole) > INSIDE
        lungs = np.maximum(self.near, self.far) > INSIDE
        soft = (whole & (distance_transform_edt(~lungs) > 6 * self.unit)).astype(np.float32)
        weight = sum(share * smooth(soft, s * self.unit) for s, share in ((25, 1), (90, 0.05)))
        total = sum(share * smooth(soft * self.grey, s * self.unit) for s, share in ((25, 1), (90, 0.05)))
        return smooth((total + 1e-6 * self.grey[soft > 0].mean()) / (weight + 1e-6), 8 * self.unit)

    @cached_property
    def fluid(self) -> np.ndarray:
        """Grey of fluid at the near base: soft tissue's, and towards the diaphragm at least that of the abdomen."""
        rows, columns = self.grid
        below = (rows > self.bottom + 5 * self.unit) & (rows < self.bottom + 30 * self.unit) & (self.bottom > 0)
        level = (below * self.grey).sum(0) / np.maximum(below.sum(0), 1)
        inside = np.flatnonzero(below.any(0))
        level = gaussian_filter1d(np.interp(columns[0], inside, level[inside]), 15 * self.unit)
        near = np.exp(-np.maximum(self.bottom - rows, 0) / (55 * self.unit))
        return smooth(self.tissue + near * np.maximum(level - self.tissue, 0), 6 * self.unit)

    @cached_property
    def heart(self) -> np.ndarray:
        """Grey of the heart behind the near field's medial border, by row."""
        columns = self.grid[1]
        behind = columns - self.medial[:, None]
        behind = (behind > 8 * self.unit) & (behind < 26 * self.unit)
        level = (behind * self.grey).sum(1) / np.maximum(behind.sum(1), 1)
        return np.repeat(gaussian_filter1d(level, 12 * self.unit)[:, None], self.grey.shape[1], 1)

    def opaque(self, alpha: np.ndarray, rng: np.random.Generator, dense: np.ndarray | None = None) -> np.ndarray:
        """Return the film with a lesion whose opacity is `alpha` in [0, 1]: it hides that share of the contrast.

        `dense` is the grey `(H, W)` that it tends to, by default that of the soft tissue nearby.
        """
        gap = (self.tissue if dense is None else dense) - self.grey
        lift = 0.5 * (gap + np.sqrt(gap**2 + 0.03**2)) - 0.5 * 0.03 * np.exp(-((gap / 0.03) ** 2))
        grain = self.grey - smooth(self.grey, 1.2 * self.unit)
        mottle = 0.008 * noise(self.grey.shape, 12 * self.unit, rng)
        return self.grey + alpha * (np.maximum(lift, 0) + mottle * (gap > 0) + 0.5 * np.clip(grain, -0.03, 0.03))


def patch(film: Film, zone: str | None, size: float, edge: float, rng: np.random.Generator) -> np.ndarray:
    """Draw an irregular patch in the zone; `size` and `edge` are shares of the lung's height. Returns [0, 1]."""
    rows, columns = film.grid
    top, third = film.extent[0], film.height / 3
    low = top + third * ZONES.index(zone or "lower")
    deep = distance_transform_edt(film.near > INSIDE) > 0.05 * film.height
    places = np.argwhere(deep & (rows > low + 0.3 * third) & (rows < low + 0.75 * third))
    if not len(places):
        return np.zeros_like(film.grey)
    row, column = places[rng.integers(len(places))]
    turn, long = rng.uniform(-0.5, 0.5), rng.uniform(1, 1.4)
    y, x = (rows - row) / (min(size, 0.18) * film.height), (columns - column) / (min(size * long, 0.23) * film.height)
    across, along = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    warped = np.hypot(across, along) + 0.16 * noise(film.grey.shape, 0.35 * size * film.height, rng)
    warped += 0.07 * noise(film.grey.shape, 0.1 * size * film.height, rng)
    window = ramp(rows, low - 0.5 * third, low + 0.15 * third) * ramp(rows, low + 1.5 * third, low + 0.85 * third)
    return ramp(warped, 1 + edge, 1 - edge) * window * film.field


def branches(film: Film, count: int, reach: float, rng: np.random.Generator) -> np.ndarray:
    """Draw forking tubes from the hilum outwards, of `reach` times the lung's height. Returns [0, 1]."""
    canvas = np.zeros(film.grey.shape, np.uint8)
    row, column = film.hilum
    stems = []
    for _ in range(count):
        start = row + rng.normal(0, 0.05) * film.height, column + rng.normal(0, 0.02) * film.height
        stems.append((start, rng.uniform(-1.3, 1.3), 3.0))
    while stems:
        (row, column), angle, width = stems.pop()
        for _ in range(6):
            angle += rng.normal(0, 0.2)
            step = reach * film.height * rng.uniform(0.6, 1.4) / 18
            end = row + step * np.sin(angle), column - step * np.cos(angle)
            points = [(int(column * 16), int(row * 16)), (int(end[1] * 16), int(end[0] * 16))]
            cv2.line(canvas, points[0], points[1], 255, max(round(width * film.unit), 1), cv2.LINE_AA, shift=4)
            row, column = end
        if width > 1.5:
            stems += [((row, column), angle + turn * rng.uniform(0.2, 0.5), width - 1) for turn in (-1, 1)]
    return smooth(canvas / 255, 1.4 * film.unit)


def read_film(path: Path) -> Film | None:
    """Read a film and find its lungs; ``None`` if they are not found.

    Raises:
        InputNotFoundError: there is no such picture.
    """
    values = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if values is None:
        raise InputNotFoundError(f"There is no picture `{path}`.")
    grey = (values / 255).astype(np.float32)
    lungs = LungFinder.bundled().find(torch.from_numpy(grey)[None, None])
    if values.shape[0] != values.shape[1] or float(lungs.confidence[0]) < LEAST_CONFIDENCE:
        return None
    masks = (lungs.right, lungs.left, lungs.right_whole, lungs.left_whole)
    return Film(grey, *(one[0, 0].numpy() for one in masks))


def healthy_films(folder: Path, table: Path) -> list[Path]:
    """Return the films that the table labels as healthy.

    Raises:
        InputNotFoundError: there is no such table.
        InputError: the table lacks a column or names no healthy film.
    """
    if not table.is_file():
        raise InputNotFoundError(f"There is no table `{table}`.")
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := {"file", "findings"} - set(reader.fieldnames or ()):
            raise InputError(f"`{table}` must have the columns file and findings, but lacks {', '.join(missing)}.")
        films = [folder / row["file"] for row in reader if row["findings"].strip() == HEALTHY]
    if not films:
        raise InputError(f"`labels` must name films whose findings are {HEALTHY!r}, but `{table}` names none.")
    return films
