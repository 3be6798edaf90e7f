"""Localisation: how well a map of numbers finds a region.

Each score takes one map and the true region, asks how the map ranks or weighs the region's pixels against the others,
and treats equal values as equal: no score depends on the order of pixels.

Args of all:
    map: `(H, W)` or `(1, H, W)`, floating point, finite; higher means "here". `energy_inside` takes signed values too.
    region: bool, of the same shape.

All give nan for an empty region, and raise a ValueError for another shape or type and for values that are not finite.
"""

from __future__ import annotations

import math

import torch

from x2x_core.common.errors import InputError


def average_precision(map: torch.Tensor, region: torch.Tensor) -> float:
    """Area under the steps of the precision-recall curve: sum over thresholds of precision x gain in recall, [0, 1].

    A threshold stands at every distinct value. A map of one value gives the region's share of the image; a map that
    ranks all of the region above the rest gives 1.
    """
    hits, taken = _hits_by_threshold(map, region)
    if not len(hits):
        return math.nan
    gains = torch.diff(hits, prepend=hits.new_zeros(1))
    return float((gains * hits / taken).sum() / hits[-1])


def energy_inside(map: torch.Tensor, region: torch.Tensor) -> float:
    """The region's share of the map's energy, the sum of its squares, [0, 1]. A map that is 0 everywhere gives 0."""
    values, inside = _checked(map, region)
    if not inside.any():
        return math.nan
    energy = values.square()
    total = float(energy.sum())
    return float(energy[inside].sum()) / total if total > 0 else 0.0


def pointing(map: torch.Tensor, region: torch.Tensor) -> float:
    """The pointing game: 1 where the map's highest value lies in the region, else 0.

    Of several equal highest values, the share that lies in the region: what a blind choice among them scores. (Zhang et
    al., *Top-down neural attention by excitation backprop*, 2018.)
    """
    values, inside = _checked(map, region)
    if not inside.any():
        return math.nan
    highest = values == values.max()
    return float((highest & inside).sum()) / float(highest.sum())


def best_iou(map: torch.Tensor, region: torch.Tensor) -> float:
    """The best intersection over union with the region of any `map >= threshold`, (0, 1]."""
    hits, taken = _hits_by_threshold(map, region)
    if not len(hits):
        return math.nan
    return float((hits / (taken + hits[-1] - hits)).max())


def _hits_by_threshold(map: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels of the region, and pixels, at or above each distinct value from the highest on: float64 `(T,)` each."""
    values, inside = _checked(map, region)
    if not inside.any():
        return torch.empty(0), torch.empty(0)
    ranked, order = values.sort(descending=True)
    hits = inside[order].double().cumsum(0)
    last_of_value = torch.ones_like(inside)
    last_of_value[:-1] = ranked[:-1] != ranked[1:]
    taken = torch.arange(1, len(ranked) + 1, dtype=torch.float64, device=hits.device)
    return hits[last_of_value], taken[last_of_value]


def _checked(map: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Map and region as rows `(H * W,)`, float64 and bool, on the map's device."""
    if map.ndim not in (2, 3) or (map.ndim == 3 and map.shape[0] != 1) or 0 in map.shape:
        raise InputError(f"`map` must be (H, W) or (1, H, W), got shape {tuple(map.shape)}.")
    if region.dtype != torch.bool or region.shape != map.shape:
        raise InputError(
            f"`region` must be bool and of the map's shape {tuple(map.shape)}, got {region.dtype} and shape "
            f"{tuple(region.shape)}."
        )
    values = map.detach().double().flatten()
    if not torch.isfinite(values).all():
        raise InputError("`map` must hold finite numbers.")
    return values, region.to(map.device).flatten()
