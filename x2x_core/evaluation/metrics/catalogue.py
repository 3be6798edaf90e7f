"""Measures of an evaluation on a dataset. `docs/metrics.md` defines them in full."""

from __future__ import annotations

from x2x_core.common.errors import InputError

from .measure import HIGHER, LOWER, NEITHER, Measure

FINDINGS, PATIENT, PIXELS = "Findings, read by a classifier", "The patient, read by networks", "Pixels"
ANATOMY, ATTRIBUTES, IMAGES = "Anatomy, outlined by networks", "Attributes, read by a network", "All images together"
ATTRIBUTE_PREFIX = "correlation_"  # "correlation_yaw", ...: Pearson's correlation of one attribute
DICE_PREFIX = "dice_"  # "dice_heart", ...: overlap of one structure that a segmenter outlines

_MEASURES = (
    Measure("pathology_auroc", "Pathology AUROC", FINDINGS, HIGHER,
            "of a finding classifier against the target's labels", True, 1),
    Measure("race_accuracy", "Race accuracy", PATIENT, HIGHER, "of a race classifier against the patient's record",
            True, 1),
    Measure("race_auroc", "Race AUROC", PATIENT, HIGHER, "one class against the rest, mean over classes", True, 1),
    Measure("age_correlation", "Age correlation", PATIENT, HIGHER, "Pearson's, of estimated with recorded age",
            True, 1),
    Measure("cmig", "CMIG", PATIENT, HIGHER, "composite of pathology AUROC, race accuracy and age correlation",
            True, 1),
    Measure("cmig_race_auroc", "CMIG (race AUROC)", PATIENT, HIGHER, "the same with race AUROC", True, 1),
    Measure("label_kl", "Label KL", FINDINGS, LOWER, "divergence of predicted labels, real from edited, in nats",
            digits=4),
    Measure("fid", "FID", IMAGES, LOWER, "Frechet distance of features, edited from real", digits=2),
    Measure("kid", "KID", IMAGES, LOWER, "kernel distance of the same features; can be negative", digits=4),
    Measure("precision", "Precision", IMAGES, HIGHER, "edited images that lie among real ones", True, 1),
    Measure("recall", "Recall", IMAGES, HIGHER, "real images that lie among edited ones", True, 1),
    Measure("density", "Density", IMAGES, HIGHER, "how many real neighbourhoods an edited image lies in, over 5"),
    Measure("coverage", "Coverage", IMAGES, HIGHER, "real images with an edited one in their neighbourhood", True, 1),
    Measure("frd", "FRD", IMAGES, LOWER, "log of the Frechet distance of radiomic features", digits=2),
    Measure("patient_kept", "Patient kept", PATIENT, HIGHER,
            "edited images most similar to a real target of their own patient", True, 1),
    Measure("image_text", "Image-text fit", FINDINGS, HIGHER, "cosine of image and caption of the target"),
    Measure("change_outside_mask", "Change outside mask", PIXELS, LOWER, "the largest; must be 0", digits=4),
    Measure("editable_share", "Editable share", PIXELS, LOWER, "share of the image that the mask covers", True, 1),
    Measure("changed_share", "Changed share", PIXELS, NEITHER, "share of pixels that differ from the input", True, 1),
    Measure("ssim_inside", "SSIM inside", PIXELS, HIGHER, "to the real target, in the mask"),
    Measure("psnr_inside", "PSNR inside (dB)", PIXELS, HIGHER, "to the real target, in the mask", digits=1),
    Measure("ssim_outside", "SSIM outside", PIXELS, HIGHER, "to the input, outside the mask"),
    Measure("psnr_outside", "PSNR outside (dB)", PIXELS, HIGHER, "to the input, outside the mask; at most 100",
            digits=1),
    Measure("effectiveness", "Effectiveness", FINDINGS, HIGHER,
            "added or removed findings predicted as requested, whatever was predicted before", True, 1),
    Measure("flip_rate", "Flip rate", FINDINGS, HIGHER, "added or removed findings whose prediction flips accordingly",
            True, 1),
    Measure("score_follows", "Score follows", FINDINGS, HIGHER, "findings whose score moves in the requested direction",
            True, 1),
    Measure("collateral_flips", "Collateral flips", FINDINGS, LOWER, "other findings whose prediction flips", True, 1),
    Measure("lung_dice", "Lung Dice", ANATOMY, HIGHER, "of the lung fields found in the image and in the input"),
    Measure("attribute_correlation", "Attribute correlation", ATTRIBUTES, HIGHER,
            "mean over attributes, with the truth", True, 1),
    Measure("attribute_worst", "Worst attribute", ATTRIBUTES, HIGHER, "the lowest of these correlations", True, 1),
)  # fmt: skip
METRICS = {measure.key: measure for measure in _MEASURES}


def dice_key(structure: str) -> str:
    """Return the key of a structure's overlap: "left lung" has "dice_left_lung"."""
    return DICE_PREFIX + structure.replace(" ", "_")


def info(key: str) -> Measure:
    """Return the measure of a key.

    Raises:
        InputError: an unknown key.
    """
    if key in METRICS:
        return METRICS[key]
    if key.startswith(ATTRIBUTE_PREFIX):
        name = key.removeprefix(ATTRIBUTE_PREFIX)
        meaning = f"Pearson's, of estimated with true {name}"
        return Measure(key, f"Correlation of {name}", ATTRIBUTES, HIGHER, meaning, True, 1)
    if key.startswith(DICE_PREFIX):
        name = key.removeprefix(DICE_PREFIX).replace("_", " ")
        meaning = f"of the {name} outlined in the image and in the input"
        return Measure(key, f"{name.capitalize()} Dice", ANATOMY, HIGHER, meaning)
    known = f"{', '.join(METRICS)}, {ATTRIBUTE_PREFIX}NAME or {DICE_PREFIX}NAME"
    raise InputError(f"`key` must be one of {known}, got {key!r}.")
