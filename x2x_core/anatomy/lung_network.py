"""The network behind the lung finder: a small U-Net on a 128 x 128 view of a radiograph."""

from __future__ import annotations

from .view_unet import ViewUNet

VIEW = 128  # side length of the network's input in pixels
# Outputs: the lung fields as a reader outlines them, and the whole lungs with the part behind heart and diaphragm.
OUTPUTS = ("right field", "left field", "right lung", "left lung")
CHANNELS = (16, 32, 48, 64, 72)


class LungNetwork(ViewUNet):
    """The U-Net that maps views `(B, 1, h, w)` in [0, 1] to logits `(B, 4, h, w)` of `OUTPUTS`.

    Args:
        channels: number of channels of each level, finest first; multiples of 8.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__(channels, len(OUTPUTS))
