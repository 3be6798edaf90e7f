"""Small files of the diffusers folder, embedded in the header of a single file."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open

from x2x_core.common.checkpoint_layout import SAFETENSORS_SUFFIX
from x2x_core.common.errors import InputError

_KEY = "x2x_files"


def carried_files(file: str | Path) -> dict[str, str]:
    """Return the small files embedded in a single file, by path; empty for files of other programs.

    The weights are not read.

    Raises:
        InputError: the embedded files are damaged.
    """
    if Path(file).suffix != SAFETENSORS_SUFFIX:
        return {}
    with safe_open(file, "pt") as opened:
        return unpack(opened.metadata() or {}, file) or {}


def pack(files: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata of a safetensors header that embeds files."""
    packed = base64.b64encode(zlib.compress(json.dumps(files, sort_keys=True).encode(), 9)).decode()
    return {_KEY: packed}  # a single entry: several would be written in any order


def unpack(metadata: Mapping[str, str], file: str | Path) -> dict[str, str] | None:
    """Return the files embedded in a safetensors header, or ``None`` if there are none.

    Raises:
        InputError: the embedded files are damaged.
    """
    if _KEY not in metadata:
        return None
    try:
        files = json.loads(zlib.decompress(base64.b64decode(metadata[_KEY])))
        if all(isinstance(value, str) for value in files.values()):
            return files
    except (ValueError, zlib.error, AttributeError):
        pass
    raise InputError(
        f"The small files in the header of `{file}` can't be read: it is damaged. Supply them with `like`."
    )
