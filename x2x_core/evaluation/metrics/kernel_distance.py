"""Kernel distance between two sets of features (KID).

Method: Bińkowski et al., *Demystifying MMD GANs* (2018): the squared maximum mean discrepancy with the kernel
`(x . y / D + 1)^3`, estimated without bias.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

from .scoring import check_scoring


def kernel_distance(edited: torch.Tensor, real: torch.Tensor) -> float:
    """Return KID over all images, computed by torchmetrics; it can be negative, since its estimate has no bias.

    Args:
        edited: features `(n, D)`.
        real: features `(n, D)`.

    Raises:
        InputError: sets of different sizes, or fewer than two images.
        MissingExtraError: torchmetrics is not installed.
    """
    check_scoring()
    from torchmetrics.image.kid import poly_mmd

    if edited.ndim != 2 or edited.shape != real.shape or len(edited) < 2:
        raise InputError(
            "`edited` and `real` must be (n, D) alike with at least 2 images, got "
            f"{tuple(edited.shape)} and {tuple(real.shape)}."
        )
    return float(poly_mmd(real.double(), edited.double()))
