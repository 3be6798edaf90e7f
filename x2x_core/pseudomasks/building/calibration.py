"""Choosing the smoothing and the cut of an atlas by cross-validation.

Patients are split into folds; each map is learnt without one fold, and the boxes of that fold are located in it. A
pixel of a held-out box has a *level* in the map: the smallest share of the map's probability that a region must
contain to include the pixel. The levels determine how large the region must be for any coverage of unseen boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.maps import Place

from .model import THIRDS, AtlasModel, BoxGroup
from .smoothing import CANDIDATES, Smoothing, count

# The three cases in which masks are scored, by what an instruction names.
CASES = ("finding", "finding, side", "finding, side, zone")


@dataclass(frozen=True)
class HeldOut:
    """Levels of the held-out boxes of one finding in one place, in maps learnt without them."""

    mass: np.ndarray  # (k,) level of each pixel: share of the map's probability, (0, 1]
    area: np.ndarray  # (k,) the same as a share of the frame, (0, 1]
    weights: np.ndarray  # (k,) number of boxes over it
    boxes: int


@dataclass(frozen=True)
class CrossValidation:
    """Setting of a cross-validation over patients."""

    resolution: int  # side length of the maps in pixels
    own: Sequence[str]  # categories that are not pooled from others
    folds: int
    seed: int  # of the split of the patients


def split_patients(patients: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """Split patients into folds at random, as evenly as possible; returns the fold of each patient.

    Raises:
        InputError: fewer than 2 folds, or fewer patients than folds.
    """
    names = sorted(set(patients))
    if not 2 <= folds <= len(names):
        raise InputError(f"`folds` must lie between 2 and the number of patients ({len(names)}), got {folds}.")
    folds_of = np.random.default_rng(seed).permutation(len(names)) % folds
    return dict(zip(names, folds_of.tolist()))


def held_out(
    groups: Mapping[str, BoxGroup],
    smoothing: Smoothing,
    setting: CrossValidation,
    selects: Callable[[Place], bool] = lambda place: True,
) -> dict[tuple[str, Place], HeldOut]:
    """Locate the boxes of each finding in maps learnt without them, by cross-validation over patients.

    Args:
        groups: category to its boxes.
        smoothing: the smoothing method.
        setting: resolution, folds and their seed.
        selects: returns True for the places to evaluate.
    """
    patients = [name for group in groups.values() for name in group.patients]
    fold_of = split_patients(patients, setting.folds, setting.seed)
    in_fold = {name: np.array([fold_of[p] for p in group.patients]) for name, group in groups.items()}
    parts: dict[tuple[str, Place], list[HeldOut]] = {}
    for fold in range(setting.folds):
        learnt = {name: group.select(in_fold[name] != fold) for name, group in groups.items()}
        learnt = {name: group for name, group in learnt.items() if len(group)}
        tested = {name: groups[name].select(in_fold[name] == fold) for name in learnt}
        model = AtlasModel(learnt, smoothing, setting.resolution, setting.own)
        for category, place, levels in _levels(model, tested, selects):
            parts.setdefault((category, place), []).append(levels)
    return {key: _join(several) for key, several in parts.items()}


def _levels(
    model: AtlasModel, tested: Mapping[str, BoxGroup], selects: Callable[[Place], bool]
) -> Iterator[tuple[str, Place, HeldOut]]:
    for category, group in tested.items():
        for place in filter(selects, model.places(category)):
            parts = [group.rectangles[group.at(place)]]
            if place.side in ("left", "right") and model.mirrored[category]:  # the other side, mirrored
                parts.append(group.flipped().select(group.at(place.mirrored)).rectangles)
            rectangles = np.concatenate(parts)
            probability = model.probability(category, place)
            if len(rectangles) and probability.any():
                counts = count(rectangles, model.resolution)
                mass, area = _level_maps(probability)
                over = counts > 0
                yield category, place, HeldOut(mass[over], area[over], counts[over], len(rectangles))


def _level_maps(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level of each pixel, as a share of the probability and of the area."""
    order = np.argsort(-probability, axis=None, kind="stable")
    mass, area = np.empty(order.size), np.empty(order.size)
    mass[order] = np.cumsum(probability.ravel()[order]) / probability.sum()
    area[order] = np.arange(1, order.size + 1) / order.size
    return mass.reshape(probability.shape).clip(0, 1), area.reshape(probability.shape)


