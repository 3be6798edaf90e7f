"""Checks of single settings: each takes a name and a value, and returns the value in its canonical form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import FINDINGS

Check = Callable[[str, Any], Any]

# In a mapping by finding: the value for all other findings and for free text.
OTHER = "other"


def whole_number(name: str, value: Any) -> Any:
    """Check a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"`{name}` must be a whole number of at least 1, got {value!r}.")
    return value


def crop_margin(name: str, value: Any) -> int | None:
    """Check a whole number of at least 0; ``None`` and False mean no crop, and become ``None``."""
    if value is None or value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise InputError(f"`{name}` must be a whole number of at least 0, or False for no crop, got {value!r}.")
    return int(value)


def number(lowest: float = -math.inf, highest: float = math.inf) -> Check:
    """Return a check of a finite number in [lowest, highest]."""
    bounds = f"lie in [{lowest:g}, {highest:g}]" if math.isfinite(lowest) else "be a finite number"

    def check(name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise InputError(f"`{name}` must {bounds}, got {value!r}.")
        if not lowest <= float(value) <= highest:
            raise InputError(f"`{name}` must {bounds}, got {float(value):g}.")
        return value

    return check


def optional(check: Check) -> Check:
    """Return a check that also accepts ``None``."""
    return lambda name, value: None if value is None else check(name, value)


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


def noise_level(name: str, value: Any) -> float | tuple[float, ...]:
    """Check one share of the noise schedule, or several; several become a tuple, a list of one its number."""
    share = number(0, 1)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return share(name, value)
    if not value:
        raise InputError(f"`{name}` must be a number or a list of at least one number, got {value!r}.")
    levels = tuple(share(name, level) for level in value)
    return levels if len(levels) > 1 else levels[0]


def guidance_scale(name: str, value: Any) -> float | dict[str, float]:
    """Check one finite number, or one for each of some findings and for `OTHER`."""
    finite = number()
    if not isinstance(value, Mapping):
        return finite(name, value)
    unknown = [finding for finding in value if finding not in FINDINGS and finding != OTHER]
    if unknown or OTHER not in value:
        raise InputError(
            f"`{name}` must be a number, or a number for each of some findings and for {OTHER!r}, got "
            f"{', '.join(map(repr, value)) or 'nothing'}. Name findings as `x2x_core.language.vocabulary.FINDINGS` "
            "does."
        )
    return {finding: finite(f"{name}[{finding!r}]", scale) for finding, scale in value.items()}
