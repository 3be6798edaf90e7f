"""From a DICOM image's stored values to what is shown: the grey-scale chain of the standard, as numbers in [0, 1].

The steps are those of DICOM PS3.4 N.2, with the formulas of PS3.3: modality table or rescaling (C.11.1), table or window of
interest (C.11.2), the sense of the grey scale (C.7.6.3.1.2, C.11.6), padding (C.7.5.1.1.2). Arrays in, arrays out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from x2x_core.common.errors import InputError

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
DEEPEST = 16  # bits of a stored value, and of an entry of a table


@dataclass(frozen=True)
class Display:
    """A picture as it is shown, and what was done to get it."""

    values: np.ndarray  # (H, W), float64 in [0, 1]; 0 is black
    facts: tuple[str, ...]  # what was done
    warnings: tuple[str, ...]  # what of it may be wrong


def stored_values(raw: np.ndarray, bits_stored: int, high_bit: int, signed: bool) -> np.ndarray:
    """The image's values out of their containers: what lies in unused bits (overlays of old files) is left out.

    Args:
        raw: `(H, W)`, whole numbers as they lie in the file.
        bits_stored: bits of a value, 1 to 16.
        high_bit: number of the highest of them, counted from 0.
        signed: whether the highest is a sign.

    Returns:
        `(H, W)` int32.
    """
    shift = max(high_bit + 1 - bits_stored, 0)
    values = (raw.astype(np.int32) >> shift) & (2**bits_stored - 1)
    return np.where(values >= 2 ** (bits_stored - 1), values - 2**bits_stored, values) if signed else values


def padding_of(stored: np.ndarray, dataset) -> np.ndarray:
    """Which pixels are no image: bool `(H, W)`, those of the padding value, or up to the limit of its range."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((int(value), int(value if limit is None else limit)))
    return (stored >= low) & (stored <= high)


def display(stored: np.ndarray, dataset) -> Display:
    """What a viewer shows of an image by default.

    Args:
        stored: `(H, W)` whole numbers, see `stored_values`.
        dataset: the image's pydicom data set.

    Raises:
        InputError: a table or window that can't be applied.
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
    """Values after the modality table or rescaling, and what was done; nothing where it changes nothing."""
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
    """Values in [0, 1] by the first table, else the first window, else the range of what is there."""
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
        warnings = [f"Its window has the width {width:g}, which is none: shown by the range of its values instead."]
    bits = int(dataset.BitsStored)
    if is_plain and bits <= 8 and not dataset.get("PixelRepresentation"):
        return np.clip(values / (2**bits - 1), 0, 1), [f"No window: its {bits}-bit values as they are."], warnings
    shown, low, high = full_range(values, padding)
    return shown, [f"No window: the range of its values, {low:g} to {high:g}."], warnings


def window(values: np.ndarray, center: float, width: float, function: str = LINEAR) -> np.ndarray:
    """Values in [0, 1] through a window, by the formulas of PS3.3 C.11.2.1.2 and C.11.2.1.3.

    Args:
        values: any shape.
        center, width: in the units of the values; the width at least 1 for "LINEAR", else above 0.
        function: "LINEAR", "LINEAR_EXACT" or "SIGMOID".

    Raises:
        InputError: another function.
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
    """Values in [0, 1] from the least to the greatest that is no padding, and these two; one value only becomes 0."""
    inside = values[~padding]
    if not inside.size:
        return np.zeros(values.shape), 0.0, 0.0
    low, high = float(inside.min()), float(inside.max())
    return np.clip((values - low) / ((high - low) or 1.0), 0, 1), low, high


def look_up(values: np.ndarray, item, dataset) -> tuple[np.ndarray, int]:
    """Values through a table (PS3.3 C.11.1.1): its first entry stands for what lies below, its last for what lies above.

    Args:
        values: whole numbers, or rescaled ones, which are rounded.
        item: the table: LUTDescriptor (entries, first value mapped, bits) and LUTData.
        dataset: the image, for the order of bytes.

    Returns:
        The entries, float64, and their bits.

    Raises:
        InputError: a table without its description or with too few entries.
    """
    descriptor, element = item.get("LUTDescriptor"), item["LUTData"] if "LUTData" in item else None
    if descriptor is None or len(descriptor) != 3 or element is None or not element.value:
        raise InputError("its table must have LUTDescriptor and LUTData")
    entries, first, bits = (int(one) for one in descriptor)
    entries = entries or 2**16
    if first >= 2**15 and values.min() < 0:
        first -= 2**16  # a signed number, written where the file can't say so
    table = _entries(element.value, entries, dataset)
    if len(table) < entries or not 1 <= bits <= DEEPEST:
        raise InputError(f"its table must hold {entries} entries of 1 to {DEEPEST} bits, got {len(table)} of {bits}")
    bits = max(bits, int(table.max()).bit_length())  # some files call 16-bit entries 8-bit
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, entries - 1)
    return table[index].astype(np.float64), bits


def _entries(data, count: int, dataset) -> np.ndarray:
    """A table's entries: words, or bytes packed two in a word."""
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data, np.int64))[:count]
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if dataset.original_encoding[1] else ">u2")
    return words[:count] if len(words) >= count else words.astype("<u2").view(np.uint8)[:count]


def _is_inverted(dataset) -> tuple[bool, list[str]]:
    """Whether low values are white, and a doubt where the file says both."""
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != inverted:
        return inverted, [
            f"The file calls its grey scale {dataset.PhotometricInterpretation} and {shape}, which contradict each other: "
            f"the former was followed. Look whether bones are white."
        ]
    return inverted, []


def _numbers(dataset, name: str) -> list[float]:
    """A tag's numbers; none where it is absent or empty."""
    value = dataset.get(name)
    several = [] if value is None or value == "" else value if hasattr(value, "__len__") else [value]
    return [float(one) for one in several if one is not None and one != ""]


def _number(dataset, name: str, otherwise: float) -> float:
    return next(iter(_numbers(dataset, name)), otherwise)


def _which(count: int) -> str:
    return f", the first of {count}" if count > 1 else ""
