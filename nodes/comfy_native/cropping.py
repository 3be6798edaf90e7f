"""The part of a picture that ComfyUI's VAE Encode keeps: its sides are cropped to whole latent cells, centred."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def encoded_part(size: tuple[int, int], cells: tuple[int, int]) -> tuple[slice, slice] | None:
    """Return the rows and columns of a picture that latents represent.

    Args:
        size: `(height, width)` of the picture.
        cells: `(h, w)` of the latents.

    Returns:
        Rows and columns, or ``None`` if no cell size (a power of two) gives these latents.
    """
    if size[0] < cells[0]:
        return None
    cell = 1 << (size[0] // cells[0]).bit_length() - 1
    if any(side // cell != count for side, count in zip(size, cells)):
        return None
    rows, columns = (slice(side % cell // 2, side % cell // 2 + count * cell) for side, count in zip(size, cells))
    return rows, columns


def uncrop(values: torch.Tensor, size: tuple[int, int], mode: str) -> torch.Tensor:
    """Pad `(B, C, h, w)` to the size of the picture that VAE Encode cropped.

    Args:
        values: values of the cropped picture.
        size: `(height, width)` of the picture.
        mode: "constant" pads zeros, "replicate" repeats the border.
    """
    missing = [side - part for side, part in zip(size, values.shape[-2:])]
    top, left = (pixels // 2 for pixels in missing)
    return F.pad(values, (left, missing[1] - left, top, missing[0] - top), mode=mode)
