"""Registration of a past image to a current one, and measures of its quality."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .agreement import agreement
from .registration_search import search
from .simpleitk import as_itk_image, load_simpleitk
from .squares import Square

MAX_TURN_DEGREES = 25.0
MAX_STRETCH = 1.5


@dataclass(frozen=True)
class Registration:
    """A transform of the plane from the current image to the past one, with its quality.

    In units of the side, with the origin in the centre of the image: past = `matrix` @ current + `shift`.
    """

    matrix: tuple[float, float, float, float]  # row by row
    shift: tuple[float, float]  # right, down
    quality: float = math.nan  # agreement over the common pixels, in [-1, 1]; see `agreement`
    overlap: float = math.nan  # share of the current image covered by the past one, in [0, 1]

    @property
    def turn_degrees(self) -> float:
        """Rotation of the past image."""
        a, b, c, d = self.matrix
        return math.degrees(math.atan2(c - b, a + d))

    @property
    def stretches(self) -> tuple[float, float]:
        """Largest and smallest scale; both are 1 without stretching."""
        largest, smallest = np.linalg.svd(np.array(self.matrix).reshape(2, 2), compute_uv=False)
        return float(largest), float(smallest)

    @property
    def plausible(self) -> bool:
        """True if a patient's position explains the transform: little rotation and stretch, not mirrored."""
        a, b, c, d = self.matrix
        largest, smallest = self.stretches
        bounded = largest <= MAX_STRETCH and smallest >= 1 / MAX_STRETCH
        return bounded and a * d - b * c > 0 and abs(self.turn_degrees) <= MAX_TURN_DEGREES


def check_registering() -> None:
    """Check that images can be registered.

    Raises:
        MissingExtraError: SimpleITK is not installed.
    """
    load_simpleitk()


def register(past: Square, current: Square, kind: str = "affine") -> Registration:
    """Find the transform that registers the past image to the current one.

    Args:
        past: image `(S, S)`.
        current: image of the same size.
        kind: "affine" or "rigid" (rotation and shift).

    Returns:
        The transform, without quality and overlap (NaN): `measure` computes them for the moved image.

    Raises:
        InputError: the images differ in size, or cannot be registered.
        MissingExtraError: SimpleITK is not installed.
    """
    transform = search(past, current, kind)
    a, b, c, d = (float(value) for value in transform.GetMatrix())
    centre = np.array(transform.GetCenter())
    shift = np.array(transform.GetTranslation()) + centre - np.array((a, b, c, d)).reshape(2, 2) @ centre
    return Registration((a, b, c, d), (float(shift[0]), float(shift[1])))


def move(square: Square, registration: Registration) -> Square:
    """Transform a past image onto the current one: linear interpolation, black where it has no pixels."""
    sitk = load_simpleitk()
    transform = sitk.AffineTransform(2)
    transform.SetMatrix(registration.matrix)
    transform.SetTranslation(registration.shift)
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetTransform(transform)
    resampler.SetDefaultPixelValue(0)
    pixels, valid = as_itk_image(square.pixels), as_itk_image(square.valid.astype(np.uint8) * 255)
    resampler.SetReferenceImage(pixels)
    resampler.SetInterpolator(sitk.sitkLinear)
    moved = sitk.GetArrayFromImage(resampler.Execute(pixels))
    # Only where all neighbours are valid: elsewhere black was mixed in.
    inside = sitk.GetArrayFromImage(resampler.Execute(valid)) == 255
    return Square(np.where(inside, moved, 0).astype(np.uint8), inside)


def measure(moved: Square, current: Square, registration: Registration) -> Registration:
    """Return the registration with the quality and overlap of the moved past image."""
    common = moved.valid & current.valid
    overlap = float(common.sum() / max(1, current.valid.sum()))
    return replace(registration, quality=agreement(moved.pixels, current.pixels, common), overlap=overlap)
