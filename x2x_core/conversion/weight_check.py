"""Checks of a model's weights, by name."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from x2x_core.common.errors import InputError

Weights = Mapping[str, torch.Tensor]
Shapes = Mapping[str, tuple[int, ...]]


def check_names_and_shapes(weights: Weights, expected: Shapes, owner: str, remedy: str = "") -> None:
    """Check that no weight is missing, unexpected, of another shape, or not floating-point.

    Args:
        weights: by name.
        expected: shapes by name.
        owner: whose weights they are, for the message.
        remedy: a sentence on what to do, for the message.

    Raises:
        InputError: a weight is wrong; the message names every such weight.
    """
    faults = {
        "missing": [name for name in expected if name not in weights],
        "unexpected": [name for name in weights if name not in expected],
        "of another shape": [
            f"{name} {tuple(weights[name].shape)}, not {tuple(shape)}"
            for name, shape in expected.items()
            if name in weights and tuple(weights[name].shape) != tuple(shape)
        ],
        "not floating-point": [name for name in weights if name in expected and not weights[name].is_floating_point()],
    }
    faults = {fault: sorted(names) for fault, names in faults.items() if names}
    if faults:
        listed = "; ".join(f"{len(names)} {fault}: {', '.join(names)}" for fault, names in faults.items())
        message = f"The weights of {owner} do not match its configuration: {listed}."
        raise InputError(f"{message} {remedy}".rstrip())


def check_finite(weights: Weights, owner: str) -> None:
    """Check that all values of all weights are finite.

    Raises:
        InputError: a weight has NaN or infinite values; the message names every such weight.
    """
    faulty = sorted(name for name, value in weights.items() if not torch.isfinite(value).all())
    if faulty:
        raise InputError(
            f"The weights of {owner} must be finite, but {len(faulty)} have NaN or infinite values: "
            f"{', '.join(faulty)}. The checkpoint is damaged, or its training diverged."
        )


def check_range(weights: Weights, dtype: torch.dtype, owner: str) -> None:
    """Check that a data type can hold all values of all weights.

    Raises:
        InputError: a value would overflow; the message names every such weight.
    """
    largest = torch.finfo(dtype).max
    faulty = sorted(name for name, value in weights.items() if value.numel() and float(value.abs().max()) > largest)
    if faulty:
        name = str(dtype).removeprefix("torch.")
        raise InputError(
            f"The weights of {owner} overflow {name} (values above {largest:g}): {', '.join(faulty)}. Use bfloat16 or "
            "float32."
        )
