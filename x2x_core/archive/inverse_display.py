"""Inverse of the DICOM display transform: the stored value to write for a grey of an edit."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from x2x_core.imaging.dicom import StoredPicture
from x2x_core.imaging.dicom_display import display, missing_window
from x2x_core.imaging.dicom_stored import padding_of

_KEY = 2**17  # more than the number of stored values


@dataclass(frozen=True)
class DisplayTable:
    """The grey level at which each stored value is displayed."""

    first: int  # stored value of the first entry
    levels: np.ndarray  # (N,) int64 in [0, white]
    usable: np.ndarray  # (N,) bool: False for padding
    white: int  # 255 or 65535

    def of(self, stored: np.ndarray) -> np.ndarray:
        """Return the grey levels of stored values, any shape."""
        return self.levels[stored - self.first]

    def nearest(self, levels: np.ndarray, stored: np.ndarray) -> np.ndarray:
        """Return the stored values to write.

        Of all values but padding, the one whose display is closest to the wanted level; of several, the one closest to
        the value that the pixel had. So a pixel that a window clips moves no further than to the window's edge.

        Args:
            levels: `(N,)` wanted grey levels.
            stored: `(N,)` the pixels' own values.
        """
        values = np.flatnonzero(self.usable)
        values = values[np.argsort(self.levels[values], kind="stable")]  # by level, then by value
        steps, starts = np.unique(self.levels[values], return_index=True)
        ends = np.append(starts[1:], len(values)) - 1
        keys = np.repeat(np.arange(len(steps)), np.diff(np.append(starts, len(values)))) * _KEY + values
        above = np.clip(np.searchsorted(steps, levels), 0, len(steps) - 1)
        below = np.clip(np.searchsorted(steps, levels, side="right") - 1, 0, len(steps) - 1)
        own = np.asarray(stored, np.int64) - self.first
        candidates = []
        for step in (below, above):
            right = np.clip(np.searchsorted(keys, step * _KEY + own), starts[step], ends[step])
            left = np.clip(right - 1, starts[step], ends[step])
            candidates += [values[left], values[right]]
        found = np.stack(candidates)
        cost = np.abs(self.levels[found] - levels) * _KEY + np.abs(found - own)
        return np.take_along_axis(found, cost.argmin(0)[None], 0)[0] + self.first


def settled(picture: StoredPicture) -> Any:
    """Return the data set of a grey picture with the window that a file without one is displayed by.

    An image without a window is displayed by the range of its values, which an edit may change; a window of that range
    keeps the display of all other pixels.
    """
    dataset = copy.copy(picture.dataset)
    if (window := missing_window(picture.values, dataset)) is not None:
        from pydicom.valuerep import DSfloat

        for name in ("WindowCenter", "WindowWidth", "VOILUTFunction"):
            if name in dataset:
                del dataset[name]
        dataset.WindowCenter, dataset.WindowWidth = (DSfloat(number, auto_format=True) for number in window)
    return dataset


def display_table(picture: StoredPicture) -> DisplayTable:
    """Return the display of every value that a pixel of a grey picture can have."""
    dataset, stored = settled(picture), picture.values
    bits, signed = int(dataset.BitsStored), bool(dataset.get("PixelRepresentation"))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    table = _table(low, high, dataset, picture.depth)
    if np.abs(table.of(stored) - np.rint(picture.shown * table.white)).max() > 1:
        # A look-up table whose first value is read by the signs of the values: only those of the image tell them.
        table = _table(int(stored.min()), int(stored.max()), dataset, picture.depth)
    return table


def _table(low: int, high: int, dataset: Any, depth: int) -> DisplayTable:
    values, white = np.arange(low, high + 1, dtype=np.int32), 2**depth - 1
    levels = np.rint(np.clip(display(values, dataset).values, 0, 1) * white).astype(np.int64)
    padding = padding_of(values, dataset)
    return DisplayTable(low, levels, ~padding if not padding.all() else np.ones_like(padding), white)
