"""The metrics of an evaluation on a dataset: keys, titles, which way is better. Defined in full in `docs/metrics.md`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from x2x_core.common.errors import InputError

HIGHER, LOWER, NEITHER = "higher", "lower", ""
FINDINGS, PATIENT, PIXELS = "Findings, read by a classifier", "The patient, read by networks", "Pixels"
ANATOMY, ATTRIBUTES, IMAGES = "Anatomy, outlined by networks", "Attributes, read by a network", "All images together"


@dataclass(frozen=True)
class MetricInfo:
    """What a metric is called and how it is shown."""

    title: str
    better: str
    meaning: str
    percent: bool = False
    digits: int = 3
    group: str = ""  # heading that a report shows it under


METRICS = {
    "pathology_auroc": MetricInfo(
        "Pathology AUROC", HIGHER, "of a finding classifier against the target's labels", True, 1
    ),
    "race_accuracy": MetricInfo("Race accuracy", HIGHER, "of a race classifier against the patient's record", True, 1),
    "race_auroc": MetricInfo("Race AUROC", HIGHER, "one class against the rest, mean over classes", True, 1),
    "age_correlation": MetricInfo("Age correlation", HIGHER, "Pearson's, of estimated with recorded age", True, 1),
    "cmig": MetricInfo("CMIG", HIGHER, "composite of pathology AUROC, race accuracy and age correlation", True, 1),
    "cmig_race_auroc": MetricInfo("CMIG (race AUROC)", HIGHER, "the same with race AUROC", True, 1),
    "label_kl": MetricInfo("Label KL", LOWER, "divergence of predicted labels, real from edited, in nats", False, 4),
    "fid": MetricInfo("FID", LOWER, "Frechet distance of features, edited from real", False, 2),
    "change_outside_mask": MetricInfo("Change outside mask", LOWER, "the largest; must be 0", False, 4),
    "editable_share": MetricInfo("Editable share", LOWER, "of the image that the mask covers", True, 1),
    "changed_share": MetricInfo("Changed share", NEITHER, "of the image's pixels that differ from the input", True, 1),
    "ssim_inside": MetricInfo("SSIM inside", HIGHER, "to the real target, in the mask"),
    "psnr_inside": MetricInfo("PSNR inside (dB)", HIGHER, "to the real target, in the mask", False, 1),
    "ssim_outside": MetricInfo("SSIM outside", HIGHER, "to the input, outside the mask"),
    "psnr_outside": MetricInfo("PSNR outside (dB)", HIGHER, "to the input, outside the mask; at most 100", False, 1),
    "flip_rate": MetricInfo("Flip rate", HIGHER, "added or removed findings that the classifier then sees so", True, 1),
    "score_follows": MetricInfo("Score follows", HIGHER, "findings whose score goes the way it was told", True, 1),
    "collateral_flips": MetricInfo(
        "Collateral flips", LOWER, "other findings that the classifier sees otherwise", True, 1
    ),
    "lung_dice": MetricInfo("Lung Dice", HIGHER, "of the lung fields found in the image and in the input"),
    "attribute_correlation": MetricInfo(
        "Attribute correlation", HIGHER, "mean over attributes, with the truth", True, 1
    ),
    "attribute_worst": MetricInfo("Worst attribute", HIGHER, "the lowest of these correlations", True, 1),
}
_GROUPS = {
    FINDINGS: ("pathology_auroc", "label_kl", "flip_rate", "score_follows", "collateral_flips"),
    PATIENT: ("race_accuracy", "race_auroc", "age_correlation", "cmig", "cmig_race_auroc"),
    IMAGES: ("fid",),
    PIXELS: (
        "change_outside_mask",
        "editable_share",
        "changed_share",
        "ssim_inside",
        "psnr_inside",
        "ssim_outside",
        "psnr_outside",
    ),
    ANATOMY: ("lung_dice",),
    ATTRIBUTES: ("attribute_correlation", "attribute_worst"),
}
_GROUP_OF = {key: group for group, keys in _GROUPS.items() for key in keys}
ATTRIBUTE_PREFIX = "correlation_"  # "correlation_yaw", ...: Pearson's of one attribute
DICE_PREFIX = "dice_"  # "dice_heart", ...: overlap of one structure that a segmenter outlines


def dice_key(structure: str) -> str:
    """The key of a structure's overlap: "left lung" has "dice_left_lung"."""
    return DICE_PREFIX + structure.replace(" ", "_")


def info(key: str) -> MetricInfo:
    """What is known of a metric.

    Raises:
        InputError: there is none of this key.
    """
    if key in METRICS:
        return replace(METRICS[key], group=_GROUP_OF[key])
    if key.startswith(ATTRIBUTE_PREFIX):
        name = key.removeprefix(ATTRIBUTE_PREFIX)
        return MetricInfo(
            f"Correlation of {name}", HIGHER, f"Pearson's, of estimated with true {name}", True, 1, ATTRIBUTES
        )
    if key.startswith(DICE_PREFIX):
        name = key.removeprefix(DICE_PREFIX).replace("_", " ")
        return MetricInfo(
            f"{name.capitalize()} Dice", HIGHER, f"of the {name} outlined in the image and in the input", group=ANATOMY
        )
    known = f"{', '.join(METRICS)}, {ATTRIBUTE_PREFIX}NAME or {DICE_PREFIX}NAME"
    raise InputError(f"`key` must be one of {known}, got {key!r}.")
