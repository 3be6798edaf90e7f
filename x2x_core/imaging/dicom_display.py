"""DICOM grey-scale pipeline: from stored values to display values in [0, 1].

The steps follow DICOM PS3.4 N.2, with the formulas of PS3.3: modality table or rescaling (C.11.1), VOI table or window
(C.11.2), polarity of the grey scale (C.7.6.3.1.2, C.11.6), padding (C.7.5.1.1.2). Functions take and return arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from x2x_core.common.errors import InputError

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
DEEPEST = 16  # largest number of bits of a stored value or a table entry


@dataclass(frozen=True)
class Display:
    """Display values of a picture, and how they were obtained."""

    values: np.ndarray  # (H, W), float64 in [0, 1]; 0 is black
    facts: tuple[str, ...]  # processing steps
    warnings: tuple[str, ...]  # doubts about them


def stored_values(raw: np.ndarray, bits_stored: int, high_bit: int, signed: bool) -> np.ndarray:
    """Extract the image's values from their containers, ignoring unused bits (overlays in old files).

    Args:
        raw: `(H, W)`, integers as stored in the file.
        bits_stored: bits per value, 1 to 16.
        high_bit: index of the highest of them, counted from 0.
        signed: True if the highest bit is a sign.

    Returns:
        `(H, W)` int32.
    """
    shift = max(high_bit + 1 - bits_stored, 0)
    values = (raw.astype(np.int32) >> shift) & (2**bits_stored - 1)
    return np.where(values >= 2 ** (bits_stored - 1), values - 2**bits_stored, values) if signed else values


def padding_of(stored: np.ndarray, dataset) -> np.ndarray:
    """Return bool `(H, W)`, True for padding: pixels between PixelPaddingValue and PixelPaddingRangeLimit."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((int(value), int(value if limit is None else limit)))
    return (stored >= low) & (stored <= high)


def display(stored: np.ndarray, dataset) -> Display:
    """Return the display values that a viewer uses by default.

    Args:
        stored: `(H, W)` integers, see `stored_values`.
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
    if not padding.all() and np.ptp(shown[~padding]) == 0:
        warnings.append("Every pixel is shown in one grey: look at the file's window.")
    return Display(shown, tuple(facts), tuple(warnings))


def modality_values(stored: np.ndarray, dataset) -> tuple[np.ndarray, list[str]]:
    """Apply the modality table or rescaling; return the values and the steps that changed them."""
    if tables := dataset.get("ModalityLUTSequence"):
        return look_up(stored, tables[0], dataset)[0], ["Modality table applied."]
    slope, intercept = (
        _number(dataset, name, rest) for name, rest in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if slope == 0 or not np.isfinite([slope, intercept]).all():
        raise InputError(f"its rescaling must have a slope that is a number and not 0, got {slope:g}")
    if (slope, intercept) == (1, 0):
        return stored, []
    return stored * slope + intercept, [f"Rescaled by {slope:g}, then {intercept:+g}."]


def _of_interest(values, padding, dataset, is_plain: bool) -> tuple[np.ndarray, list[str], list[str]]:
    """Scale to [0, 1] by the first VOI table, else the first window, else the range of the values."""
    if tables := dataset.get("VOILUTSequence"):
        shown, bits = look_up(values, tables[0], dataset)
        return shown / (2**bits - 1), [f"Shown by its table of interest{_which(len(tables))}."], []
    centers, widths = (_numbers(dataset, name) for name in ("WindowCenter", "WindowWidth"))
    warnings = []
    if centers and widths:
        function = str(dataset.get("VOILUTFunction") or LINEAR).strip().upper()
        center, width = centers[0], widths[0]
        if width >= (1 if function == LINEAR else np.nextafter(0, 1)):
            fact = f"Shown by its window, centre {center:g}, width {width:g}{_which(min(len(centers), len(widths)))}."
            return window(values, center, width, function), [fact], []
        warnings = [f"Window width {width:g} is invalid: shown by the range of its values instead."]
    bits = int(dataset.BitsStored)
    if is_plain and bits <= 8 and not dataset.get("PixelRepresentation"):
        return np.clip(values / (2**bits - 1), 0, 1), [f"No window: its {bits}-bit values as they are."], warnings
    shown, low, high = full_range(values, padding)
    return shown, [f"No window: the range of its values, {low:g} to {high:g}."], warnings


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


def look_up(values: np.ndarray, item, dataset) -> tuple[np.ndarray, int]:
    """Map values through a table (PS3.3 C.11.1.1); values below or above it take its first or last entry.

    Args:
        values: integers, or rescaled values, which are rounded.
        item: the table: LUTDescriptor (entries, first value mapped, bits) and LUTData.
        dataset: the image, for its byte order.

    Returns:
        The entries, float64, and their number of bits.

    Raises:
        InputError: a table without a descriptor or with too few entries.
    """
    descriptor, element = item.get("LUTDescriptor"), _element(item, "LUTData")
    if descriptor is None or len(descriptor) != 3 or element is None or not element.value:
        raise InputError("its table must have LUTDescriptor and LUTData")
    entries, first, bits = (int(number) for number in descriptor)
    entries = entries or 2**16
    if first >= 2**15 and values.min() < 0:
        first -= 2**16  # a signed number in an unsigned field
    table = _entries(element.value, entries, dataset)
    if len(table) < entries or not 1 <= bits <= DEEPEST:
        raise InputError(f"its table must hold {entries} entries of 1 to {DEEPEST} bits, got {len(table)} of {bits}")
    bits = max(bits, int(table.max()).bit_length())  # some files declare 16-bit entries as 8-bit
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, entries - 1)
    return table[index].astype(np.float64), bits


def _element(item, name: str):
    """Return a data element with its value representation, `None` if it is absent."""
    return item[name] if name in item else None  # noqa: SIM401  (a data set's get() returns the bare value)


def _entries(data, count: int, dataset) -> np.ndarray:
    """Return the entries of a table: 16-bit words, or bytes packed in pairs."""
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data, np.int64))[:count]
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if dataset.original_encoding[1] else ">u2")
    return words[:count] if len(words) >= count else words.astype("<u2").view(np.uint8)[:count]


def _is_inverted(dataset) -> tuple[bool, list[str]]:
    """Return True if low values are white, and a warning if the file contradicts itself."""
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != inverted:
        return inverted, [
            f"The file declares its grey scale {dataset.PhotometricInterpretation} and {shape}, which contradict each "
            "other: the former was followed. Check that bones are white."
        ]
    return inverted, []


def _numbers(dataset, name: str) -> list[float]:
    """Return a tag's numbers, an empty list if it is absent or empty."""
    value = dataset.get(name)
    several = [] if value is None or value == "" else value if hasattr(value, "__len__") else [value]
    return [float(number) for number in several if number is not None and number != ""]


def _number(dataset, name: str, otherwise: float) -> float:
    return next(iter(_numbers(dataset, name)), otherwise)


def _which(count: int) -> str:
    return f", the first of {count}" if count > 1 else ""
