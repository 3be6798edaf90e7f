"""Choosing by cross-validation how an atlas is smoothed and where its maps are cut.

Patients are dealt to folds; each map is learnt without a fold and asked where the boxes of that fold lie in it. A pixel
of a held-out box lies at some *level* of the map: the smallest share of the map's probability that must be kept
for its region to hold the pixel. That tells how large the region must be for any coverage of boxes not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.maps import Place

from .model import THIRDS, AtlasModel, BoxGroup
from .smoothing import CANDIDATES, Smoothing, count

# The three cases in which masks are judged: what an instruction names.
CASES = ("finding", "finding, side", "finding, side, zone")


@dataclass(frozen=True)
class HeldOut:
    """Where held-out boxes of one finding in one place lie in maps that were learnt without them."""

    mass: np.ndarray  # (k,) level of each pixel: share of the map's probability, (0, 1]
    area: np.ndarray  # (k,) the same as a share of the frame, (0, 1]
    weights: np.ndarray  # (k,) how many boxes lie over it
    boxes: int


def deal_patients(patients: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """Patient to fold, at random, as many in each fold as can be.

    Raises:
        InputError: fewer than 2 folds, or fewer patients than folds.
    """
    names = sorted(set(patients))
    if not 2 <= folds <= len(names):
        raise InputError(f"`folds` must lie between 2 and the number of patients ({len(names)}), got {folds}.")
    dealt = np.random.default_rng(seed).permutation(len(names)) % folds
    return dict(zip(names, dealt.tolist()))


def held_out(
    groups: Mapping[str, BoxGroup],
    smoothing: Smoothing,
    resolution: int,
    own: Sequence[str],
    folds: int,
    seed: int,
    wanted: Callable[[Place], bool] = lambda place: True,
) -> dict[tuple[str, Place], HeldOut]:
    """Where each finding's boxes lie in maps learnt without them, by cross-validation over patients.

    Args:
        groups: category to its boxes.
        smoothing: how the maps are smoothed.
        resolution: pixels to a side.
        own: the categories that are no pool of others.
        folds: parts to deal the patients into.
        seed: of the deal.
        wanted: of which places to ask the maps.
    """
    fold_of = deal_patients([name for group in groups.values() for name in group.patients], folds, seed)
    in_fold = {name: np.array([fold_of[p] for p in group.patients]) for name, group in groups.items()}
    parts: dict[tuple[str, Place], list[HeldOut]] = {}
    for fold in range(folds):
        learnt = {name: group.select(in_fold[name] != fold) for name, group in groups.items()}
        learnt = {name: group for name, group in learnt.items() if len(group)}
        tested = {name: groups[name].select(in_fold[name] == fold) for name in learnt}
        model = AtlasModel(learnt, smoothing, resolution, own)
        for category, place, levels in _levels(model, tested, wanted):
            parts.setdefault((category, place), []).append(levels)
    return {key: _join(several) for key, several in parts.items()}


def _levels(
    model: AtlasModel, tested: Mapping[str, BoxGroup], wanted: Callable[[Place], bool]
) -> Iterator[tuple[str, Place, HeldOut]]:
    for category, group in tested.items():
        for place in filter(wanted, model.places(category)):
            chosen = [group.rectangles[group.at(place)]]
            if place.side in ("left", "right") and model.mirrored[category]:  # the other side, laid over this one
                chosen.append(group.flipped().select(group.at(place.mirrored)).rectangles)
            rectangles = np.concatenate(chosen)
            probability = model.probability(category, place)
            if len(rectangles) and probability.any():
                counts = count(rectangles, model.resolution)
                mass, area = _level_maps(probability)
                over = counts > 0
                yield category, place, HeldOut(mass[over], area[over], counts[over], len(rectangles))


def _level_maps(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's level, as a share of the probability and of the area."""
    order = np.argsort(-probability, axis=None, kind="stable")
    mass, area = np.empty(order.size), np.empty(order.size)
    mass[order] = np.cumsum(probability.ravel()[order]) / probability.sum()
    area[order] = np.arange(1, order.size + 1) / order.size
    return mass.reshape(probability.shape).clip(0, 1), area.reshape(probability.shape)


