"""The arithmetic of composition: combining an edit with the original picture.

"difference" adds the change between two decodings, of the edited latents and of the original's, to the original. What
the autoencoder loses is lost in both and cancels, so ribs, vessels and grain of the original remain visible under a new
opacity and fade as it gets denser, and a change computed at 256 pixels can be added to a picture of 3000.

"saturating" adds the same change through a tone curve that saturates at the grey of the picture's own soft tissue
nearby, as a film does: an opacity, however dense, is never brighter than the tissue beside it, and the border between
the two is lost.

"decoded" replaces the original by the decoding itself, as in the published code.

All are scaled by a strength s in [0, 1], which multiplies the change: 0 is the original and 1 the full edit, both bit
for bit, and every grey value changes monotonically between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from x2x_core.imaging.geometry import box_around
from x2x_core.imaging.soft import smoothstep
from x2x_core.imaging.soft_tissue import soft_tissue_grey
from x2x_core.imaging.tone import brightening
from x2x_core.imaging.wide_blur import wide_blur

#: Standard deviation of a pixel's neighbourhood, share of the longer side of what the model saw, a picture or a crop of
#: it: about the size of a latent cell at 256.
NEIGHBOURHOOD = 1 / 64
#: If the neighbourhood's headroom is at most this, the change is added unscaled.
_LEAST_HEADROOM = 0.05
# Standard deviation of the neighbourhood of extents, share of the picture's longer side.
_EXTENT_CELL = 1 / 400
# Share of the way to the ceiling that a change which is known there reaches at most, and how much it amplifies detail.
_MOST_SATURATED = 0.97
_MOST_CONTRAST = 1.5
# Share of the pixels inside a mask that count as dark.
_DARK_QUANTILE = 0.1
# Share of the way from dark to soft tissue up to which surroundings are dark; from 1 minus it they are soft tissue.
_FROM_DARK = 0.35
# Most pixels that a quantile is taken of.
_QUANTILE_PIXELS = 100_000


def compose_difference(
    original: torch.Tensor,
    change: torch.Tensor,
    soft_mask: torch.Tensor,
    strength: float = 1.0,
    shares: Sequence[float] | None = None,
) -> torch.Tensor:
    """Return I + s M g (D(z_edit) - D(z_0)), with g the pixel's headroom relative to its neighbourhood's.

    The headroom is 1 - I towards white and I towards black; the neighbourhood's is that of its mean. So the mean
    changes as the model predicts, and detail keeps its share of the remaining headroom: under fluid, vessels fade and
    the edge of the diaphragm disappears, where a plain sum would only brighten both.

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        change: D(z_edit) - D(z_0) `(B, C, H, W)` in grey values, [-1, 1].
        soft_mask: M `(B, 1, H, W)` in [0, 1].
        strength: s, [0, 1].
        shares: for each picture, the share of its longer side that the model saw, (0, 1]; ``None``: whole pictures.

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    weight = strength * soft_mask
    return (original + weight * relative_headroom(original, change, shares) * change).clamp(0, 1)


