"""Search for the transform that registers two images, by SimpleITK.

The metric is mutual information (Mattes et al., *PET-CT image registration in the chest using free-form deformations*,
IEEE TMI 2003), which tolerates other exposures and new findings. Several starts on a coarse grid, the best of them
refined on finer grids, first as a similarity, then affine if requested. One thread and every pixel of each grid are
used, so that a pair gives the same bytes in every run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import cv2
import numpy as np

from x2x_core.common.errors import InputError

from .simpleitk import as_itk_image, load_simpleitk
from .squares import Square

GRIDS = (32, 64, 128)  # width and height in pixels, coarse to fine
_BINS = 24  # of the joint histogram
_STEPS = (30, 40, 40)  # largest number of steps on each grid
# Starts of the search: shift right and down (shares of the side), rotation (radians), scale.
_STARTS = (
    (0.0, 0.0, 0.0, 1.0), (0.0, 0.1, 0.0, 1.0), (0.0, -0.1, 0.0, 1.0), (0.1, 0.0, 0.0, 1.0), (-0.1, 0.0, 0.0, 1.0),
    (0.0, 0.0, 0.0, 1.12), (0.0, 0.0, 0.0, 0.9), (0.0, 0.0, 0.1, 1.0), (0.0, 0.0, -0.1, 1.0),
)  # fmt: skip


class _Grid(NamedTuple):
    """Both images with their masks as ITK images of one size; the current image is the fixed one."""

    fixed: Any
    fixed_mask: Any
    moving: Any
    moving_mask: Any


def search(past: Square, current: Square, kind: str) -> Any:
    """Find the transform from the current image's plane to the past one's.

    Args:
        past: image `(S, S)`.
        current: image of the same size.
        kind: "affine" or "rigid".

    Returns:
        An ITK transform of the plane in units of the side, with the origin in the centre.

    Raises:
        InputError: the images differ in size, or cannot be registered.
        MissingExtraError: SimpleITK is not installed.
    """
    if past.pixels.shape != current.pixels.shape:
        raise InputError(f"`past` must be the size of `current`, {current.pixels.shape}, got {past.pixels.shape}.")
    coarse, middle, fine = (_Grid(*_on_grid(current, side), *_on_grid(past, side)) for side in GRIDS)
    with _one_thread():
        transform = _best_start(coarse, kind)
        transform = _refined(middle, transform, _STEPS[1])
        if kind == "affine":
            transform = _refined(middle, _as_affine(transform), _STEPS[1])
        return _refined(fine, transform, _STEPS[2])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: the metric is summed by as many threads as are the default, in an order that varies."""
    process = load_simpleitk().ProcessObject
    before = process.GetGlobalDefaultNumberOfThreads()
    process.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        process.SetGlobalDefaultNumberOfThreads(before)


def _on_grid(square: Square, side: int) -> tuple[Any, Any]:
    """Resize image and mask to `side` and convert them to ITK images."""
    pixels = cv2.resize(square.pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    valid = cv2.resize(square.valid.astype(np.uint8) * 255, (side, side), interpolation=cv2.INTER_AREA)
    return as_itk_image(pixels), as_itk_image((valid > 127).astype(np.uint8))


def _best_start(grid: _Grid, kind: str) -> Any:
    """Refine all starts and return the best result."""
    results = [_refine(grid, _start(kind, *start), _STEPS[0]) for start in _STARTS]
    successful = [result for result in results if result is not None]
    if not successful:
        raise InputError("The images cannot be registered: they share no structure at any start.")
    return min(successful, key=lambda result: result[0])[1]


def _start(kind: str, right: float, down: float, turn: float, scale: float) -> Any:
    sitk = load_simpleitk()
    transform = sitk.Similarity2DTransform() if kind == "affine" else sitk.Euler2DTransform()
    transform.SetTranslation((right, down))
    transform.SetAngle(turn)
    if kind == "affine":
        transform.SetScale(scale)
    return transform


def _as_affine(transform: Any) -> Any:
    affine = load_simpleitk().AffineTransform(2)
    affine.SetMatrix(transform.GetMatrix())
    affine.SetTranslation(transform.GetTranslation())
    return affine


def _refined(grid: _Grid, transform: Any, steps: int) -> Any:
    """Refine a transform; if that fails, return it unchanged."""
    result = _refine(grid, transform, steps)
    return transform if result is None else result[1]


def _refine(grid: _Grid, transform: Any, steps: int) -> tuple[float, Any] | None:
    """Descend along the gradient: the metric's value (lower is better) and the transform, or ``None`` on failure."""
    sitk = load_simpleitk()
    pixel = grid.fixed.GetSpacing()[0]
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetMetricFixedMask(grid.fixed_mask)
    method.SetMetricMovingMask(grid.moving_mask)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(pixel, pixel * 0.05, steps, 0.5, 1e-8)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(type(transform)(transform), True)
    try:
        result = method.Execute(grid.fixed, grid.moving)
    except RuntimeError:  # the images no longer overlap
        return None
    value = method.GetMetricValue()
    return (value, _with_type_of(transform, result)) if math.isfinite(value) else None


def _with_type_of(like: Any, result: Any) -> Any:
    """Return the resulting transform with the type of another one."""
    typed = type(like)(like)
    typed.SetFixedParameters(result.GetFixedParameters())
    typed.SetParameters(result.GetParameters())
    return typed
