"""Noise levels of the relevance map, as typed into a text field."""

from __future__ import annotations

from x2x_core.common.errors import InputError

from ..choices import RECOMMENDED


def read_levels(text: str | None) -> list[float] | None:
    """Parse noise levels.

    Args:
        text: numbers in [0, 1], separated by commas, or "recommended".

    Returns:
        The levels, or ``None`` for the checkpoint's recommendation.

    Raises:
        InputError: `text` is something else, or a number is out of range.
    """
    if text is None or text.strip().lower() in ("", RECOMMENDED):
        return None
    try:
        levels = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
    except ValueError:
        levels = []
    if not levels or not all(0 <= level <= 1 for level in levels):
        raise InputError(
            f"`noise_level` must be {RECOMMENDED!r} or numbers from 0 to 1, separated by commas, got {text!r}."
        )
    return levels
