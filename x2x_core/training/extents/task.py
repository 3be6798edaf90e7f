"""Training task of the extent finder: simulated radiographs in, the change of each finding out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from x2x_core.anatomy.lung_network import CHANNELS
from x2x_core.anatomy.lungs import load_network
from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.pairs.augmentation import augment
from x2x_core.pairs.layout import Row, read_rows
from x2x_core.pseudomasks.extent_network import OUTPUTS, ExtentNetwork, load_extent_network
from x2x_core.simulation.attributes import read_attributes

from ..config import TrainingConfig
from ..half_weights import write_half
from ..image_size import check_image_size
from ..lungs.task import WEIGHTS_FILE as LUNGS_FILE
from ..scorers.augmentation import edited_view
from ..seeding import seeded_initialisation
from ..task import Batch, Losses, WithoutValidation
from ..views import read_view
from .changes import OneFinding, one_finding, shown_changes
from .loss import ExtentLoss

WEIGHTS_FILE = "extents.safetensors"
_SHOWN = 0.75  # share of views that show the pair's finding
_SAMPLES = 8  # pictures in a sample grid
_SCALED_BY = 50  # pairs of a finding that its usual change is measured on
_LEAST_SPREAD = 0.02  # of a view, grey values
_RARE = -4.0  # logit of a new network: findings are rare


class ExtentTask(WithoutValidation):
    """Training task of the extent finder.

    Args:
        config: the run.

    Raises:
        InputError: the data or the initial weights cannot be used, or do not fit `size`.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.pairs = [pair for folder in config.datasets for pair in _read_pairs(folder)]
        if not self.pairs:
            raise InputError("`data` must hold simulated pairs that differ in one finding, but none does.")
        network = self._initial_network(Path(config.init)) if config.init else self._new_network()
        check_image_size("size", config.size, 2 ** (1 + len(network.down)))
        self.module = ExtentLoss(network)
        self.length = len(self.pairs)

    def _initial_network(self, folder: Path) -> ExtentNetwork:
        """Read an extent finder, whose usual changes become those of the data, or a lung finder for its features."""
        if (folder / WEIGHTS_FILE).is_file() or not (folder / LUNGS_FILE).is_file():
            network = load_extent_network(folder / WEIGHTS_FILE)
            network.scale.copy_(self._usual_changes())
            return network
        lungs = load_network(folder / LUNGS_FILE)
        features = {name: value for name, value in lungs.state_dict().items() if not name.startswith("draw.")}
        network = self._new_network(lungs.channels)
        network.load_state_dict(features, strict=False)
        return network

    def _new_network(self, channels: tuple[int, ...] | None = None) -> ExtentNetwork:
        with seeded_initialisation(self.config.seed):
            network = ExtentNetwork(channels or self.config.models.channels or CHANNELS)
        assert network.draw.bias is not None
        nn.init.constant_(network.draw.bias, _RARE)
        network.scale.copy_(self._usual_changes())
        return network

    def _usual_changes(self) -> torch.Tensor:
        """Return the median of the greatest change of each of `OUTPUTS` in a pair, `(F,)` in spreads of the view."""
        greatest: dict[str, list[float]] = {name: [] for name in OUTPUTS}
        for row, one in self.pairs:
            if len(greatest[one.finding]) < _SCALED_BY:
                without, shown = self._views(row, one)
                for name, change in shown_changes(without[0], shown[0], one.finding).items():
                    greatest[name].append(float(change.max() / shown.std()))
        return torch.tensor([float(np.median(own)) if own else 1.0 for own in greatest.values()])

    def _views(self, row: Row, one: OneFinding) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the views of a pair without and with its finding, `(1, h, w)` each."""
        past, current = (read_view(path, self.config.size) for path in (row.past, row.current))
        return (past, current) if one.after else (current, past)

    def make(self, index: int, generator: torch.Generator) -> Batch:
        """Return one view of a pair: `view` `(1, h, w)`, `part` `(F, h, w)` in [0, 1] and `known` `(F,)`.

        The finding is sometimes softer or a little weaker than it was drawn, as a model's edit is.
        """
        row, one = self.pairs[index]
        without, shown = self._views(row, one)
        pair = torch.cat([without, edited_view(without, shown, generator)])
        pair, _ = augment(pair, "", self.config.augment, generator)
        shows = uniform(0, 1, generator) < _SHOWN
        part = torch.zeros(len(OUTPUTS), *pair.shape[-2:])
        if shows:
            usual = self.module.network.scale * pair[1].std().clamp_min(_LEAST_SPREAD)
            for name, change in shown_changes(pair[0], pair[1], one.finding).items():
                place = OUTPUTS.index(name)
                part[place] = (change / usual[place]).clamp(0, 1)
        return {"view": pair[1:] if shows else pair[:1], "part": part, "known": one.known}

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return the losses of a batch; the generator is not used."""
        return module(**batch)

    @torch.no_grad()
    def sample(self, module: ExtentLoss, device: torch.device) -> torch.Tensor:
        """Return views above what is found in them, `(1, H, W)` in [0, 1]."""
        samples = [self.make(n, torch.Generator().manual_seed(n)) for n in range(min(_SAMPLES, self.length))]
        views = torch.stack([sample["view"] for sample in samples]).to(device)
        found = module.network(views).sigmoid().amax(1, keepdim=True)
        return torch.cat([torch.cat(list(views), -1), torch.cat(list(found), -1)], -2).cpu()

    def save(self, module: ExtentLoss, folder: Path) -> None:
        """Write the weights of the network in float16."""
        write_half(module.network, folder / WEIGHTS_FILE, {"x2x_extents": "1", "outputs": ", ".join(OUTPUTS)})


def _read_pairs(folder: str) -> list[tuple[Row, OneFinding]]:
    """Return the pairs of a simulated dataset's split "train" that differ in one finding."""
    truth = read_attributes(folder)
    pairs = [(row, one_finding(truth[row.current.name])) for row in read_rows(folder, "train")]
    return [(row, one) for row, one in pairs if one is not None]
