"""DICOM grey-scale pipeline: from stored values to display values in [0, 1].

The steps follow DICOM PS3.4 N.2, with the formulas of PS3.3: modality table or rescaling (C.11.1), VOI table or window
(C.11.2), polarity of the grey scale (C.7.6.3.1.2, C.11.6), padding (C.7.5.1.1.2). Functions take and return arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from x2x_core.common.errors import InputError

from .dicom_numbers import number, numbers
from .dicom_stored import padding_of
from .dicom_tables import look_up

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


@dataclass(frozen=True)
class Display:
    """Display values of a picture, and how they were obtained."""

    values: np.ndarray  # (H, W), float64 in [0, 1]; 0 is black
    facts: tuple[str, ...]  # processing steps
    warnings: tuple[str, ...]  # doubts about them


def display(stored: np.ndarray, dataset: Any) -> Display:
    """Return the display values that a viewer uses by default.

    Args:
        stored: `(H, W)` integers, see `x2x_core.imaging.dicom_stored.extract`.
        dataset: the image's pydicom data set.

    Raises:
        InputError: an invalid table or window.
    """
    padding = padding_of(stored, dataset)
    values, facts = modality_values(stored, dataset)
    shown, more, warnings = _of_interest(values, padding, dataset, is_plain=not facts)
    facts = [*facts, *more]
    inverted, doubts = _is_inverted(dataset)
    if inverted:
        shown = 1 - shown
        facts.append("MONOCHROME1 (low is white): inverted.")
    if padding.any():
        shown = np.where(padding, 0.0, shown)
        facts.append(f"Padding, {padding.mean():.1%} of the pixels, is black.")
    warnings = [*warnings, *doubts]
    return Display(shown, tuple(facts), (*warnings, *_lost_greys(shown[~padding], stored[~padding])))


def _lost_greys(shown: np.ndarray, stored: np.ndarray) -> list[str]:
    """Return a warning if a picture's greys are lost: all shown as one, or as black and white alone.

    Args:
        shown: display values, without padding.
        stored: the stored values of the same pixels.
    """
    if shown.size and np.ptp(shown) == 0:
        return ["Every pixel is shown in one grey: look at the file's window."]
    if shown.size and np.isin(shown, (0, 1)).all() and len(np.unique(stored)) > 2:
        return ["Every pixel is shown black or white, with no grey between: look at the file's window."]
    return []


def modality_values(stored: np.ndarray, dataset: Any) -> tuple[np.ndarray, list[str]]:
    """Apply the modality table or rescaling; return the values and the steps that changed them."""
    if tables := dataset.get("ModalityLUTSequence"):
        return look_up(stored, tables[0], dataset)[0], ["Modality table applied."]
    slope, intercept = number(dataset, "RescaleSlope", 1.0), number(dataset, "RescaleIntercept", 0.0)
    if slope == 0 or not math.isfinite(slope):
        raise InputError(f"its rescaling must have a slope that is a number and not 0, got {slope:g}")
    if not math.isfinite(intercept):
        raise InputError(f"its rescaling must have an intercept that is a number, got {intercept:g}")
    if (slope, intercept) == (1, 0):
        return stored, []
    return stored * slope + intercept, [f"Rescaled by {slope:g}, then {intercept:+g}."]


def _of_interest(
    values: np.ndarray, padding: np.ndarray, dataset: Any, is_plain: bool
) -> tuple[np.ndarray, list[str], list[str]]:
    """Scale to [0, 1] by the first VOI table, else the first window, else the range of the values."""
    if tables := dataset.get("VOILUTSequence"):
        entries, table = look_up(values, tables[0], dataset)
        fact = f"Shown by its table of interest{_which(0, len(tables))}."
        if table.white == table.greatest < 2**table.bits - 1:
            fact = (
                f"{fact[:-1]}, scaled by its greatest entry, {table.greatest}, which uses fewer bits than the "
                f"{table.bits} that it declares."
            )
        return entries / table.white, [fact], []
    chosen, warnings = _window_of(dataset)
    if chosen is not None:
        return window(values, chosen.center, chosen.width, chosen.function), [chosen.fact], []
    bits = int(dataset.BitsStored)
    if _as_they_are(dataset, is_plain):
        return np.clip(values / (2**bits - 1), 0, 1), [f"No window: its {bits}-bit values as they are."], warnings
    shown, low, high = full_range(values, padding)
    return shown, [f"No window: the range of its values, {low:g} to {high:g}."], warnings


def _as_they_are(dataset: Any, is_plain: bool) -> bool:
    """Return True if values without a window are displayed unchanged: unsigned, up to 8 bits, not rescaled."""
    return is_plain and int(dataset.BitsStored) <= 8 and not dataset.get("PixelRepresentation")


def missing_window(stored: np.ndarray, dataset: Any) -> tuple[float, float] | None:
    """Return centre and width of the linear window that displays an image without a valid window as `display` does.

    With it in a file, the display no longer depends on the least and greatest value of the image.

    Args:
        stored: `(H, W)` integers.
        dataset: the image's pydicom data set.

    Returns:
        `None` if a table or a window of the file decides.
    """
    if dataset.get("VOILUTSequence") or _window_of(dataset)[0] is not None:
        return None
    values, facts = modality_values(stored, dataset)
    low, high = 0.0, 2.0 ** int(dataset.BitsStored) - 1
    if not _as_they_are(dataset, is_plain=not facts):
        _, low, high = full_range(values, padding_of(stored, dataset))
    width = (high - low) or 1.0
    return low + width / 2 + 0.5, width + 1


@dataclass(frozen=True)
class _Window:
    """The window to display by."""

    center: float
    width: float
    function: str
    fact: str  # for the notes


def _window_of(dataset: Any) -> tuple[_Window | None, list[str]]:
    """Return the first valid window of a file, `None` without one, and warnings."""
    pairs = list(zip(numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")))
    function = str(dataset.get("VOILUTFunction") or LINEAR).strip().upper()
    narrowest = 1 if function == LINEAR else np.nextafter(0, 1)
    for index, (center, width) in enumerate(pairs):
        if math.isfinite(center) and math.isfinite(width) and width >= narrowest:
            fact = f"Shown by its window, centre {center:g}, width {width:g}{_which(index, len(pairs))}."
            return _Window(center, width, function, fact), []
    if not pairs:
        return None, []
    if not all(map(math.isfinite, pairs[0])):
        return None, ["Its window is not a number: shown by the range of its values instead."]
    return None, [f"Window width {pairs[0][1]:g} is invalid: shown by the range of its values instead."]


def window(values: np.ndarray, center: float, width: float, function: str = LINEAR) -> np.ndarray:
    """Scale values to [0, 1] through a window, by PS3.3 C.11.2.1.2 and C.11.2.1.3.

    Args:
        values: any shape.
        center: in the units of the values.
        width: in the units of the values, at least 1 for "LINEAR", else above 0.
        function: "LINEAR", "LINEAR_EXACT" or "SIGMOID".

    Raises:
        InputError: unknown function.
    """
    values = values.astype(np.float64)
    if function == LINEAR:
        if width == 1:
            return (values > center - 0.5).astype(np.float64)
        return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
    if function == LINEAR_EXACT:
        return np.clip((values - center) / width + 0.5, 0, 1)
    if function == SIGMOID:
        return 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    raise InputError(f"its window must be {LINEAR}, {LINEAR_EXACT} or {SIGMOID}, got another function")


def full_range(values: np.ndarray, padding: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Scale values outside padding to [0, 1]; return them, their minimum and maximum. A constant image becomes 0."""
    inside = values[~padding]
    if not inside.size:
        return np.zeros(values.shape), 0.0, 0.0
    low, high = float(inside.min()), float(inside.max())
    return np.clip((values - low) / ((high - low) or 1.0), 0, 1), low, high


def _is_inverted(dataset: Any) -> tuple[bool, list[str]]:
    """Return True if low values are white, and a warning if the file contradicts itself."""
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != inverted:
        return inverted, [
            f"The file declares its grey scale {dataset.PhotometricInterpretation} and {shape}, which contradict each "
            "other: the former was followed. Check that bones are white."
        ]
    return inverted, []


def _which(index: int, count: int) -> str:
    if count == 1:
        return ""
    return f", the first of {count}" if index == 0 else f", number {index + 1} of {count}: those before it are invalid"
