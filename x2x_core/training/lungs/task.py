"""Training task of the lung finder: strongly augmented radiographs in, lung fields and whole lungs out.

An outlined film has no truth of the whole lungs, so that its views train the fields alone.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from x2x_core.anatomy.lung_network import CHANNELS, OUTPUTS, LungNetwork
from x2x_core.anatomy.lungs import load_network

from ..config import TrainingConfig
from ..half_weights import write_half
from ..image_size import check_image_size
from ..seeding import seeded_initialisation
from ..task import Batch, Losses, WithoutValidation
from .augmentation import augment_view
from .images import LungImage, read_lung_images
from .loss import LungLoss

WEIGHTS_FILE = "lungs.safetensors"
_SAMPLES = 8  # pictures in a sample grid


class LungTask(WithoutValidation):
    """Training task of the lung finder.

    Args:
        config: the run.

    Raises:
        InputError: the data or the initial weights cannot be used, or do not fit `size`.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.images = [image for folder in config.datasets for image in read_lung_images(folder, "train")]
        network = load_network(Path(config.init) / WEIGHTS_FILE) if config.init else self._new_network()
        check_image_size("size", config.size, 2 ** (1 + len(network.down)))
        self.module = LungLoss(network)
        self.length = len(self.images)

    def _new_network(self) -> LungNetwork:
        with seeded_initialisation(self.config.seed):
            return LungNetwork(self.config.models.channels or CHANNELS)

    def make(self, index: int, generator: torch.Generator) -> Batch:
        """Return one augmented view: `view` `(1, h, w)` and `masks` `(4, h, w)` in [0, 1], and which masks are `known`.

        `known` `(4,)` is 1 for the outputs that have a truth.
        """
        draws = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        source = self.images[index]
        image, masks = augment_view(*source.read(), self.config.size, draws)
        masks = np.ascontiguousarray(masks.transpose(2, 0, 1))
        known = torch.ones(len(OUTPUTS))
        known[2:] = float(source.lungs is not None)
        return {"view": torch.from_numpy(image)[None], "masks": torch.from_numpy(masks), "known": known}

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return the losses of a batch; the generator is not used."""
        return module(batch["view"], batch["masks"], batch["known"])

    @torch.no_grad()
    def sample(self, module: LungLoss, device: torch.device) -> torch.Tensor:
        """Return radiographs of the split "val" above their predicted lung fields, `(1, H, W)` in [0, 1]."""
        images = [image for folder in self.config.datasets for image in read_lung_images(folder, "val")][::5][:_SAMPLES]
        views = torch.stack([self._view(image) for image in images]).to(device)
        fields = module.network(views).sigmoid()[:, :2].amax(1, keepdim=True)
        return torch.cat([torch.cat(list(views), -1), torch.cat(list(fields), -1)], -2).cpu()

    def _view(self, image: LungImage) -> torch.Tensor:
        size = self.config.size
        return torch.from_numpy(cv2.resize(image.read()[0], (size, size), interpolation=cv2.INTER_AREA))[None]

    def save(self, module: LungLoss, folder: Path) -> None:
        """Write the weights of the network in float16."""
        write_half(module.network, folder / WEIGHTS_FILE, {"x2x_lungs": "1", "outputs": ", ".join(OUTPUTS)})
