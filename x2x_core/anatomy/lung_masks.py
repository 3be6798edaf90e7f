"""The lungs of radiographs, as masks with a confidence."""

from __future__ import annotations

from dataclasses import dataclass

import torch

#: Probability from which a pixel counts as lung.
INSIDE = 0.5


@dataclass(frozen=True)
class LungMasks:
    """The lungs of B radiographs: probabilities in [0, 1] at the images' own size, each `(B, 1, H, W)` float32.

    Right and left are the patient's: the right lung is on the left of the image.
    """

    right: torch.Tensor  # lung field as a reader outlines it: down to the diaphragm and up to the heart's border
    left: torch.Tensor
    right_whole: torch.Tensor  # whole lung with the estimated part behind diaphragm, heart and mediastinum
    left_whole: torch.Tensor
    confidence: torch.Tensor  # (B,) in [0, 1], see `x2x_core.anatomy.lung_confidence`

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, number: int) -> LungMasks:
        """Return the masks of one image, B = 1."""
        part = slice(number, number + 1) if number != -1 else slice(number, None)
        return LungMasks(
            self.right[part], self.left[part], self.right_whole[part], self.left_whole[part], self.confidence[part]
        )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.right.shape[-2], self.right.shape[-1]
