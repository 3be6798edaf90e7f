"""The window of a picture that is processed on its own, at a finer scale than the whole picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

# Shortest side of a square window, share of the picture's longer side: it is enlarged 2.5 times as much as the picture.
SMALLEST_SHARE = 0.4
# Share of the picture's longer side from which a window gains too little: the whole picture is processed.
WHOLE_SHARE = 0.9


@dataclass(frozen=True)
class CropWindow:
    """A window of a picture, in the picture's own pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def cut_out(self, images: torch.Tensor) -> torch.Tensor:
        """Return the window of pictures `(..., H, W)`."""
        rows, columns = self.slices
        return images[..., rows, columns]

    def put_back(self, contents: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Return pictures `(..., H, W)` with contents `(..., height, width)` in the window and 0 elsewhere."""
        rows, columns = self.slices
        whole = contents.new_zeros(*contents.shape[:-2], *size)
        whole[..., rows, columns] = contents
        return whole

    def as_dict(self) -> dict[str, int]:
        """Return the numbers by name."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.width} x {self.height} pixels at ({self.left}, {self.top})"


def window_around(region: torch.Tensor, margin: float) -> CropWindow | None:
    """Return a square window around a region, or ``None`` if the whole picture is to be processed.

    The window holds the region and the margin, is at least `SMALLEST_SHARE` of the picture's longer side, and stays
    within the picture: near a border it is moved inwards, and in an oblong picture it may be as wide or high as the
    picture and no longer square.

    Args:
        region: `(H, W)` bool.
        margin: around the region, share of the picture's longer side, at least 0.

    Returns:
        ``None`` for an empty region, and for a window of at least `WHOLE_SHARE` of the picture's longer side.
    """
    height, width = region.shape
    rows, columns = region.any(dim=1).nonzero().flatten(), region.any(dim=0).nonzero().flatten()
    if len(rows) == 0:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    longer = max(height, width)
    side = max(bottom - top, right - left) + 2 * round(margin * longer)
    side = max(side, round(SMALLEST_SHARE * longer), 1)
    if side >= WHOLE_SHARE * longer:
        return None
    tall, wide = min(side, height), min(side, width)
    first_row = min(max((top + bottom - tall) // 2, 0), height - tall)
    first_column = min(max((left + right - wide) // 2, 0), width - wide)
    return CropWindow(first_row, first_column, tall, wide)
