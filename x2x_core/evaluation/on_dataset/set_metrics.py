"""Measures of all images of a row together: distances of sets of features, neighbourhoods, the patient."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from x2x_core.evaluation.metrics import manifold
from x2x_core.evaluation.metrics.bootstrap import ONE_PATIENT, interval
from x2x_core.evaluation.metrics.estimates import weighted_mean
from x2x_core.evaluation.metrics.fid_interval import fid_with_interval
from x2x_core.evaluation.metrics.kernel_distance import kernel_distance
from x2x_core.evaluation.metrics.patient_kept import patient_kept
from x2x_core.evaluation.metrics.radiomics_distance import radiomics_distance
from x2x_core.evaluation.results import TARGET, Metric, Metrics

from .evidence import IDENTITY, RADIOMICS, Evidence
from .statistics import SELF

NO_FEATURES = "no source of features takes part"
NO_RADIOMICS = "radiomic features were not asked for"
NO_IDENTITY = "no network that identifies patients takes part"
NO_INTERVAL = "no interval: an estimate over the whole set"
OTHER_SET_FIXED = "interval: over images, the other set as it is"
ONE_SET = "needs images of at least two patients"
TOO_FEW = f"needs more than {manifold.NEAREST} images"
_NEIGHBOURHOODS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "precision": manifold.precision, "recall": manifold.recall, "density": manifold.density,
    "coverage": manifold.coverage,
}  # fmt: skip
KEYS = ("fid", "kid", *_NEIGHBOURHOODS, "frd", "patient_kept")


def set_metrics(evidence: Evidence, row: str, counts: torch.Tensor) -> Metrics:
    """Return the measures of a row's images together, compared with the real targets.

    Args:
        evidence: of all rows.
        row: name of the row.
        counts: how often each pair is in each resample, `(R, n)`.
    """
    if row == TARGET:
        return {key: Metric(None, n=len(evidence), note=SELF) for key in KEYS}
    images, real = evidence.rows[row], evidence.rows[TARGET]
    patients = [truth.group for truth in evidence.truths]
    return {
        **_of_features(images.features, real.features, counts),
        "frd": _radiomics(images.sets.get(RADIOMICS), real.sets.get(RADIOMICS)),
        "patient_kept": _kept(images.sets.get(IDENTITY), real.sets.get(IDENTITY), patients, counts),
    }


def _of_features(images: torch.Tensor, real: torch.Tensor, counts: torch.Tensor) -> Metrics:
    if not images.shape[1]:
        return {key: Metric(None, note=NO_FEATURES) for key in ("fid", "kid", *_NEIGHBOURHOODS)}
    n = len(images)
    few = Metric(None, n=n, note="needs at least two images")
    kid = Metric(kernel_distance(images, real), n=n, note=NO_INTERVAL) if n > 1 else few
    metrics = {"fid": fid_with_interval(images, real, counts), "kid": kid}
    for key, of_images in _NEIGHBOURHOODS.items():
        if n <= manifold.NEAREST:
            metrics[key] = Metric(None, n=n, note=TOO_FEW)
        else:
            metrics[key] = _mean(of_images(images, real), counts, OTHER_SET_FIXED)
    return metrics


def _radiomics(images: torch.Tensor | None, real: torch.Tensor | None) -> Metric:
    if images is None or real is None:
        return Metric(None, note=NO_RADIOMICS)
    if len(images) < 2:
        return Metric(None, n=len(images), note="needs at least two images")
    value = radiomics_distance(images, real)
    if value is None:
        return Metric(None, n=len(images), note="the sets coincide, or no feature varies")
    return Metric(value, n=len(images), note=NO_INTERVAL)


def _kept(images: torch.Tensor | None, real: torch.Tensor | None, patients: list[str], counts: torch.Tensor) -> Metric:
    if images is None or real is None:
        return Metric(None, note=NO_IDENTITY)
    if len(set(patients)) < 2:
        return Metric(None, n=len(images), note=ONE_SET)
    return _mean(patient_kept(images, real, patients), counts, "")


def _mean(values: torch.Tensor, counts: torch.Tensor, note: str) -> Metric:
    """Return the mean of one number an image with its interval over patients."""
    value, low, high = interval(partial(weighted_mean, values), counts)
    return Metric(value, low, high, len(values), note if low is not None else ONE_PATIENT)
