"""Lay the past image over the current one, and say how well that went.

Done by SimpleITK: the two pictures share the most information (Mattes et al., *PET-CT image registration in the chest
using free-form deformations*, IEEE TMI 2003), which holds across exposures and for what is new in one of them. Several
starts on a coarse grid, the best of them refined on finer grids, first rigid with one scale, then affine where asked.
One thread and every pixel of each grid, so that a pair gives the same bytes on every run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

from .pictures import Square

GRIDS = (32, 64, 128)  # pixels to a side, coarse to fine
_BINS = 24  # of the joint histogram
_STEPS = (30, 40, 40)  # at most, on each grid
# Where the search starts: shift right and down (shares of the side), turn (radians), scale.
_STARTS = (
    (0.0, 0.0, 0.0, 1.0), (0.0, 0.1, 0.0, 1.0), (0.0, -0.1, 0.0, 1.0), (0.1, 0.0, 0.0, 1.0), (-0.1, 0.0, 0.0, 1.0),
    (0.0, 0.0, 0.0, 1.12), (0.0, 0.0, 0.0, 0.9), (0.0, 0.0, 0.1, 1.0), (0.0, 0.0, -0.1, 1.0),
)  # fmt: skip
_FINEST = 256  # the agreement is measured at this size
MAX_TURN_DEGREES = 25.0
MAX_STRETCH = 1.5


@dataclass(frozen=True)
class Registration:
    """A transform of the plane from the current image's frame to the past one's, and how good it is.

    In units of the side, with the origin in the picture's centre: past = `matrix` @ current + `shift`.
    """

    matrix: tuple[float, float, float, float]  # row by row
    shift: tuple[float, float]  # right, down
    quality: float = math.nan  # agreement over what both show, in [-1, 1]; see `agreement`
    overlap: float = math.nan  # share of the current picture that the past one covers, in [0, 1]

    @property
    def turn_degrees(self) -> float:
        """How far the past image is turned."""
        a, b, c, d = self.matrix
        return math.degrees(math.atan2(c - b, a + d))

    @property
    def stretches(self) -> tuple[float, float]:
        """The largest and the smallest scale; both 1 where nothing is stretched."""
        largest, smallest = np.linalg.svd(np.array(self.matrix).reshape(2, 2), compute_uv=False)
        return float(largest), float(smallest)

    @property
    def plausible(self) -> bool:
        """Whether a patient's position and distance explain it: little turned, little stretched, not mirrored."""
        a, b, c, d = self.matrix
        largest, smallest = self.stretches
        bounded = largest <= MAX_STRETCH and smallest >= 1 / MAX_STRETCH
        return bounded and a * d - b * c > 0 and abs(self.turn_degrees) <= MAX_TURN_DEGREES


def check_registering() -> None:
    """Whether SimpleITK is there.

    Raises:
        MissingExtraError: it is not; says which extra brings it.
    """
    _simpleitk()


def _simpleitk():
    with needs_extra("Registering images", "SimpleITK", "dataset"):
        import SimpleITK
    return SimpleITK


def register(past: Square, current: Square, kind: str = "affine") -> Registration:
    """Find the transform that lays the past image over the current one.

    Args:
        past, current: pictures of the same size `(S, S)`.
        kind: "affine" or "rigid" (turn and shift).

    Returns:
        The transform, without quality and overlap (NaN): `measure` gives them for the moved picture.

    Raises:
        InputError: the pictures have nothing to be matched by.
    """
    sitk = _simpleitk()
    if past.pixels.shape != current.pixels.shape:
        raise InputError(f"`past` must be the size of `current`, {current.pixels.shape}, got {past.pixels.shape}.")
    grids = [(_on_grid(sitk, current, side), _on_grid(sitk, past, side)) for side in GRIDS]
    with _one_thread(sitk):
        return _result(_search(sitk, grids, kind))