def compose_saturating(
    original: torch.Tensor,
    change: torch.Tensor,
    soft_mask: torch.Tensor,
    strength: float = 1.0,
    shares: Sequence[float] | None = None,
    exact: bool = False,
) -> torch.Tensor:
    """Return the original with a change that saturates at the grey of the soft tissue nearby, or at black.

    A change d is an optical thickness on the tone curve of `x2x_core.imaging.tone`, I' = c - (c - I) exp(-T), with
    T = M d / (c - m), where m is the mean of the pixel's neighbourhood and c is `soft_tissue_grey`. A small d
    brightens the mean by d, a large one brings it to c, and ribs and vessels go on under the opacity with less
    contrast. Pixels brighter than c stay as they are. Where the mask ends at soft tissue, a brightening does not fade
    (`closed_edges`): an opacity reaches the heart's border, and hides it.

    A darkening d brings the mean to m exp(T), with T = M d / m. Detail that is brighter than the mean, such as a rib,
    keeps exp(T / 2) of its contrast, darker detail exp(T). The strength s is the share of I' - I.

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        change: D(z_edit) - D(z_0) `(B, C, H, W)` in grey values, [-1, 1].
        soft_mask: M `(B, 1, H, W)` in [0, 1].
        strength: s, [0, 1].
        shares: as for `compose_difference`.
        exact: the change is known at the resolution of extents, and has saturated already: the mean there becomes
            m + M d, and finer detail is scaled as the tone curve scales it, by (c - m - M d) / (c - m). So it shrinks
            under an opacity, and comes back where one is removed.

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    whole = _neighbourhood_mean(original)
    if exact:
        shares = [_EXTENT_CELL / NEIGHBOURHOOD] * len(original)
    mean = whole if shares is None else _neighbourhood_mean(original, shares)
    tissue = soft_tissue_grey(whole)
    closed = closed_edges(soft_mask, whole, tissue)
    composed, box = original.clone(), box_around((soft_mask > 0).any(dim=0)[0].cpu().numpy())
    if box is not None:
        inside = (values[..., box[0], box[1]] for values in (original, change, soft_mask, closed, mean, tissue))
        part = _Part(*inside)
        made = _reached(part) if exact else _saturated(part)
        composed[..., box[0], box[1]] = (part.original + strength * made).clamp(0, 1)
    return composed


@dataclass(frozen=True)
class _Part:
    """The part of the pictures around their masks, each `(B, 1 | C, h, w)`; see `compose_saturating`."""

    original: torch.Tensor  # I
    change: torch.Tensor  # d
    soft_mask: torch.Tensor  # M
    closed: torch.Tensor  # M with closed edges
    mean: torch.Tensor  # m
    tissue: torch.Tensor  # c


def _reached(part: _Part) -> torch.Tensor:
    """Return I' - I where the change is known and reached."""
    d = torch.where(part.change > 0, part.closed, part.soft_mask) * part.change
    ceiling = torch.maximum(part.tissue, part.mean + d / _MOST_SATURATED)
    room = (ceiling - part.mean).clamp_min(_LEAST_HEADROOM)
    contrast = ((room - d) / room).clamp(0, _MOST_CONTRAST)
    made = d + (contrast - 1) * (part.original - part.mean)
    return torch.where(part.change > 0, made.clamp_min(0), made.clamp_max(0))  # metal stays as bright as it is


def _saturated(part: _Part) -> torch.Tensor:
    """Return I' - I where the change is an optical thickness."""
    up = part.closed * part.change / (part.tissue - part.mean).clamp_min(_LEAST_HEADROOM)
    thickness = part.soft_mask * part.change / part.mean.clamp_min(_LEAST_HEADROOM)
    detail = part.original - part.mean
    kept = torch.where(detail > 0, torch.expm1(thickness / 2), torch.expm1(thickness))
    darker = part.mean * torch.expm1(thickness) + detail * kept
    return torch.where(part.change > 0, brightening(part.original, up, part.tissue), darker)


def compose_change(
    composition: str,
    original: torch.Tensor,
    change: torch.Tensor,
    soft_mask: torch.Tensor,
    strength: float = 1.0,
    shares: Sequence[float] | None = None,
    exact: bool = False,
) -> torch.Tensor:
    """Return the original with a change, by "difference" or "saturating"; other arguments as for them.

    The channels of grey pictures get the same, so one is computed.
    """
    channels = 1 if is_grey(original).all() and is_grey(change).all() else original.shape[1]
    before, change = original[:, :channels], change[:, :channels]
    if composition == "saturating":
        composed = compose_saturating(before, change, soft_mask, strength, shares, exact)
    else:
        composed = compose_difference(before, change, soft_mask, strength, shares)
    return composed if composed.shape == original.shape else composed.expand_as(original).clone()


def closed_edges(soft_mask: torch.Tensor, mean: torch.Tensor, tissue: torch.Tensor) -> torch.Tensor:
    """Return a mask that fades only where it ends in dark surroundings, `(B, 1 | C, H, W)` in [0, 1].

    Beside an edge to soft tissue the fade is taken back in the dark; within the tissue it stays, or the outline of the
    mask would be a second contour. "Dark" is what is nearer to the dark tenth inside the mask.

    Args:
        soft_mask: M `(B, 1, H, W)` in [0, 1], above 0 exactly inside the mask.
        mean: `(B, C, H, W)` in [0, 1], smoothed pictures.
        tissue: `(B, C, H, W)`, the grey of soft tissue.

    Returns:
        M or more inside the mask, exactly 0 outside.
    """
    inside = soft_mask > 0
    planes = [
        _closed_edge(soft_mask[number, 0], mean[number, channel], tissue[number, channel])
        if inside[number].any() and not inside[number].all()
        else soft_mask[number, 0]
        for number in range(len(mean))
        for channel in range(mean.shape[1])
    ]
    return torch.stack(planes).view(mean.shape)


