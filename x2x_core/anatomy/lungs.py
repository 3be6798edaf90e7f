"""Finding the lungs in a radiograph.

The network (`x2x_core.anatomy.lung_network`) looks at the image twice: first at all of it without uniform borders, then
at the chest alone. Each look averages several renderings (plain, darker and mirrored, inverted), whose agreement is
part of the confidence. Images are processed one by one, so that a batch gives the same masks as single images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.imaging.geometry import Padding, crop, fit_to, resize

from .lung_border import end_at_domes
from .lung_cleaning import without_islands, without_tails
from .lung_confidence import lung_confidence
from .lung_masks import INSIDE, LungMasks
from .lung_network import VIEW, LungNetwork
from .lung_views import Box, chest_box, content_box
from .view_unet import load_view_unet

__all__ = ["INSIDE", "LungFinder", "LungMasks", "load_network"]

DARKER = 1.6  # gamma of the second rendering, which is mirrored as well
_MIRRORED = [1, 0, 3, 2]  # outputs of the network on a mirrored view: right and left are swapped


class LungFinder:
    """Find the lungs in radiographs, on the CPU, deterministically.

    Example:
        >>> lungs = LungFinder.bundled().find(image)  # (B, 1, H, W) in [0, 1]
        >>> lungs.left, lungs.confidence

    Args:
        network: the network with its weights.
    """

    def __init__(self, network: LungNetwork) -> None:
        self.network = network.float().eval().requires_grad_(False)

    @classmethod
    def bundled(cls) -> LungFinder:
        """Return the bundled finder; its weights are read on the first call."""
        return _bundled()

    @classmethod
    def load(cls, path: str | Path) -> LungFinder:
        """Read weights (`.safetensors`).

        Raises:
            InputNotFoundError: there is no such file.
            InputError: it does not hold weights of this network.
        """
        return cls(load_network(path))

    @torch.no_grad()
    def find(self, image: torch.Tensor) -> LungMasks:
        """Find the lungs.

        Args:
            image: `(B, C, H, W)` floating point in [0, 1], C = 1 or 3, of any size.

        Returns:
            The masks at the image's size. If nothing looks like lungs, masks and confidence are about 0.

        Raises:
            InputError: another shape, type or range.
        """
        single = [self._find_one(grey[None]) for grey in _as_grey(image)]
        right, left, right_whole, left_whole = torch.cat([masks for masks, _ in single]).split(1, dim=1)
        confidence = torch.tensor([sure for _, sure in single])
        return LungMasks(right, left, right_whole, left_whole, confidence)

    def _find_one(self, grey: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Return the masks `(1, 4, H, W)` of one image `(1, 1, H, W)` and their confidence."""
        masks = torch.zeros(1, 4, *grey.shape[-2:])
        box = content_box(grey)
        if box is None:
            return masks, 0.0
        look = self._look(grey, box)
        chest = chest_box(look.probabilities(fields_only=True), box)
        if chest is not None:
            look = self._look(grey, box := chest)
        top, left, bottom, right = box
        cleaned = without_tails(without_islands(look.probabilities()))
        masks[..., top:bottom, left:right] = end_at_domes(cleaned, grey[..., top:bottom, left:right])
        return masks, lung_confidence(look.renderings)

    def _look(self, grey: torch.Tensor, box: Box) -> _Look:
        """Look at a box of the image, in three renderings."""
        top, left, bottom, right = box
        view, padding = fit_to(grey[..., top:bottom, left:right], VIEW)
        low, high = torch.quantile(view, torch.tensor([0.01, 0.99])).tolist()
        plain = ((view - low) / max(high - low, 1e-4)).clamp(0, 1)
        logits = self.network(torch.cat([plain, plain.flip(-1) ** DARKER, 1 - plain]))
        logits[1] = logits[1, _MIRRORED].flip(-1)
        smooth = F.avg_pool2d(F.pad(logits.mean(0, keepdim=True), (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        size = (bottom - top, right - left)
        return _Look(crop(smooth, padding), size, _blank_padding(logits.sigmoid(), padding))


@dataclass(frozen=True)
class _Look:
    """A look of the network at a box of an image."""

    logits: torch.Tensor  # (1, 4, h, w), mean of the renderings, of the box in its view
    size: tuple[int, int]  # of the box in pixels of the image
    renderings: torch.Tensor  # (3, 4, VIEW, VIEW) probabilities

    def probabilities(self, fields_only: bool = False) -> torch.Tensor:
        """Return probabilities in the box, `(1, 4, *size)`, or those of the lung fields alone, `(1, 2, *size)`."""
        return resize(self.logits[:, :2] if fields_only else self.logits, self.size).sigmoid()


@lru_cache(maxsize=1)
def _bundled() -> LungFinder:
    return LungFinder.load(bundled_path("lungs"))


def load_network(path: str | Path) -> LungNetwork:
    """Read the lung network with the weights of a file (`.safetensors`), in float32.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it does not hold weights of this network.
    """
    return load_view_unet(path, LungNetwork, "lung finder")


def _as_grey(image: torch.Tensor) -> torch.Tensor:
    if not isinstance(image, torch.Tensor) or image.ndim != 4 or image.shape[1] not in (1, 3) or 0 in image.shape:
        got = tuple(image.shape) if isinstance(image, torch.Tensor) else type(image).__name__
        raise InputError(f"`image` must be a tensor (B, 1 or 3, H, W), got {got}.")
    if not image.is_floating_point():
        raise InputError(f"`image` must be floating point in [0, 1], got {image.dtype}.")
    grey = image.detach().to("cpu", torch.float32).mean(1, keepdim=True)
    if not ((grey >= 0) & (grey <= 1)).all():
        raise InputError(f"`image` must lie in [0, 1], got {float(grey.min()):g} to {float(grey.max()):g}.")
    return grey


def _blank_padding(views: torch.Tensor, padding: Padding) -> torch.Tensor:
    """Return probabilities of a view with those in its padding set to 0."""
    blanked = torch.zeros_like(views)
    bottom, right = views.shape[-2] - padding.bottom, views.shape[-1] - padding.right
    blanked[..., padding.top : bottom, padding.left : right] = crop(views, padding)
    return blanked
