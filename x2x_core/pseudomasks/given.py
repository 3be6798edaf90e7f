"""Masks that the caller supplies: a pseudomask, a guidance mask or a keep mask, in any of the usual forms.

All are read by one rule. Accepted are tensors and arrays `(H, W)`, `(B, H, W)` or `(B, 1, H, W)` and pictures: bool,
floating point in [0, 1], or whole numbers from 0 to 1, to 255 or to 65535. White (the top of the range) is where
editing is allowed, of a keep mask where it is not.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.imaging.geometry import check_size, resize

MaskInput = torch.Tensor | np.ndarray | Image.Image

# Picture modes whose pixel values are read as they are; all others are converted to 8-bit grey.
_SINGLE_CHANNEL_MODES = ("L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
# The top of the range of whole numbers, smallest first.
_RANGES = (1, 255, 65535)


def as_pseudomask(value: MaskInput, size: tuple[int, int], batch: int = 1) -> torch.Tensor:
    """Return the caller's mask as a pseudomask P.

    Args:
        value: the mask, see the module; one mask is broadcast to the batch.
        size: `(height, width)` to resample to.
        batch: B, the number of images.

    Returns:
        `(B, 1, H, W)` float32 in [0, 1], a copy.

    Raises:
        InputError: an unsupported type, shape or range, or a number of masks other than 1 and `batch`.
    """
    size = check_size(size)
    mask = _read_mask("pseudomask", value)
    if mask.shape[0] not in (1, batch):
        raise InputError(f"`pseudomask` must hold 1 mask or one for each of {batch} images, got {mask.shape[0]}.")
    return resize(mask, size).clamp(0, 1).expand(batch, -1, -1, -1).clone()


def as_guidance_mask(value: MaskInput, size: tuple[int, int]) -> torch.Tensor:
    """Return the caller's mask as a guidance mask M.

    Args:
        value: the mask, see the module; the image may change where it is at least half of its range.
        size: `(height, width)` of the image, which the mask must have.

    Returns:
        `(B, 1, H, W)` bool on the CPU.

    Raises:
        InputError: an unsupported type, shape or range, or another size than the image's.
    """
    return _read_sized_mask("guidance_mask", value, size) >= 0.5


def as_keep_mask(value: MaskInput, size: tuple[int, int]) -> torch.Tensor:
    """Return the caller's mask of what must stay as it is.

    Args:
        value: the mask, see the module; a pixel stays as it is where the mask is above 0.
        size: `(height, width)` of the image, which the mask must have.

    Returns:
        `(B, 1, H, W)` bool on the CPU.

    Raises:
        InputError: an unsupported type, shape or range, or another size than the image's.
    """
    return _read_sized_mask("keep_mask", value, size) > 0


def _read_sized_mask(name: str, value: MaskInput, size: tuple[int, int]) -> torch.Tensor:
    mask = _read_mask(name, value)
    if tuple(mask.shape[-2:]) != tuple(size):
        raise InputError(
            f"`{name}` must be of the image's size, {size[0]}x{size[1]} pixels (height x width), got "
            f"{mask.shape[-2]}x{mask.shape[-1]}."
        )
    return mask


def _read_mask(name: str, value: MaskInput) -> torch.Tensor:
    """Read a mask of any form as `(B, 1, H, W)` float32 in [0, 1], on the CPU; `name` is the argument's."""
    mask = _to_tensor(name, value)
    shape = tuple(mask.shape)
    mask = mask[None, None] if mask.ndim == 2 else mask[:, None] if mask.ndim == 3 else mask
    if mask.ndim != 4 or mask.shape[1] != 1 or 0 in mask.shape:
        raise InputError(f"`{name}` must be (H, W), (B, H, W) or (B, 1, H, W), got shape {shape}.")
    lowest, highest = float(mask.min()), float(mask.max())  # NaN if any value is
    if lowest >= 0 and highest <= 1:
        return mask
    whole = bool((mask == mask.round()).all())
    if not (whole and lowest >= 0 and highest <= _RANGES[-1]):
        raise InputError(
            f"`{name}` must lie in [0, 1], or hold whole numbers up to 255 or 65535, got {lowest:g} to {highest:g}."
        )
    return mask / next(top for top in _RANGES if highest <= top)


def _to_tensor(name: str, value: MaskInput) -> torch.Tensor:
    """Return the mask's own numbers as a float32 tensor on the CPU."""
    if isinstance(value, Image.Image):
        value = np.asarray(value if value.mode in _SINGLE_CHANNEL_MODES else value.convert("L"))
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "buif":
            raise InputError(f"`{name}` must hold numbers, got an array of {value.dtype}.")
        value = torch.from_numpy(value.astype(np.float32))
    if not isinstance(value, torch.Tensor):
        raise InputError(f"`{name}` must be a tensor, an array or a picture, got {type(value).__name__}.")
    return value.detach().to("cpu", torch.float32)
