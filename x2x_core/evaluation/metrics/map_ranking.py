"""Inputs of the localisation metrics: a map of numbers, and the true region that it should find.

All localisation metrics take

- `map`: `(H, W)` or `(1, H, W)`, floating point and finite; higher means "here" (`energy_inside` also takes signed
  values),
- `region`: bool, of the same shape,

return nan for an empty region, and raise `InputError` for another shape or type and for values that are not finite.
Equal values are treated as equal: no metric depends on the order of pixels.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def flat_map_and_region(map: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return map and region as `(H * W,)` float64 and bool on the map's device.

    Raises:
        InputError: another shape or type, or values that are not finite.
    """
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


def hits_by_threshold(map: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Count pixels at or above each of the T distinct values of the map, from the highest value down.

    Returns:
        Pixels of the region, and all pixels: `(T,)` float64 each; empty for an empty region.
    """
    values, inside = flat_map_and_region(map, region)
    if not inside.any():
        return torch.empty(0), torch.empty(0)
    ranked, order = values.sort(descending=True)
    hits = inside[order].double().cumsum(0)
    last_of_value = torch.ones_like(inside)
    last_of_value[:-1] = ranked[:-1] != ranked[1:]
    selected = torch.arange(1, len(ranked) + 1, dtype=torch.float64, device=hits.device)
    return hits[last_of_value], selected[last_of_value]
