"""Training of the lung finder's network: strongly varied radiographs in, lung fields and whole lungs out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from x2x_core.anatomy.lung_network import CHANNELS, OUTPUTS, LungNetwork
from x2x_core.anatomy.lungs import load_network
from x2x_core.common.errors import InputNotFoundError
from x2x_core.pairs.layout import read_rows

from .config import TrainingConfig
from .lung_variation import vary
from .models import seeded

WEIGHTS = "lungs.safetensors"
# Weight of each output in the loss: the fields are what is used most.
_WEIGHTS = (1.0, 1.0, 0.5, 0.5)


@dataclass(frozen=True)
class LungImage:
    """A simulated radiograph with its masks on disk."""

    image: Path
    fields: Path  # right and left in red and green
    lungs: Path  # right and left in red and green

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """The image `(h, w)` float32 in [0, 1], and `OUTPUTS` `(h, w, 4)` uint8 of 0..255."""
        image = cv2.imread(str(self.image), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        pictures = [cv2.imread(str(path), cv2.IMREAD_COLOR)[..., 2:0:-1] for path in (self.fields, self.lungs)]
        return image, np.concatenate(pictures, axis=2)


def read_lung_images(folder: str | Path, split: str) -> list[LungImage]:
    """The images of one split of a simulated dataset, before and after, with their masks.

    Raises:
        InputNotFoundError: no dataset, or one without `masks/` or `fields/`.
        InputError: see `read_rows`.
    """
    folder, found = Path(folder), []
    for row in read_rows(folder, split):
        fields = folder / "fields" / f"{row.past.stem.split('-')[0]}.png"
        lungs = folder / "masks" / row.past.name
        if not (fields.is_file() and lungs.is_file()):
            missing = fields if lungs.is_file() else lungs
            raise InputNotFoundError(
                f"`{missing}` is missing: the lung finder is trained on a simulated dataset with lung fields, which "
                "`x2x simulate --fields` writes."
            )
        found += [LungImage(path, fields, lungs) for path in (row.past, row.current)]
    return found


class LungModule(nn.Module):
    """The loss of the lung finder: cross-entropy and soft Dice (Milletari et al., 3DV 2016) of each output."""

    def __init__(self, network: LungNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, view: torch.Tensor, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        """`view` `(B, 1, h, w)` and `masks` `(B, 4, h, w)` in [0, 1]; gives `loss` and its parts."""
        logits = self.network(view)
        weights = logits.new_tensor(_WEIGHTS) / sum(_WEIGHTS)
        entropy = (F.binary_cross_entropy_with_logits(logits, masks, reduction="none").mean((0, 2, 3)) * weights).sum()
        overlap = soft_dice(logits.sigmoid(), masks)
        dice = (overlap * weights).sum()
        return {"loss": entropy + 1 - dice, "entropy": entropy, "dice": dice}


def soft_dice(chance: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Dice of `(B, C, h, w)` in [0, 1] over batch and pixels, `(C,)`."""
    shared = (chance * masks).sum((0, 2, 3))
    return (2 * shared + 1) / (chance.sum((0, 2, 3)) + masks.sum((0, 2, 3)) + 1)


class LungTask:
    """What the trainer needs to know to train the lung finder."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.images = read_lung_images(config.data, "train")
        network = load_network(Path(config.init) / WEIGHTS) if config.init else self._new_network()
        self.module = LungModule(network)
        self.length = len(self.images)

    def _new_network(self) -> LungNetwork:
        with seeded(self.config.seed):
            return LungNetwork(tuple(self.config.models.get("channels", CHANNELS)))

    def prepare(self, device: torch.device, accelerator) -> None:
        """Nothing is computed beforehand."""

    def make(self, index: int, generator: torch.Generator) -> dict[str, Any]:
        """One varied view: `view` `(1, h, w)` and `masks` `(4, h, w)` in [0, 1]."""
        draws = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        image, masks = vary(*self.images[index].read(), self.config.size, draws)
        masks = np.ascontiguousarray(masks.transpose(2, 0, 1))
        return {"view": torch.from_numpy(image)[None], "masks": torch.from_numpy(masks)}

    def loss(self, module: nn.Module, batch: dict, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Losses of one batch; nothing is drawn."""
        return module(batch["view"], batch["masks"])

    @torch.no_grad()
    def sample(self, module: LungModule, device: torch.device) -> torch.Tensor:
        """Radiographs of the split "val" above the lung fields found in them, `(1, H, W)` in [0, 1]."""
        views = torch.stack([self._view(one) for one in read_lung_images(self.config.data, "val")[::5][:8]]).to(device)
        found = module.network(views).sigmoid()[:, :2].amax(1, keepdim=True)
        return torch.cat([torch.cat(list(views), -1), torch.cat(list(found), -1)], -2).cpu()

    def _view(self, one: LungImage) -> torch.Tensor:
        size = self.config.size
        return torch.from_numpy(cv2.resize(one.read()[0], (size, size), interpolation=cv2.INTER_AREA))[None]

    def save(self, module: LungModule, folder: Path) -> None:
        """Write the network's weights, float16."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: value.half().contiguous() for name, value in module.network.state_dict().items()}
        save_file(weights, folder / WEIGHTS, {"x2x_lungs": "1", "outputs": ", ".join(OUTPUTS)})