def _closed_edge(soft: torch.Tensor, mean: torch.Tensor, tissue: torch.Tensor) -> torch.Tensor:
    inside = soft > 0
    dark = torch.quantile(mean[inside][:: _every(inside)].float(), _DARK_QUANTILE)
    range_ = (tissue - dark).clamp_min(_LEAST_HEADROOM)
    like_tissue = smoothstep(((mean - dark) / range_ - _FROM_DARK) / (1 - 2 * _FROM_DARK)).to(soft)
    outside = (~inside).float()
    sigma = 2 * NEIGHBOURHOOD * max(soft.shape)
    known, bright = (wide_blur(part.cpu().numpy(), sigma) for part in (outside, outside * like_tissue))
    closed = torch.from_numpy((bright / np.maximum(known, 1e-4)).clip(0, 1)).to(soft)
    return torch.where(inside, soft + (1 - soft) * closed * (1 - like_tissue), soft)


def _every(inside: torch.Tensor) -> int:
    """Return the step at which a mask's pixels are few enough for a quantile."""
    return max(1, int(inside.sum()) // _QUANTILE_PIXELS)


def relative_headroom(
    original: torch.Tensor, change: torch.Tensor, shares: Sequence[float] | None = None
) -> torch.Tensor:
    """Return g of `compose_difference`: each pixel's headroom relative to its neighbourhood's mean.

    Args:
        original: `(B, C, H, W)` in [0, 1].
        change: of the same shape; its sign selects the headroom towards white or black.
        shares: as for `compose_difference`.

    Returns:
        Of the same shape, at least 0; 1 where a pixel equals its neighbourhood's mean.
    """
    mean = _neighbourhood_mean(original, shares)
    headroom = torch.where(change > 0, 1 - original, original).clamp_min(0)
    mean_headroom = torch.where(change > 0, 1 - mean, mean)
    return torch.where(mean_headroom > _LEAST_HEADROOM, headroom / mean_headroom, 1.0)


def _neighbourhood_mean(images: torch.Tensor, shares: Sequence[float] | None = None) -> torch.Tensor:
    """Return the mean of each pixel's neighbourhood, of the shape of `images`."""
    sigma = NEIGHBOURHOOD * max(images.shape[-2:])
    sigmas = [sigma * share for share in shares or [1.0] * len(images)]
    planes = [
        wide_blur(plane, own)
        for image, own in zip(images.cpu().float().numpy(), sigmas, strict=True)
        for plane in image
    ]
    return torch.from_numpy(np.stack(planes)).view(images.shape).to(images)


def compose_decoded(
    original: torch.Tensor, decoded: torch.Tensor, soft_mask: torch.Tensor, strength: float = 1.0
) -> torch.Tensor:
    """Return (1 - s M) I + s M D(z_edit).

    Args:
        original: I `(B, C, H, W)` in [0, 1].
        decoded: D(z_edit) `(B, C, H, W)`, clipped to [0, 1].
        soft_mask: M `(B, 1, H, W)` in [0, 1].
        strength: s, [0, 1].

    Returns:
        `(B, C, H, W)` in [0, 1].
    """
    weight = strength * soft_mask
    return (1 - weight) * original + weight * decoded.clamp(0, 1)


def interpolate_latents(clean: torch.Tensor, edited: torch.Tensor, strength: float) -> torch.Tensor:
    """Return z_0 + s (z_edit - z_0), the edit at a strength, for output as latents.

    The decoder is not linear, so the result decodes to approximately the picture edited at that strength.

    Args:
        clean: z_0 `(B, C, h, w)`.
        edited: z_edit, of the same shape.
        strength: s, [0, 1]; 0 gives `clean` and 1 `edited` bit for bit; equal values are unchanged.
    """
    return edited if strength == 1 else torch.lerp(clean.to(edited.dtype), edited, strength)


def match_channels(values: torch.Tensor, channels: int, grey: torch.Tensor | None = None) -> torch.Tensor:
    """Convert pictures to a number of channels.

    Args:
        values: `(B, 1 | 3, H, W)`.
        channels: 1 or 3.
        grey: `(B,)` bool, True for pictures that get the mean of their channels in all, so that they stay grey.

    Returns:
        `(B, channels, H, W)`.
    """
    mean = values.mean(dim=1, keepdim=True)
    if channels == 1 or values.shape[1] == 1:
        return mean.expand(-1, channels, -1, -1)
    return values if grey is None else torch.where(grey[:, None, None, None], mean, values)


def is_grey(pixels: torch.Tensor, tolerance: float = 0.0) -> torch.Tensor:
    """Return True for each picture with equal channels.

    Args:
        pixels: `(B, 1 | 3, H, W)` in [0, 1].
        tolerance: largest mean difference between the channels of a grey picture.

    Returns:
        `(B,)` bool.
    """
    if pixels.shape[1] == 1:
        return torch.ones(len(pixels), dtype=torch.bool, device=pixels.device)
    spread = pixels.amax(dim=1) - pixels.amin(dim=1)
    return spread.flatten(1).mean(dim=1) <= tolerance
