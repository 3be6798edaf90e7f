"""The anatomical frame in an image: an affine map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch

from x2x_core.common.errors import InputError

Row = tuple[float, float, float]
IDENTITY: tuple[Row, Row] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def pixel_centres(size: tuple[int, int]) -> torch.Tensor:
    """Return the pixel centres `(H, W, 2)` (x, y) of an image of `(height, width)`, as shares of width and height."""
    height, width = size
    y, x = (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns, rows], dim=-1)


class AffineFrame(Protocol):
    """Anything that maps points of an image to the anatomical frame."""

    def to_frame(self, points: torch.Tensor) -> torch.Tensor:
        """Map points `(..., 2)` (x, y), shares of the image's width and height, to the anatomical frame."""
        ...


@dataclass(frozen=True)
class Frame:
    """An affine map from the anatomical frame to an image.

    The anatomical frame is the unit square of the typical radiograph, in which `x2x_core.anatomy.sites` and the atlas
    are defined: x from its left edge (the patient's right), y from its top edge. Points in the image are shares of
    its width and height. By default the image is the typical radiograph.

    Args:
        matrix: two rows of three numbers: x' = m00 x + m01 y + m02, y' = m10 x + m11 y + m12.

    Raises:
        InputError: another shape, a number that is not finite, or a map that mirrors or flattens.
    """

    matrix: tuple[Row, Row] = IDENTITY

    def __post_init__(self) -> None:
        rows = [[float(value) for value in row] for row in self.matrix]
        if [len(row) for row in rows] != [3, 3] or not all(math.isfinite(value) for row in rows for value in row):
            raise InputError(f"`matrix` must be two rows of three finite numbers, got {self.matrix}.")
        object.__setattr__(self, "matrix", (tuple(rows[0]), tuple(rows[1])))
        if self.determinant <= 0:
            raise InputError(
                f"`frame` must neither mirror nor flatten the anatomy, got {self.matrix}. "
                "Its determinant must be positive."
            )

    @classmethod
    def rectangle(cls, left: float = 0.0, top: float = 0.0, right: float = 1.0, bottom: float = 1.0) -> Frame:
        """Return the frame that fills a rectangle of the image, given as shares of its width and height.

        Raises:
            InputError: the rectangle is empty or inverted.
        """
        if not (left < right and top < bottom):
            raise InputError(
                f"`frame` must have left < right and top < bottom, got left {left}, top {top}, right {right}, bottom "
                f"{bottom}."
            )
        return cls(((right - left, 0.0, left), (0.0, bottom - top, top)))

    @property
    def determinant(self) -> float:
        """Area of the typical radiograph, as a share of the image's area."""
        (a, b, _), (c, d, _) = self.matrix
        return a * d - b * c

    @property
    def is_identity(self) -> bool:
        """True if the image is the typical radiograph."""
        return self.matrix == IDENTITY

    def to_image(self, points: torch.Tensor) -> torch.Tensor:
        """Map points `(..., 2)` (x, y) of the anatomical frame to shares of the image's width and height."""
        matrix = self._as_tensor(points)
        return points @ matrix[:, :2].T + matrix[:, 2]

    def to_frame(self, points: torch.Tensor) -> torch.Tensor:
        """Map points `(..., 2)` (x, y), shares of the image's width and height, to the anatomical frame."""
        matrix = self._as_tensor(points)
        return (points - matrix[:, 2]) @ torch.linalg.inv(matrix[:, :2].double()).to(points.dtype).T

    def within(self, outer: Frame) -> Frame:
        """Return this frame of a part of an image as a frame of the whole image.

        Args:
            outer: the part's unit square in the whole image.
        """
        inner = torch.tensor([*self.matrix, (0.0, 0.0, 1.0)], dtype=torch.float64)
        whole = torch.tensor([*outer.matrix, (0.0, 0.0, 1.0)], dtype=torch.float64) @ inner
        (a, b, c), (d, e, f) = whole[:2].tolist()
        return Frame(((a, b, c), (d, e, f)))

    def _as_tensor(self, points: torch.Tensor) -> torch.Tensor:
        if points.ndim < 1 or points.shape[-1] != 2 or not points.is_floating_point():
            raise InputError(
                f"`points` must be floating point (..., 2), got {points.dtype} of shape {tuple(points.shape)}."
            )
        return torch.tensor(self.matrix, dtype=points.dtype, device=points.device)
