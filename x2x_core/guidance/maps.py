"""The guidance map G = P * R and the guidance mask M = (G >= tau).

The pseudomask P says where a finding can be, the relevance map R where the model would change the image.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def guidance_map(relevance_map: torch.Tensor, pseudomask: torch.Tensor) -> torch.Tensor:
    """Return G = P * R.

    Args:
        relevance_map: R `(B, 1, H, W)` in [0, 1].
        pseudomask: P `(B, 1, H, W)` in [0, 1].

    Raises:
        InputError: the maps differ in size.
    """
    if relevance_map.shape[-2:] != pseudomask.shape[-2:]:
        raise InputError(
            f"`relevance_map` and `pseudomask` must be of one size, got {tuple(relevance_map.shape)} and "
            f"{tuple(pseudomask.shape)}."
        )
    return pseudomask * relevance_map


def guidance_mask(
    guidance: torch.Tensor,
    mask_threshold: float,
    pseudomask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return M = (G >= tau), restricted to the pseudomask.

    Args:
        guidance: G `(B, 1, H, W)` in [0, 1].
        mask_threshold: tau, [0, 1]. 0 selects the whole pseudomask.
        pseudomask: P `(B, 1, H, W)`; ``None`` is the published rule, by which 0 selects the whole image.

    Returns:
        `(B, 1, H, W)` bool.
    """
    mask = guidance >= mask_threshold
    return mask if pseudomask is None else mask & (pseudomask > 0)
