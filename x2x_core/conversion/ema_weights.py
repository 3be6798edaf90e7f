"""Choice between the EMA and the trained weights of a U-Net in an original file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from x2x_core.common.errors import InputError

from .names import ema_name
from .weight_check import Shapes, check_names_and_shapes

#: Which weights of the U-Net to take: the EMA if the file has one; always the EMA; those of the last step.
CHOICES = ("auto", "ema", "trained")
_STATE = ("model_ema.decay", "model_ema.num_updates")


def take_averages(state: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Remove the EMA from a file's weights.

    Args:
        state: weights by original name; changed in place.

    Returns:
        The EMA by its name in the file, and the names of its counters, which are also removed.
    """
    averages = {name: state.pop(name) for name in sorted(state) if name.startswith("model_ema.")}
    return averages, [name for name in _STATE if averages.pop(name, None) is not None]


def choose_weights(
    trained: Mapping[str, torch.Tensor],
    averages: Mapping[str, torch.Tensor],
    shapes: Shapes,
    choice: str,
    file: str | Path,
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Choose the weights of the U-Net; the EMA is checked in either case.

    Args:
        trained: weights of the last step, by original name.
        averages: EMA, by its name in the file; empty if there is none.
        shapes: of the weights, by original name.
        choice: one of `CHOICES`.
        file: for the message.

    Returns:
        The chosen weights by original name, and the others' names in the file with the reason why they are left out.

    Raises:
        InputError: `choice` is "ema" but the file has none, or the EMA does not match the U-Net.
    """
    if not averages:
        if choice == "ema":
            raise InputError(f"`weights` is ema, but `{file}` has no EMA weights (model_ema.*). Use auto or trained.")
        return dict(trained), {}
    expected = {ema_name(name): shape for name, shape in shapes.items()}
    check_names_and_shapes(averages, expected, f"the EMA in `{file}`")
    if choice == "trained":
        return dict(trained), dict.fromkeys(averages, "EMA weights; the trained weights were chosen")
    chosen = {name: averages[ema_name(name)] for name in shapes}
    return chosen, dict.fromkeys(trained, "trained weights; the EMA weights were chosen")
