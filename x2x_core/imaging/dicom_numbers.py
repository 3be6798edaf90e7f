"""Numbers of DICOM tags, also where a file writes them as no standard allows: as text, or with a decimal comma."""

from __future__ import annotations

import math
import re
from typing import Any

_DECIMAL_COMMA = re.compile(r"([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)")
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 1,024 is 1024 to some and 1.024 to others


def numbers(dataset: Any, name: str) -> list[float]:
    """Return a tag's numbers, an empty list if it is absent or empty, and NaN for text that is not a number.

    Text is split at backslashes, as DICOM separates values, and may have decimal commas. "1,024", which can be read
    in two ways, counts as no number.
    """
    value = _value(dataset, name)
    if isinstance(value, bytes):
        value = value.decode("latin-1").rstrip("\0")
    if isinstance(value, str):
        value = value.split("\\")
    if value is None:
        return []
    several = value if hasattr(value, "__len__") else [value]
    return [_number(part) for part in several if part is not None and str(part).strip()]


def number(dataset: Any, name: str, default: float) -> float:
    """Return a tag's first number, `default` if it is absent or empty, NaN if it is not a number."""
    return next(iter(numbers(dataset, name)), default)


def _value(dataset: Any, name: str) -> Any:
    """Return a tag's value, its bytes if pydicom cannot decode them, `None` if the tag is absent."""
    if name not in dataset:
        return None
    try:
        return dataset[name].value
    except Exception:  # pydicom raises errors of many types for a value that is not of its representation
        return dataset.get_item(name).value


def _number(part: Any) -> float:
    text = str(part).strip()
    if comma := _DECIMAL_COMMA.fullmatch(text):
        text = "nan" if _MAYBE_THOUSANDS.fullmatch(text) else f"{comma[1]}.{comma[2]}"
    try:
        return float(text)
    except ValueError:
        return math.nan
