"""Composition: laying an edit over the original picture.

By difference: the change between two decodings, of the edited latents and of the original's, is added to the original.
What the autoencoder loses is lost in both and cancels, so ribs, vessels and grain of the original stay under the new
opacity, and a change computed at 256 pixels lays over a picture of 3000.

By decoding: the decoding itself takes the original's place, as in the published code.
"""

from __future__ import annotations

import torch

COMPOSITIONS = ("difference", "decoded")


def compose_difference(original: torch.Tensor, change: torch.Tensor, soft_mask: torch.Tensor) -> torch.Tensor:
    """I + M (D(z_edit) - D(z_0)).

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        change: D(z_edit) - D(z_0) `(B, C, H, W)` in grey values, [-1, 1].
        soft_mask: M `(B, 1, H, W)` in [0, 1].

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    return (original + soft_mask * change).clamp(0, 1)


def compose_decoded(original: torch.Tensor, decoded: torch.Tensor, soft_mask: torch.Tensor) -> torch.Tensor:
    """(1 - M) I + M D(z_edit).

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        decoded: D(z_edit) `(B, C, H, W)`; what lies outside [0, 1] is held to it.
        soft_mask: M `(B, 1, H, W)` in [0, 1].

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    return (1 - soft_mask) * original + soft_mask * decoded.clamp(0, 1)


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
