"""Radiographs from ComfyUI's input folder."""

from __future__ import annotations

from pathlib import Path

import folder_paths
import numpy as np
import torch
from PIL import Image, ImageOps

from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import Radiograph, read_image
from x2x_core.imaging.provenance import sha256_file

_MODES_WITH_ALPHA = ("RGBA", "LA")


def input_path(name: str) -> Path:
    """Return the path of a file as ComfyUI's menus name it ("name.png", "folder/name.png [input]")."""
    return Path(folder_paths.get_annotated_filepath(name))


def check_input_file(name: str, label: str) -> bool | str:
    """Return True if the file exists, else an error message."""
    if folder_paths.exists_annotated_filepath(name):
        return True
    return f"`{label}` {name!r} was not found in ComfyUI's input folder. Upload it, or choose another file."


def sample_path() -> Path:
    """Return the path of the bundled simulated radiograph."""
    return bundled_path("sample")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return sha256_file(path)


def read_radiograph(path: Path) -> tuple[Radiograph, torch.Tensor]:
    """Read a radiograph and the area painted on it in ComfyUI's mask editor.

    The editor keeps the picture's colours and makes the painted area transparent. So alpha is the mask, as in
    ComfyUI's own Load Image, and does not change the colours.

    Returns:
        The radiograph, and the mask `(1, 1, H, W)` in [0, 1], 1 where the picture is transparent.

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: the file is not a readable picture.
    """
    separated = _split_alpha(path)
    if separated is not None:
        return separated
    radiograph = read_image(path)
    return radiograph, torch.zeros(1, 1, *radiograph.size)


def _split_alpha(path: Path) -> tuple[Radiograph, torch.Tensor] | None:
    """Read an 8-bit picture with an alpha channel and separate the two; ``None`` for other files."""
    try:
        with Image.open(path) as picture:
            if picture.mode not in _MODES_WITH_ALPHA:
                return None
            mode = picture.mode
            values = np.asarray(ImageOps.exif_transpose(picture).convert("RGBA"), np.float32) / 255
    except OSError:
        return None  # `read_image` reports the problem
    pixels = torch.from_numpy(values[..., :3].transpose(2, 0, 1).copy())[None]
    if (pixels == pixels[:, :1]).all():
        pixels = pixels[:, :1]
    mask = 1 - torch.from_numpy(values[..., 3].copy())[None, None]
    return Radiograph(pixels, 8, mode, path), mask


def describe(radiograph: Radiograph) -> str:
    """Describe name, size, depth and colour in one line, and how a DICOM file's values are displayed."""
    height, width = radiograph.size
    colour = "grey" if radiograph.pixels.shape[1] == 1 else "colour"
    size = f"{radiograph.record_name}: {width} x {height} pixels, {radiograph.bit_depth}-bit {colour}."
    return " ".join([size, *radiograph.notes])
