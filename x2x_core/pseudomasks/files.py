"""The file of an atlas: one safetensors file, the same bytes for the same atlas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from x2x_core.common.errors import InputError, InputNotFoundError

from .maps import ProbabilityMap

FORMAT = "x2x-pseudomask-atlas-2"  # probability maps
MASK_FORMAT = "x2x-pseudomask-atlas-1"  # one mask per finding
_METADATA_KEY = "x2x_atlas"


@dataclass(frozen=True)
class AtlasContent:
    """The content of an atlas: probability maps, or masks."""

    probabilities: Mapping[str, ProbabilityMap] = field(default_factory=dict)
    masks: Mapping[str, torch.Tensor] = field(default_factory=dict)  # category to (h, w) float32 in [0, 1]
    metadata: Mapping[str, Any] = field(default_factory=dict)  # how it was made, as JSON can hold it
    published: bool = False  # masks of 0 and 1, resampled as the published code does


def read_atlas_file(path: Path) -> AtlasContent:
    """Read an atlas file.

    Raises:
        InputError: not an atlas, an unknown format, or malformed content.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(_METADATA_KEY, "{}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safetensors' own method)
        described = json.loads(header)
    except (SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"`{path}` must be an atlas of pseudomasks, but cannot be read: {error}.") from error
    if described.get("format") not in (FORMAT, MASK_FORMAT):
        raise InputError(f"`{path}` must be an atlas in the format {FORMAT!r}, got {described.get('format')!r}.")
    try:
        if described["format"] == FORMAT:
            maps = {name: ProbabilityMap(values, *described["levels"][name]) for name, values in tensors.items()}
            return AtlasContent(probabilities=maps, metadata=described["metadata"])
        masks = {name: _unpack(values) for name, values in tensors.items()}
        return AtlasContent(masks=masks, metadata=described["metadata"], published=described["published"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"`{path}` is a malformed atlas: {error}") from error


def write_atlas_file(path: Path, content: AtlasContent) -> None:
    """Write an atlas file; `read_atlas_file` returns the same maps bit for bit.

    Raises:
        InputNotFoundError: the folder does not exist.
    """
    if not path.parent.is_dir():
        raise InputNotFoundError(f"There is no folder `{path.parent}` to write `{path.name}` to. Create it first.")
    path.write_bytes(encode_atlas(content))


def encode_atlas(content: AtlasContent) -> bytes:
    """Return the bytes of an atlas file; equal atlases give equal bytes."""
    header: dict[str, Any]
    if content.probabilities:
        levels = {name: [each.peak, each.cut] for name, each in content.probabilities.items()}
        header = {"format": FORMAT, "levels": levels, "metadata": dict(content.metadata)}
        tensors = {name: each.values.clone() for name, each in content.probabilities.items()}
    else:
        header = {"format": MASK_FORMAT, "published": content.published, "metadata": dict(content.metadata)}
        tensors = {name: _pack(values) for name, values in content.masks.items()}
    text = json.dumps(header, sort_keys=True, allow_nan=False)
    return save(tensors, metadata={_METADATA_KEY: text})


def _pack(values: torch.Tensor) -> torch.Tensor:
    """Return the mask as bytes if they hold it exactly, else as float32."""
    rounded = (values * 255).round().to(torch.uint8)
    return rounded if torch.equal(_unpack(rounded), values) else values


def _unpack(values: torch.Tensor) -> torch.Tensor:
    return values.to(torch.float32) / 255 if values.dtype == torch.uint8 else values