def _join(parts: Sequence[HeldOut]) -> HeldOut:
    mass, area, weights = (np.concatenate([getattr(p, name) for p in parts]) for name in ("mass", "area", "weights"))
    return HeldOut(mass, area, weights, sum(part.boxes for part in parts))


def weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The smallest value at or below which `share` of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    position = np.searchsorted(below, share * below[-1] * (1 - 1e-12))
    return float(values[order[min(position, len(order) - 1)]])


# -- the way of smoothing ---------------------------------------------------------------------------------------------


def choose_smoothing(
    groups: Mapping[str, BoxGroup],
    own: Sequence[str],
    resolution: int,
    coverage: float,
    folds: int,
    seed: int,
    candidates: Sequence[Smoothing] = CANDIDATES,
) -> tuple[Smoothing, list[dict]]:
    """The way of smoothing whose regions are smallest at the wanted coverage of held-out boxes.

    Args:
        groups, own, resolution, folds, seed: as for `held_out`.
        coverage: of held-out box pixels, (0, 1].
        candidates: what to choose from; of equals the first.

    Returns:
        The choice, and for each candidate its parameters and `editable_share`: for each of `CASES`, and their mean,
        the share of the frame that covers so much, the mean over findings.
    """
    table = []
    for smoothing in candidates:
        asked = held_out(groups, smoothing, resolution, own, folds, seed, lambda place: _case(place) is not None)
        shares = _shares(asked, coverage)
        shares["mean"] = float(np.mean(list(shares.values())))
        rounded = {case: round(share, 4) for case, share in shares.items()}
        table.append({**vars(smoothing), "editable_share": rounded})
    best = min(range(len(table)), key=lambda n: table[n]["editable_share"]["mean"])
    return candidates[best], table


def _shares(asked: Mapping[tuple[str, Place], HeldOut], coverage: float) -> dict[str, float]:
    """For each case the mean over findings of the share of the frame; a finding's is the mean over its boxes."""
    found: dict[str, dict[str, list[tuple[float, int]]]] = {case: {} for case in CASES}
    for (category, place), levels in asked.items():
        case = _case(place)
        if case is not None:
            area = weighted_quantile(levels.area, levels.weights, coverage)
            found[case].setdefault(category, []).append((area, levels.boxes))
    means = {}
    for case, categories in found.items():
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


# -- the cut ----------------------------------------------------------------------------------------------------------

# Boxes of other findings in the same place that a finding's cut is drawn toward, and the boxes to which the
# correction for the number of boxes is at most referred.
POOLED_BOXES = 2
CORRECTION_BOXES = 30


def calibrate(asked: Mapping[tuple[str, Place], HeldOut], coverage: float) -> dict[tuple[str, Place], float]:
    """The share of each map's probability that its region must hold to cover `coverage` of box pixels not seen.

    It is the quantile of the held-out pixels' levels, with those of all findings in the place as `POOLED_BOXES` boxes
    more, so that few boxes do not decide alone. A quantile of few boxes falls short of the next one on average: half
    a box more is asked for, referred to `CORRECTION_BOXES` more boxes than there are.

    Args:
        asked: as `held_out` gives it.
        coverage: (0, 1].
    """
    cuts = {}
    for place in {place for _, place in asked}:
        here = {name: levels for (name, where), levels in asked.items() if where == place}
        mass = np.concatenate([levels.mass for levels in here.values()])
        pooled = np.concatenate([_boxes(levels) for levels in here.values()])
        pooled = pooled / pooled.sum() * POOLED_BOXES
        for name, levels in here.items():
            wanted = min(coverage * (1 + 0.5 / (levels.boxes + CORRECTION_BOXES)), 1.0)
            values, weights = np.concatenate([levels.mass, mass]), np.concatenate([_boxes(levels), pooled])
            cuts[name, place] = weighted_quantile(values, weights, wanted)
    return cuts


def _boxes(levels: HeldOut) -> np.ndarray:
    """The pixels' weights, scaled to the number of boxes."""
    return levels.weights / levels.weights.sum() * levels.boxes
