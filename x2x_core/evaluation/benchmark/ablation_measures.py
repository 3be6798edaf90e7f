"""Every measure of an edit against its truth: what it is called, what it means, which way is better."""

from __future__ import annotations

from dataclasses import dataclass

from x2x_core.evaluation.metrics.fidelity import fidelity
from x2x_core.evaluation.metrics.preservation import attributes_kept, change_outside

from .simulated import EditedPair, TruePair, score_pair, true_region

HIGHER, LOWER = "higher", "lower"


@dataclass(frozen=True)
class Measure:
    """A column of the comparison."""

    key: str
    title: str
    group: str
    better: str  # HIGHER or LOWER
    meaning: str
    percent: bool = False  # shown as a percentage
    digits: int = 3  # shown after the point
    statistic: str = "mean"  # over pairs, see `x2x_core.evaluation.metrics.bootstrap`

    @property
    def scale(self) -> int:
        """What values are multiplied by to be shown."""
        return 100 if self.percent else 1

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title} (%)" if self.percent else self.title

    def text(self, value: float | None) -> str:
        """A value as it is shown under the heading."""
        return "-" if value is None else f"{self.scale * value:.{self.digits}f}"


FOUND = "Guidance map"
OUTSIDE = "Outside the region"
INSIDE = "Inside the region"
RIGHT = "The edit"
KEPT = "Kept outside"

MEASURES = (
    Measure("average_precision", "Average precision", FOUND, HIGHER, "of the map against the exact region"),
    Measure("energy_inside", "Energy inside", FOUND, HIGHER, "share of the map's energy in the exact region"),
    Measure("pointing", "Pointing", FOUND, HIGHER, "the map's highest value lies in the exact region"),
    Measure("best_iou", "Best IoU", FOUND, HIGHER, "of the map at its best threshold with the exact region"),
    Measure("change_outside", "Mean change", OUTSIDE, LOWER, "mean absolute change of grey value", True, 2),
    Measure("energy_outside", "Share of energy", OUTSIDE, LOWER, "share of the edit's energy", True, 1),
    Measure("editable_share", "Editable share", OUTSIDE, LOWER, "of the whole image, that may change", True, 1),
    Measure(
        "mse_ratio", "Error ratio", INSIDE, LOWER, "squared error over the unedited image's; median", False, 2, "median"
    ),
    Measure("ssim", "SSIM", INSIDE, HIGHER, "structural similarity to the truth"),
    Measure("psnr", "PSNR (dB)", INSIDE, HIGHER, "of the edit against the truth", digits=1),
    Measure("direction", "Right direction", RIGHT, HIGHER, "pairs changed towards the truth", True, 1),
    Measure("in_region", "In region", RIGHT, HIGHER, "pairs with half of the change in the true region", True, 1),
    Measure("closer", "Closer to truth", RIGHT, HIGHER, "pairs that the edit brought closer", True, 1),
    Measure("structure", "Structure", KEPT, HIGHER, "correlation of gradient magnitudes with the truth"),
    Measure("brightness_shift", "Brightness shift", KEPT, LOWER, "of the mean, in standard deviations"),
    Measure("contrast_shift", "Contrast shift", KEPT, LOWER, "of the standard deviation, relative"),
)
# "The region" is the true region, where the truth changes, grown a little; the guidance map is held to the exact one.
GROUPS = tuple(dict.fromkeys(measure.group for measure in MEASURES))
REFERENCE_KEYS = ("mse_ratio", "ssim", "psnr")  # those that say something of the unedited image


def measure_edit(pair: TruePair, edit: EditedPair) -> dict[str, float | None]:
    """All measures of one edit by their keys, and "changed_outside_mask"; ``None`` where one is undefined.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: the instruction names no known finding.
    """
    region = true_region(pair.after - pair.before)
    found = {
        **vars(score_pair(pair, edit)),
        **change_outside(edit.image, pair.before, region),
        **fidelity(edit.image, pair.before, pair.after, region),
        **attributes_kept(edit.image, pair.after, region),
    }
    values = {key: found[key] for key in (*(measure.key for measure in MEASURES), "changed_outside_mask")}
    return {key: None if value is None else float(value) for key, value in values.items()}


def measure_unedited(pair: TruePair) -> dict[str, float | None]:
    """What the image as it was scores in `REFERENCE_KEYS`."""
    found = fidelity(pair.before, pair.before, pair.after, true_region(pair.after - pair.before))
    return {key: found[key] for key in REFERENCE_KEYS}
