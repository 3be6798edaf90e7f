"""Sizes in the configurations of a checkpoint, checked against its weights before any memory is taken for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from x2x_core.common.errors import InputError

_CONFIG = "config.json"
_POSITIONS = "max_position_embeddings"
# Entries of which a network has a matrix of one side by the other.
_SIDES = (
    ("block_out_channels", "block_out_channels"), ("block_out_channels", "in_channels"),
    ("block_out_channels", "out_channels"), ("block_out_channels", "latent_channels"),
    ("block_out_channels", "cross_attention_dim"), ("hidden_size", "hidden_size"),
    ("hidden_size", "intermediate_size"), ("hidden_size", "vocab_size"), ("hidden_size", _POSITIONS),
)  # fmt: skip
_COUNTS = ("layers_per_block", "num_hidden_layers", "transformer_layers_per_block")  # of layers with tensors


def check_sizes(folder: str | Path) -> None:
    """Check that no configuration of a checkpoint asks for larger matrices or more layers than its weights have.

    Args:
        folder: in diffusers layout. Parts whose weights are not safetensors are not looked at.

    Raises:
        InputError: one does; the message names it.
    """
    for config in sorted(Path(folder).glob(f"*/{_CONFIG}")):
        try:
            entries = json.loads(config.read_text(encoding="utf-8"))
            tensors, numbers = _weights(config.parent)
        except (OSError, ValueError, RecursionError, SafetensorError):
            continue  # loading says what is wrong
        if isinstance(entries, dict) and tensors:
            _check(entries, tensors, numbers, config)


def _weights(folder: Path) -> tuple[int, int]:
    """Return how many tensors and how many numbers the weights of a part hold."""
    tensors, numbers = 0, 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (safetensors' own method)
                size = 1
                for length in file.get_slice(name).get_shape():
                    size *= length
                tensors, numbers = tensors + 1, numbers + size
    return tensors, numbers


def _check(entries: Mapping[str, Any], tensors: int, numbers: int, config: Path) -> None:
    rotary = any(name.startswith("rope") for name in entries)
    for first, second in _SIDES:
        if second == _POSITIONS and rotary:
            continue  # positions without a matrix
        for one, other in product(_whole(entries, first), _whole(entries, second)):
            if one * other > numbers:
                raise InputError(
                    f"`{config}` must fit its weights, of {numbers} numbers in all, but has a `{first}` of {one} and a "
                    f"`{second}` of {other}. Download the checkpoint again, from a source that you trust."
                )
    for name in _COUNTS:
        if any(count > tensors for count in _whole(entries, name)):
            raise InputError(
                f"`{config}` must fit its weights, of {tensors} tensors in all, but has a `{name}` of "
                f"{max(_whole(entries, name))}. Download the checkpoint again, from a source that you trust."
            )


def _whole(entries: Mapping[str, Any], name: str) -> list[int]:
    """Return the whole numbers of an entry."""
    value = entries.get(name)
    listed = value if isinstance(value, list) else [value]
    return [number for number in listed if isinstance(number, int) and not isinstance(number, bool)]
