"""Checks of single values: each takes a name and a value, and returns the value in its canonical form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

from .errors import InputError

Check = Callable[[str, Any], Any]


def whole_number(name: str, value: Any) -> Any:
    """Check a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"`{name}` must be a whole number of at least 1, got {value!r}.")
    return value


def number(lowest: float = -math.inf, highest: float = math.inf) -> Check:
    """Return a check of a finite number in [lowest, highest]."""
    bounds = f"lie in [{lowest:g}, {highest:g}]" if math.isfinite(lowest) else "be a finite number"

    def check(name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, Real) or not _is_finite(value):
            raise InputError(f"`{name}` must {bounds}, got {value!r:.80}.")
        if not lowest <= float(value) <= highest:
            raise InputError(f"`{name}` must {bounds}, got {float(value):g}.")
        return value

    return check


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest float
        return False


def optional(check: Check) -> Check:
    """Return a check that also accepts ``None``."""
    return lambda name, value: None if value is None else check(name, value)


def text(name: str, value: Any) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise InputError(f"`{name}` must be text, got {value!r:.80}.")
    return value


def switch(name: str, value: Any) -> bool:
    """Check a bool."""
    if not isinstance(value, bool):
        raise InputError(f"`{name}` must be True or False, got {value!r}.")
    return value


def one_of(options: Sequence[str]) -> Check:
    """Return a check of one of several words."""

    def check(name: str, value: Any) -> str:
        if value not in options:
            raise InputError(f"`{name}` must be one of {', '.join(options)}, got {value!r}.")
        return value

    return check
