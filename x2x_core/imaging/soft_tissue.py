"""The grey of a picture's soft tissue, place by place."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .continuation import continue_field

# Share of a picture's smoothed greys up to which they count as soft tissue; brighter ones are metal and markers.
_TISSUE_QUANTILE = 0.97
# Greys up to which a picture is not exposed: the border of a collimated film.
_BLACK = 0.05
# Longer side in pixels at which the grey of soft tissue is found, and its scales from coarse to fine, shares of it.
_TISSUE_VIEW = 256
_TISSUE_SCALES = (0.2, 0.1, 0.05, 0.025)
# Share of a scale's surroundings that must be soft tissue for its grey there to be trusted in full.
_TISSUE_SHARE = 0.15


def soft_tissue_grey(mean: torch.Tensor) -> torch.Tensor:
    """Return the grey of the soft tissue nearest to each pixel, `(B, C, H, W)`.

    Soft tissue is what is nearer to the picture's brightest 3 %, which are metal and markers, than to the median of
    its exposed part, which lies in the lungs or in the chest wall. Its grey is a mean over the surroundings, from the
    narrowest of several scales that contain enough of it.

    Args:
        mean: `(B, C, H, W)` in [0, 1], pictures smoothed as far as hides markers and bones.
    """
    planes = mean.cpu().float().flatten(0, 1).numpy()
    return torch.from_numpy(np.stack([_tissue_grey_of(plane) for plane in planes])).view(mean.shape).to(mean)


def _tissue_grey_of(plane: np.ndarray) -> np.ndarray:
    height, width = plane.shape
    scale = min(1.0, _TISSUE_VIEW / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    view = cv2.resize(plane, size, interpolation=cv2.INTER_AREA) if scale < 1 else plane
    brightest = np.float32(np.quantile(view, _TISSUE_QUANTILE))
    exposed = view[view > _BLACK]
    typical = np.median(exposed) if exposed.size else brightest
    chosen = (view >= (typical + brightest) / 2) & (view <= brightest)
    tissue = chosen.astype(np.float32)
    field = np.full_like(view, view[chosen].mean())
    sigmas = [share * max(size) for share in _TISSUE_SCALES]
    field = continue_field(view, tissue, field, sigmas, _TISSUE_SHARE)
    return cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR) if scale < 1 else field
