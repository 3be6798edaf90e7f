"""Weights held against what a model wants, one by one."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from x2x_core.common.errors import InputError

Shapes = Mapping[str, tuple[int, ...]]


def check_keys(found: Mapping[str, torch.Tensor], expected: Shapes, what: str) -> None:
    """See that weights are those expected: none missing, none besides, all of their shapes, all floating-point.

    Args:
        found: weights by name.
        expected: shapes by name.
        what: for the message.

    Raises:
        InputError: anything else; the message names every weight.
    """
    faults = {
        "missing": [name for name in expected if name not in found],
        "unexpected": [name for name in found if name not in expected],
        "of another shape": [
            f"{name} {tuple(found[name].shape)}, not {tuple(shape)}"
            for name, shape in expected.items()
            if name in found and tuple(found[name].shape) != tuple(shape)
        ],
        "not floating-point": [name for name in found if name in expected and not found[name].is_floating_point()],
    }
    faults = {fault: sorted(names) for fault, names in faults.items() if names}
    if faults:
        told = "; ".join(f"{len(names)} {fault}: {', '.join(names)}" for fault, names in faults.items())
        raise InputError(f"The weights of {what} are not those that its configuration asks for: {told}.")
