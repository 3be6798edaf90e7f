"""Maps from diffusers names of weights to their original names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from x2x_core.common.errors import InputError


def map_names(part: str, names: Iterable[str], original_name: Callable[[str], str | None]) -> dict[str, str]:
    """Map all names of a part, one to one.

    Args:
        part: for the message.
        names: diffusers names.
        original_name: returns the original name of a diffusers name, or ``None`` if there is none.

    Raises:
        InputError: a weight has no place in the original layout, or two have the same one.
    """
    names = list(names)
    mapped = {name: original for name in names if (original := original_name(name)) is not None}
    without = sorted(set(names) - mapped.keys())
    if without:
        raise InputError(f"`{part}` has weights that the original layout has no place for: {', '.join(without)}.")
    if len(set(mapped.values())) != len(mapped):
        raise InputError(f"`{part}` has two weights with one original name. Its blocks are not Stable Diffusion's.")
    return mapped
