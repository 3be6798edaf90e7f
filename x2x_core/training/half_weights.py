"""Writing the weights of small networks."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from torch import nn


def write_half(network: nn.Module, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights of a network in float16 (`.safetensors`), with metadata; the folder is created if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in network.state_dict().items()}, path, metadata)