def _join(parts: Sequence[HeldOut]) -> HeldOut:
    mass, area, weights = (np.concatenate([getattr(p, name) for p in parts]) for name in ("mass", "area", "weights"))
    return HeldOut(mass, area, weights, sum(part.boxes for part in parts))


def weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the smallest value at or below which `share` of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    position = np.searchsorted(below, share * below[-1] * (1 - 1e-12))
    return float(values[order[min(position, len(order) - 1)]])


def choose_smoothing(
    groups: Mapping[str, BoxGroup],
    setting: CrossValidation,
    coverage: float,
    candidates: Sequence[Smoothing] = CANDIDATES,
) -> tuple[Smoothing, list[dict[str, Any]]]:
    """Choose the smoothing method with the smallest regions at a given coverage of held-out boxes.

    Args:
        groups: category to its boxes.
        setting: see `held_out`.
        coverage: share of held-out box pixels, in (0, 1].
        candidates: the methods to choose from; the first of equals is chosen.

    Returns:
        The choice, and for each candidate its parameters and `editable_share`: for each of `CASES`, and their mean, the
        share of the frame that gives the coverage, averaged over findings.
    """
    table = []
    for smoothing in candidates:
        levels = held_out(groups, smoothing, setting, lambda place: _case(place) is not None)
        shares = _shares(levels, coverage)
        shares["mean"] = float(np.mean(list(shares.values())))
        rounded = {case: round(share, 4) for case, share in shares.items()}
        table.append({**vars(smoothing), "editable_share": rounded})
    best = min(range(len(table)), key=lambda n: table[n]["editable_share"]["mean"])
    return candidates[best], table


def _shares(held: Mapping[tuple[str, Place], HeldOut], coverage: float) -> dict[str, float]:
    """Return the share of the frame in each case, a mean over findings of means over their boxes."""
    areas: dict[str, dict[str, list[tuple[float, int]]]] = {case: {} for case in CASES}
    for (category, place), levels in held.items():
        case = _case(place)
        if case is not None:
            area = weighted_quantile(levels.area, levels.weights, coverage)
            areas[case].setdefault(category, []).append((area, levels.boxes))
    means = {}
    for case, categories in areas.items():
        if categories:
            averages = [_average(values) for values in categories.values()]
            means[case] = float(np.mean(averages))
    return means


def _average(values: Sequence[tuple[float, int]]) -> float:
    shares, boxes = zip(*values)
    return float(np.average(shares, weights=boxes))


def _case(place: Place) -> str | None:
    if place == Place():
        return CASES[0]
    if place.side is None or place.zone not in (None, *THIRDS):
        return None
    return CASES[1] if place.zone is None else CASES[2]


# The weight of the other findings in the same place, as a number of boxes, and the number of boxes added before the
# correction for small numbers.
POOLED_BOXES = 2
CORRECTION_BOXES = 30


def calibrate(held: Mapping[tuple[str, Place], HeldOut], coverage: float) -> dict[tuple[str, Place], float]:
    """Return the share of each map's probability that its region must contain to cover unseen boxes.

    It is the quantile of the levels of held-out pixels, with those of all findings in the place counting as
    `POOLED_BOXES` more boxes, so that few boxes do not decide alone. Since a quantile of few boxes is too low on
    average, half a box more is required, relative to `CORRECTION_BOXES` more boxes than there are.

    Args:
        held: the levels from `held_out`.
        coverage: share of the pixels of unseen boxes, in (0, 1].
    """
    cuts = {}
    for place in {place for _, place in held}:
        here = {name: levels for (name, where), levels in held.items() if where == place}
        mass = np.concatenate([levels.mass for levels in here.values()])
        pooled = np.concatenate([_boxes(levels) for levels in here.values()])
        pooled = pooled / pooled.sum() * POOLED_BOXES
        for name, levels in here.items():
            target = min(coverage * (1 + 0.5 / (levels.boxes + CORRECTION_BOXES)), 1.0)
            values, weights = np.concatenate([levels.mass, mass]), np.concatenate([_boxes(levels), pooled])
            cuts[name, place] = weighted_quantile(values, weights, target)
    return cuts


def _boxes(levels: HeldOut) -> np.ndarray:
    """Return the weights of the pixels, scaled to the number of boxes."""
    return levels.weights / levels.weights.sum() * levels.boxes