@contextmanager
def _one_thread(sitk) -> Iterator[None]:
    """The metric sums over as many threads as is the default when it is made, in any order: its last digits vary."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _search(sitk, grids, kind: str):
    """The transform from the best start, refined from grid to grid."""
    started = [_refine(sitk, grids[0], _start(sitk, kind, *start), _STEPS[0]) for start in _STARTS]
    agreed = [result for result in started if result is not None]
    if not agreed:
        raise InputError("The images can't be registered: they share nothing at any start.")
    transform = min(agreed, key=lambda result: result[0])[1]
    middle, fine = grids[1:]
    transform = _better(sitk, middle, transform, _STEPS[1])
    if kind == "affine":
        transform = _better(sitk, middle, _as_affine(sitk, transform), _STEPS[1])
    return _better(sitk, fine, transform, _STEPS[2])


def _on_grid(sitk, square: Square, side: int):
    """Picture and mask as ITK images on a grid of the plane whose unit is the side and whose origin the centre."""
    pixels = cv2.resize(square.pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    valid = cv2.resize(square.valid.astype(np.uint8) * 255, (side, side), interpolation=cv2.INTER_AREA)
    return _placed(sitk, pixels), _placed(sitk, (valid > 127).astype(np.uint8))


def _placed(sitk, values: np.ndarray):
    side = values.shape[0]
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1 / side, 1 / side))
    image.SetOrigin((0.5 / side - 0.5, 0.5 / side - 0.5))
    return image


def _start(sitk, kind: str, right: float, down: float, turn: float, scale: float):
    transform = sitk.Similarity2DTransform() if kind == "affine" else sitk.Euler2DTransform()
    transform.SetTranslation((right, down))
    transform.SetAngle(turn)
    if kind == "affine":
        transform.SetScale(scale)
    return transform


def _as_affine(sitk, transform):
    affine = sitk.AffineTransform(2)
    affine.SetMatrix(transform.GetMatrix())
    affine.SetTranslation(transform.GetTranslation())
    return affine


def _better(sitk, grid, transform, steps: int):
    refined = _refine(sitk, grid, transform, steps)
    return transform if refined is None else refined[1]


def _refine(sitk, grid, transform, steps: int):
    """Follow the gradient from a transform: the metric's value (less is better) and where it led, or ``None``."""
    (fixed, fixed_mask), (moving, moving_mask) = grid
    pixel = fixed.GetSpacing()[0]
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetMetricFixedMask(fixed_mask)
    method.SetMetricMovingMask(moving_mask)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(pixel, pixel * 0.05, steps, 0.5, 1e-8)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(type(transform)(transform), True)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError:  # the pictures came to lie beside each other
        return None
    value = method.GetMetricValue()
    return (value, _typed(transform, found)) if math.isfinite(value) else None


def _typed(like, found):
    """The transform found, of the type of another."""
    result = type(like)(like)
    result.SetFixedParameters(found.GetFixedParameters())
    result.SetParameters(found.GetParameters())
    return result


def _result(transform) -> Registration:
    matrix = tuple(float(value) for value in transform.GetMatrix())
    centre = np.array(transform.GetCenter())
    shift = np.array(transform.GetTranslation()) + centre - np.array(matrix).reshape(2, 2) @ centre
    return Registration(matrix, (float(shift[0]), float(shift[1])))


def move(square: Square, registration: Registration) -> Square:
    """A picture laid over the other by a registration: interpolated linearly, black where it has no pixels."""
    sitk = _simpleitk()
    transform = sitk.AffineTransform(2)
    transform.SetMatrix(registration.matrix)
    transform.SetTranslation(registration.shift)
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetTransform(transform)
    resampler.SetDefaultPixelValue(0)
    pixels, valid = _placed(sitk, square.pixels), _placed(sitk, square.valid.astype(np.uint8) * 255)
    resampler.SetReferenceImage(pixels)
    resampler.SetInterpolator(sitk.sitkLinear)
    moved = sitk.GetArrayFromImage(resampler.Execute(pixels))
    # Only where all neighbours are real: elsewhere black was mixed in.
    inside = sitk.GetArrayFromImage(resampler.Execute(valid)) == 255
    return Square(np.where(inside, moved, 0).astype(np.uint8), inside)


def measure(moved: Square, current: Square, registration: Registration) -> Registration:
    """The registration with its figures for the moved past picture."""
    both = moved.valid & current.valid
    overlap = float(both.sum() / max(1, current.valid.sum()))
    quality = agreement(moved.pixels, current.pixels, both)
    return Registration(registration.matrix, registration.shift, quality, overlap)


def agreement(first: np.ndarray, second: np.ndarray, where: np.ndarray) -> float:
    """How alike two pictures are in structure: 1 the same, 0 unrelated, negative for inverted.

    The correlation of both after each is normalised by the mean and spread around every pixel (a Gaussian of a
    twentieth of the side), so that exposure, contrast and large shadows count little and edges of ribs, heart and
    diaphragm count much.

    Args:
        first, second: uint8 `(S, S)`.
        where: bool `(S, S)`, the pixels that count.

    Returns:
        In [-1, 1]; 0 where nothing can be compared.
    """
    side = min(_FINEST, first.shape[0])
    mask = cv2.resize(where.astype(np.uint8) * 255, (side, side), interpolation=cv2.INTER_AREA) == 255
    if mask.sum() < 16:
        return 0.0
    a, b = (_normalised(cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA), mask)[mask] for x in (first, second))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return float((a * b).sum()) / spread if spread > 0 else 0.0


def _normalised(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean and spread around each pixel taken away; what lies outside the mask does not count."""
    weight = mask.astype(np.float64)
    blur = lambda values: cv2.GaussianBlur(values, (0, 0), pixels.shape[0] / 20)  # noqa: E731
    total = blur(weight) + 1e-6
    difference = (pixels - blur(pixels * weight) / total) * weight
    spread = np.sqrt(blur(difference**2) / total)
    return difference / (spread + 4)  # grain of a few grey values is no structure
