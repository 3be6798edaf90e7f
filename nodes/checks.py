"""Checks of inputs when a prompt is queued and when a node runs."""

from __future__ import annotations

import math

from x2x_core.common.errors import InputError

from .work.noise_levels import read_levels


def check_menus(**menus: tuple[object, tuple[str, ...]]) -> str | None:
    """Return an error message for the first menu with an unknown entry, or ``None``.

    ComfyUI does not check inputs that `validate_inputs` names, so a node that names a menu checks it itself.

    Args:
        menus: for each menu its value (``None`` if it is linked) and its options.
    """
    for name, (value, options) in menus.items():
        if value is not None and value not in options:
            return f"`{name}` must be one of {', '.join(options)}, got {value!r}."
    return None


def check_noise_level(text: str | None) -> bool | str:
    """Return True if a text field holds noise levels, else an error message."""
    try:
        read_levels(text)
    except InputError as error:
        return str(error)
    return True


def check_finite(**values: float) -> None:
    """Check that numbers are finite: ComfyUI's own limits let NaN through.

    Raises:
        InputError: a number is NaN or infinite.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise InputError(f"`{name}` must be a finite number, got {value!r}.")
