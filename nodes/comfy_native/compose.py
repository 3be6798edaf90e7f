"""A decoded edit laid over the original picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.edit.composition import compose_decoded, compose_difference, is_grey, match_channels
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.soft import soft_edges

from .inputs import bool_mask, to_batch

CELL = 8  # VAE Encode leaves out less than this of a picture's side
COLOURS = 3


def compose(
    image: torch.Tensor,
    edited: torch.Tensor,
    guidance_mask: torch.Tensor,
    soft_edge: float,
    strength: float,
    unchanged: torch.Tensor | None = None,
) -> torch.Tensor:
    """Lay an edit over the original inside a mask.

    Args:
        image: IMAGE `(B, H, W, C)`, the original; what it has beyond three channels is kept.
        edited: IMAGE, the decoded edit, of the original's size, as VAE Encode cut it, or scaled.
        guidance_mask: MASK of any size, may change from one half on.
        soft_edge: width of the mask's soft inner edge, share of the picture's longer side.
        strength: how much of the edit is laid over the original, [0, 1].
        unchanged: IMAGE of the edit's size that the edit is compared with: their difference is laid over the original;
            ``None`` lays the decoded edit in the original's place.

    Returns:
        IMAGE `(B, H, W, C)`: outside the mask, and where nothing was encoded, the original bit for bit.

    Raises:
        InputError: pictures that do not go together.
    """
    count = max(len(image), len(edited))
    original = to_batch(image, count, "image").movedim(-1, 1)
    rest = original[:, COLOURS:]
    original = original[:, :COLOURS]
    size = tuple(original.shape[-2:])
    edited = _pictures(edited, count, "edited")
    mask = F.interpolate(to_batch(bool_mask(guidance_mask), count, "guidance_mask").float(), size, mode="nearest-exact")
    soft_mask = soft_edges(mask > 0, soft_edge * max(size)) * _in_frame(torch.ones_like(edited[:, :1]), size)
    grey = is_grey(original)
    if unchanged is None:
        picture = match_channels(_in_frame(edited, size), original.shape[1], grey)
        made = compose_decoded(original, picture, soft_mask, strength)
    else:
        unchanged = _pictures(unchanged, count, "unchanged")
        if unchanged.shape[-2:] != edited.shape[-2:]:
            raise InputError(
                f"`unchanged` must be of the size of `edited`, {tuple(edited.shape[-2:])}, got "
                f"{tuple(unchanged.shape[-2:])}. Decode both with the same VAE from latents of one size."
            )
        change = match_channels(_in_frame(edited - unchanged, size), original.shape[1], grey)
        made = compose_difference(original, change, soft_mask, strength)
    made = torch.where(soft_mask > 0, made, original)
    return torch.cat([made, rest], dim=1).movedim(1, -1)


def _pictures(images: torch.Tensor, count: int, name: str) -> torch.Tensor:
    """An IMAGE as `(count, 3, h, w)`."""
    return to_batch(images, count, name).movedim(-1, 1)[:, :COLOURS]


def _in_frame(values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """What was decoded, `(B, C, h, w)`, in the original's frame `(B, C, H, W)`.

    Where less than a cell is missing, VAE Encode cut it off about the middle, and zeros stand there. Other sizes are
    scaled.

    Raises:
        InputError: of another shape than the original.
    """
    missing = [whole - part for whole, part in zip(size, values.shape[-2:])]
    if all(0 <= one < CELL for one in missing):
        top, left = (one // 2 for one in missing)
        return F.pad(values, (left, missing[1] - left, top, missing[0] - top))
    height, width = values.shape[-2:]
    if abs(height * size[1] - width * size[0]) > CELL * max(*size, height, width):
        raise InputError(
            f"`edited` must have the shape of `image`, {size[0]}x{size[1]} pixels (height x width), got "
            f"{height}x{width}. Scale the image without stretching it before it is encoded."
        )
    return resize(values, size)
