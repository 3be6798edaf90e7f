"""Measures of one case of a benchmark, in grey."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from x2x_core.evaluation.benchmark.pairs import true_region
from x2x_core.evaluation.metrics.attention_iou import attention_iou
from x2x_core.evaluation.metrics.average_precision import average_precision
from x2x_core.evaluation.metrics.best_iou import best_iou
from x2x_core.evaluation.metrics.change_outside import change_outside
from x2x_core.evaluation.metrics.dice import dice
from x2x_core.evaluation.metrics.error_ratio import error_ratio
from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, Measure
from x2x_core.evaluation.metrics.pointing import pointing
from x2x_core.evaluation.metrics.psnr import psnr
from x2x_core.evaluation.metrics.ssim import ssim

from .miedb import painted_region

TARGET, OUTSIDE, ATTENTION, TEXT = "To the target", "Outside the region", "Attention against the region", "Text"
MEASURES = (
    Measure("psnr", "PSNR (dB)", TARGET, HIGHER, "over the whole image", digits=1),
    Measure("ssim", "SSIM", TARGET, HIGHER, "over the whole image"),
    Measure("error_ratio", "Error ratio", TARGET, LOWER, "squared error in the region over the input's", digits=2),
    Measure("region_dice", "Painted Dice", TARGET, HIGHER, "of the region painted, for segmentations"),
    Measure("context_ssim", "Context SSIM", OUTSIDE, HIGHER, "to the input, outside the region"),
    Measure("change_outside", "Mean change", OUTSIDE, LOWER, "mean absolute change of grey value", True, 2),
    Measure("attention_iou", "IoU", ATTENTION, HIGHER, "of the attention above the middle of its range"),
    Measure("best_iou", "Best IoU", ATTENTION, HIGHER, "at the best level"),
    Measure("pointing", "Pointing", ATTENTION, HIGHER, "the highest attention lies in the region"),
    Measure("average_precision", "Average precision", ATTENTION, HIGHER, "of the attention for the region"),
    Measure("image_text", "Image-text fit", TEXT, HIGHER, "cosine of image and caption"),
)
_ATTENTION = {
    "attention_iou": attention_iou, "best_iou": best_iou, "pointing": pointing, "average_precision": average_precision,
}  # fmt: skip


@dataclass(frozen=True)
class CasePictures:
    """Pictures of a case, `(3, H, W)` in [0, 1] of the input's size, and its region `(1, H, W)` bool."""

    before: torch.Tensor
    target: torch.Tensor
    region: torch.Tensor
    painted: bool = False

    @classmethod
    def of(
        cls, before: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None, painted: bool = False
    ) -> CasePictures:
        """Return the pictures; without a mask the region is where the target differs from the input, grown a little.

        Args:
            before: `(3, H, W)` in [0, 1].
            target: like `before`.
            mask: `(1, H, W)` in [0, 1].
            painted: see `BenchCase`.
        """
        if mask is not None:
            return cls(before, target, mask > 0.5, painted)
        if painted:
            return cls(before, target, painted_region(target, before), painted)
        return cls(before, target, true_region(_grey(target - before)), painted)


def measure_case(
    pictures: CasePictures, image: torch.Tensor, attention: torch.Tensor | None = None
) -> dict[str, float | None]:
    """Return all measures but that of the text by key; ``None`` where undefined.

    Args:
        pictures: of the case.
        image: the image to judge, `(3, H, W)` in [0, 1].
        attention: the model's attention to the instruction, `(1, H, W)`; ``None``: not known.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    grey, before, target = map(_grey, (image, pictures.before, pictures.target))
    region, everywhere = pictures.region, torch.ones_like(pictures.region)
    dice_of = None
    if pictures.painted:
        dice_of = dice(painted_region(image, pictures.before), region)
    found: dict[str, float | None] = {
        "psnr": psnr(grey, target, everywhere),
        "ssim": ssim(grey, target, everywhere),
        "error_ratio": error_ratio(grey, before, target, region),
        "region_dice": dice_of,
        "context_ssim": ssim(grey, before, ~region),
        "change_outside": change_outside(grey, before, region),
        **dict.fromkeys(_ATTENTION),
    }
    if attention is not None and region.any():
        found |= {key: score(attention, region) for key, score in _ATTENTION.items()}
    return found


def _grey(picture: torch.Tensor) -> torch.Tensor:
    return picture.mean(0, keepdim=True)
