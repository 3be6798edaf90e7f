"""The detail of a change: a model's change of latents, joined with the extent that was drawn for it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from x2x_core.imaging.wide_blur import smooth

_CELL_BLUR = 0.6  # standard deviation of a model's blur, latent cells
_WINDOW = 2.0  # standard deviation of the window that the amount is fitted in, latent cells
_LEAST_POWER = 1e-3  # mean square of an extent, relative to the most, under which the amount is taken for smaller
_BODY_IN_FULL = 0.5  # share of a body from which all of it is there
_KNOWN = 0.01  # by how much more its detail counts in full


def with_detail(
    change: torch.Tensor,
    extents: torch.Tensor,
    cells: int,
    shares: Sequence[float] | None,
    bodies: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return a model's change with the detail of the extents.

    A model knows a change to about a latent cell; the extent E knows where in the cell it lies, and how it is textured.
    With K the blur of a cell, the change is fitted as a K E by least squares around each pixel, and becomes a E: the
    amount is the model's, up to the extent's own, and the detail the extent's, so that an edge is sharp, and a line is
    narrow and does not burn where the model spreads it. This is joint upsampling by a guide (He, Sun and Tang, *Guided
    image filtering*, TPAMI 2013) without its constant term. A body, such as free fluid, has no holes and hides what it
    touches: it has one amount, fitted to all of it, and is there in full from half of that on. Where no extent is
    known, the change stays.

    Args:
        change: `(B, C, H, W)`.
        extents: `(B, 1, H, W)`, the change that was drawn, in grey values, [-1, 1].
        cells: latent cells along the longer side of a canvas.
        shares: for each picture, the share of its longer side that its canvas shows; ``None``: whole pictures.
        bodies: `(B, 1, H, W)` bool, the pixels that one body takes; ``None`` if there is none.

    Returns:
        `(B, C, H, W)`. A change against the extent's sign is left out where the extent is known.
    """
    side = max(extents.shape[-2:]) / cells
    planes = change[:, :1] if bool((change == change[:, :1]).all()) else change  # grey: one channel serves all
    sharp = []
    for number, (own, extent) in enumerate(zip(planes, extents[:, 0].float().numpy(), strict=True)):
        cell = side * (1.0 if shares is None else shares[number])
        body = None if bodies is None else bodies[number, 0].numpy()
        sharp.append(torch.stack([_sharpen(plane, extent, cell, body) for plane in own.float().numpy()]))
    return torch.stack(sharp).to(change).expand_as(change)


def _sharpen(change: np.ndarray, extent: np.ndarray, cell: float, body: np.ndarray | None = None) -> torch.Tensor:
    """Return the change `(H, W)` of one channel with the detail of an extent; `cell` is the side of a latent cell."""
    if body is not None and body.any():
        fluid = np.where(body, extent, 0)
        share = body_share(fitted_amount(change, fluid, cell))
        others = _sharpen(change, extent, cell)
        return torch.where(torch.from_numpy(body), torch.from_numpy(share * fluid).to(others), others)
    most = float(np.abs(extent).max())
    if not most > 0:
        return torch.from_numpy(change)
    extent = extent / most
    blurred = _blur(extent, max(_CELL_BLUR * cell, 0.3))
    step = max(1, int(cell / 2))  # amounts are smooth: they are fitted on a coarse grid
    size = (-(-change.shape[1] // step), -(-change.shape[0] // step))
    products = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (change * blurred, blurred**2)]
    above, below = (_blur(part, _WINDOW * cell / step) for part in products)
    amount, known = (
        cv2.resize(part, change.shape[::-1], interpolation=cv2.INTER_LINEAR)
        for part in (
            (above / (below + _LEAST_POWER)).clip(0, most),
            ((below - _LEAST_POWER) / _KNOWN).clip(0, 1),
        )
    )
    return torch.from_numpy((change + known * (amount * extent - change)).astype(np.float32))


def body_share(amount: float) -> float:
    """Return the share of one body that is there if a model shows some amount of it: all from half of it on."""
    return min(max(amount / _BODY_IN_FULL, 0.0), 1.0)


def fitted_amount(change: np.ndarray, extent: np.ndarray, cell: float) -> float:
    """Return the share of an extent E that a change shows as a whole: a of a K E, by least squares.

    Args:
        change: `(H, W)`.
        extent: E `(H, W)`.
        cell: side of a latent cell in pixels.
    """
    blurred = _blur(extent, max(_CELL_BLUR * cell, 0.3))
    power = float((blurred**2).sum())
    return float((change * blurred).sum()) / power if power > 0 else 0.0


def _blur(plane: np.ndarray, sigma: float) -> np.ndarray:
    return smooth(np.asarray(plane, np.float32), sigma)
