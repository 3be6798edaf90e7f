"""Checks of the settings of an edit that `x2x_core.common.values` does not know; each returns the canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.values import number
from x2x_core.language.vocabulary import FINDINGS

# In a mapping by finding: the value for all other findings and for free text, and the one for whatever is removed.
OTHER, REMOVAL = "other", "removal"


def crop_margin(name: str, value: Any) -> int | None:
    """Check a whole number of at least 0; ``None`` and False mean no crop, and become ``None``."""
    if value is None or value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise InputError(f"`{name}` must be a whole number of at least 0, or False for no crop, got {value!r}.")
    return int(value)


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
    """Check one finite number, or one for each of some findings and for `OTHER`, and if wanted for `REMOVAL`."""
    finite = number()
    if not isinstance(value, Mapping):
        return finite(name, value)
    unknown = [finding for finding in value if finding not in FINDINGS and finding not in (OTHER, REMOVAL)]
    if unknown or OTHER not in value:
        raise InputError(
            f"`{name}` must be a number, or a number for each of some findings and for {OTHER!r}, got "
            f"{', '.join(map(repr, value)) or 'nothing'}. Name findings as `x2x_core.language.vocabulary.FINDINGS` "
            f"does, and removals of any finding {REMOVAL!r}."
        )
    return {finding: finite(f"{name}[{finding!r}]", scale) for finding, scale in value.items()}
