"""All measures of simulated pairs: their table, and their values for an edit.

"The true region" is where the truth changes, grown a little; the guidance map is judged against the exact region.
Measures without a value for an edit are ``None``: those of the levels outside triples, those of the map for references.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from x2x_core.evaluation.metrics.amount import amount
from x2x_core.evaluation.metrics.change_outside import change_outside, energy_outside
from x2x_core.evaluation.metrics.error_ratio import error_ratio
from x2x_core.evaluation.metrics.exposure import brightness_shift, contrast_shift
from x2x_core.evaluation.metrics.level_order import level_order
from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, NEITHER, Measure
from x2x_core.evaluation.metrics.psnr import psnr
from x2x_core.evaluation.metrics.ssim import ssim
from x2x_core.evaluation.metrics.structure import structure
from x2x_core.imaging.changed import changed_region

from .pair_score import score_pair
from .pairs import EditedPair, TruePair, true_region
from .plan import PlannedPair
from .rows import Row

GUIDANCE = "Guidance map"
OUTSIDE = "Outside the region"
INSIDE = "Inside the region"
EDIT = "The edit"
PRESERVED = "Kept outside"
LEVELS = "Obeys the level"
READ = "Attributes, read by a network"
SETS = "All images"

MEASURES = (
    Measure("average_precision", "Average precision", GUIDANCE, HIGHER, "of the map against the exact region"),
    Measure("energy_inside", "Energy inside", GUIDANCE, HIGHER, "share of the map's energy in the exact region"),
    Measure("pointing", "Pointing", GUIDANCE, HIGHER, "the map's highest value lies in the exact region"),
    Measure("best_iou", "Best IoU", GUIDANCE, HIGHER, "of the map at its best threshold with the exact region"),
    Measure("change_outside", "Mean change", OUTSIDE, LOWER, "mean absolute change of grey value", True, 2),
    Measure("energy_outside", "Share of energy", OUTSIDE, LOWER, "share of the edit's energy", True, 1),
    Measure("editable_share", "Editable share", OUTSIDE, LOWER, "share of the whole image that may change", True, 1),
    Measure("mse_ratio", "Error ratio", INSIDE, LOWER, "squared error over the unedited image's; median", digits=2,
            statistic="median"),
    Measure("ssim", "SSIM", INSIDE, HIGHER, "structural similarity to the truth"),
    Measure("psnr", "PSNR (dB)", INSIDE, HIGHER, "of the edit against the truth", digits=1),
    Measure("direction", "Right direction", EDIT, HIGHER, "pairs changed towards the truth", True, 1),
    Measure("in_region", "In region", EDIT, HIGHER, "pairs with half of the change in the true region", True, 1),
    Measure("closer", "Closer to truth", EDIT, HIGHER, "pairs that the edit brought closer", True, 1),
    Measure("structure", "Structure", PRESERVED, HIGHER, "correlation of gradient magnitudes with the truth"),
    Measure("brightness_shift", "Brightness shift", PRESERVED, LOWER, "of the mean, in standard deviations"),
    Measure("contrast_shift", "Contrast shift", PRESERVED, LOWER, "of the standard deviation, relative"),
    Measure("amount", "Amount", EDIT, NEITHER, "share of the true change made; median; 1 is right", digits=2,
            statistic="median"),
    Measure("monotone", "All in order", LEVELS, HIGHER, "triples whose levels change more and more", True, 1),
    Measure("ordered", "Twos in order", LEVELS, HIGHER, "of the twos of a triple, the stronger more", True, 1),
    Measure("attribute_r", "Attribute correlation", READ, HIGHER, "with the true attribute; mean over attributes"),
    Measure("attribute_worst_r", "Lowest attribute correlation", READ, HIGHER, "of the attribute kept worst"),
    Measure("attribute_shift", "Attribute shift", READ, LOWER,
            "from the real target's reading, in standard deviations"),
    Measure("attribute_worst", "Worst attribute shift", READ, LOWER,
            "of a pair's attribute that moved most; mean over pairs"),
    Measure("fid", "FID", SETS, LOWER, "between the features of the edits and of the real targets", digits=2),
)  # fmt: skip
UNDO = Measure(
    "undo", "Undo", EDIT, LOWER, "share of the change left after adding and removing; median", True, 0,
    statistic="median",
)  # fmt: skip
SHARES = ("pointing", "direction", "in_region", "closer", "monotone")  # 0 or 1 for each pair
OF_SETS = ("attribute_r", "attribute_worst_r", "fid")  # not a mean or median of one number a pair
OF_PAIRS = tuple(measure for measure in MEASURES if measure.key not in OF_SETS)
BY_KEY = {measure.key: measure for measure in MEASURES}
_MAP_KEYS = ("average_precision", "energy_inside", "pointing", "best_iou", "editable_share")  # undefined without a map
_SCORED_KEYS = (
    *_MAP_KEYS, "change_outside", "energy_outside", "mse_ratio", "ssim", "psnr", "direction", "in_region", "closer",
    "structure", "brightness_shift", "contrast_shift", "changed_outside_mask",
)  # fmt: skip
Scores = dict[str, float | None]  # key of a measure to its value


def measure_edit(pair: TruePair, edit: EditedPair) -> Scores:
    """Measure one edit by itself.

    Returns:
        Values by key, and "changed_outside_mask", the largest change outside the mask; ``None`` where undefined.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: the instruction names no known finding.
    """
    region = true_region(pair.after - pair.before)
    values: dict[str, Any] = {
        **vars(score_pair(pair, edit)),
        "change_outside": change_outside(edit.image, pair.before, region),
        "energy_outside": energy_outside(edit.image, pair.before, region),
        "mse_ratio": error_ratio(edit.image, pair.before, pair.after, region),
        "ssim": ssim(edit.image, pair.after, region),
        "psnr": psnr(edit.image, pair.after, region),
        "structure": structure(edit.image, pair.after, region),
        "brightness_shift": brightness_shift(edit.image, pair.after, region),
        "contrast_shift": contrast_shift(edit.image, pair.after, region),
    }
    return {key: None if values[key] is None else float(values[key]) for key in _SCORED_KEYS}


def score_pairs(planned: Sequence[PlannedPair], edits: Sequence[EditedPair]) -> list[Scores]:
    """Measure edits, including those of triples.

    Args:
        planned: the pairs; those of a triple come weak, moderate, strong.
        edits: one for each pair.

    Returns:
        For each pair `measure_edit` with "amount", the amount of the true change that was made, and "dose", for the
        pairs of a triple the same relative to the true change of the triple's strongest pair.
    """
    # the last pair of a triple is its strongest
    strongest = {item.triple: item.pair.after - item.pair.before for item in planned if item.triple is not None}
    scores = []
    for item, edit in zip(planned, edits):
        change, truth = edit.image - item.pair.before, item.pair.after - item.pair.before
        dose = None if item.triple is None else amount(change, strongest[item.triple])
        made = amount(change, truth) if changed_region(truth).any() else None
        scores.append({**measure_edit(item.pair, edit), "amount": made, "dose": dose})
    return scores


def score_row(row: Row, planned: Sequence[PlannedPair], edits: Sequence[EditedPair]) -> list[Scores]:
    """Measure the edits of a row; a reference has no guidance map, and the real target's PSNR is infinite."""
    scores = score_pairs(planned, edits)
    undefined = {None: (), "before": _MAP_KEYS, "after": (*_MAP_KEYS, "psnr")}[row.reference]
    return [{**score, **dict.fromkeys(undefined)} for score in scores]


def with_levels(scores: Sequence[Mapping[str, Any]], triples: Sequence[int | None]) -> list[dict[str, Any]]:
    """Add "monotone" and "ordered" (see `level_order`) to each triple's last pair, ``None`` elsewhere.

    Args:
        scores: one for each pair, with "dose".
        triples: triple of each pair; the pairs of a triple come weak, moderate, strong.
    """
    members: dict[int, list[int]] = {}
    for number, triple in enumerate(triples):
        if triple is not None:
            members.setdefault(triple, []).append(number)
    levelled: list[dict[str, Any]] = [{**score, "monotone": None, "ordered": None} for score in scores]
    for numbers in members.values():
        levelled[numbers[-1]].update(level_order([scores[number]["dose"] for number in numbers]))
    return levelled
