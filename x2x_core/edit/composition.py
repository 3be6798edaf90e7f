"""Composition: laying an edit over the original picture.

By difference: the change between two decodings, of the edited latents and of the original's, is laid over the original
like a veil. What the autoencoder loses is lost in both and cancels, so ribs, vessels and grain of the original stay
under the new opacity and fade as it fills, and a change computed at 256 pixels lays over a picture of 3000.

By decoding: the decoding itself takes the original's place, as in the published code.

Either is scaled by a strength s in [0, 1], which multiplies the mask: 0 is the original and 1 the full edit, both bit
for bit, and every grey value goes from the one to the other without turning back.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

#: Standard deviation of the neighbourhood of a pixel, share of the longer side: about as fine as a latent's cell at 256.
NEIGHBOURHOOD = 1 / 64
#: Where the neighbourhood has no more room than this, the change is added as it is.
_LEAST_ROOM = 0.05
#: Standard deviation in pixels above which the mean is taken on a smaller picture: it is as smooth there.
_WIDEST_BLUR = 8.0


def compose_difference(
    original: torch.Tensor, change: torch.Tensor, soft_mask: torch.Tensor, strength: float = 1.0
) -> torch.Tensor:
    """I + s M g (D(z_edit) - D(z_0)), with g the room that the pixel has left beside that of its neighbourhood.

    Towards white the room is 1 - I, towards black it is I, and the neighbourhood's is that of its mean. So the mean
    changes as the model says, and the detail under it keeps its share of the room that is left: under fluid vessels
    fade and the edge of the diaphragm goes, where a plain sum would leave both as they were, only brighter.

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        change: D(z_edit) - D(z_0) `(B, C, H, W)` in grey values, [-1, 1].
        soft_mask: M `(B, 1, H, W)` in [0, 1].
        strength: s, [0, 1].

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    weight = strength * soft_mask
    return (original + weight * room_left(original, change) * change).clamp(0, 1)


def room_left(original: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
    """How much of a change each pixel takes, beside its neighbourhood's mean: g of `compose_difference`.

    Args:
        original: `(B, C, H, W)` in [0, 1].
        change: of the same shape; its sign says whether the room towards white or black counts.

    Returns:
        Like `original`, not negative; 1 where a pixel is as its neighbourhood.
    """
    mean = _blur(original, NEIGHBOURHOOD * max(original.shape[-2:]))
    room = torch.where(change > 0, 1 - original, original).clamp_min(0)
    about = torch.where(change > 0, 1 - mean, mean)
    return torch.where(about > _LEAST_ROOM, room / about, 1.0)


def _blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    planes = images.cpu().float().flatten(0, 1).numpy()
    return torch.from_numpy(np.stack([_blur_plane(plane, sigma) for plane in planes])).view(images.shape).to(images)


def _blur_plane(plane: np.ndarray, sigma: float) -> np.ndarray:
    height, width = plane.shape
    step = max(1.0, sigma / _WIDEST_BLUR)
    if step > 1:
        size = (max(1, round(width / step)), max(1, round(height / step)))
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(plane, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR) if step > 1 else soft


def compose_decoded(
    original: torch.Tensor, decoded: torch.Tensor, soft_mask: torch.Tensor, strength: float = 1.0
) -> torch.Tensor:
    """(1 - s M) I + s M D(z_edit).

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        decoded: D(z_edit) `(B, C, H, W)`; what lies outside [0, 1] is held to it.
        soft_mask: M `(B, 1, H, W)` in [0, 1].
        strength: s, [0, 1].

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    weight = strength * soft_mask
    return (1 - weight) * original + weight * decoded.clamp(0, 1)


def interpolate_latents(clean: torch.Tensor, edited: torch.Tensor, strength: float) -> torch.Tensor:
    """z_0 + s (z_edit - z_0): the edit's strength where latents are given back and nothing is decoded.

    The decoder is not linear, so what they decode to is near the picture edited at that strength, not equal to it.

    Args:
        clean: z_0 `(B, C, h, w)`.
        edited: z_edit, of the same shape.
        strength: s, [0, 1]; 0 gives `clean` and 1 `edited` bit for bit, and where they are equal they stay so.
    """
    return edited if strength == 1 else torch.lerp(clean.to(edited.dtype), edited, strength)


def match_channels(values: torch.Tensor, channels: int, grey: torch.Tensor | None = None) -> torch.Tensor:
    """Bring pictures to a number of channels.

    Args:
        values: `(B, 1 | 3, H, W)`.
        channels: 1 or 3.
        grey: `(B,)` bool, which of them get the mean of their channels in all, so that grey pictures stay grey.

    Returns:
        `(B, channels, H, W)`.
    """
    mean = values.mean(dim=1, keepdim=True)
    if channels == 1 or values.shape[1] == 1:
        return mean.expand(-1, channels, -1, -1)
    return values if grey is None else torch.where(grey[:, None, None, None], mean, values)


def is_grey(pixels: torch.Tensor, tolerance: float = 0.0) -> torch.Tensor:
    """Which pictures have equal channels.

    Args:
        pixels: `(B, 1 | 3, H, W)` in [0, 1].
        tolerance: mean difference between the channels that still counts as grey.

    Returns:
        `(B,)` bool.
    """
    spread = pixels.amax(dim=1) - pixels.amin(dim=1)
    return spread.flatten(1).mean(dim=1) <= tolerance
