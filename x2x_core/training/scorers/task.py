"""Training task of the bundled scorers: findings and attributes of simulated radiographs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.pairs.augmentation import augment
from x2x_core.pairs.layout import Row, read_rows
from x2x_core.scorers.bundled import ATTRIBUTES, ATTRIBUTES_FILE, FINDINGS_FILE, BundledScorer, scorer_metadata
from x2x_core.scorers.network import CHANNELS, AttributeNetwork, FindingNetwork
from x2x_core.scorers.scorer import PROBABILITY, VALUE
from x2x_core.simulation.attributes import MIRRORED, PairAttributes, read_attributes
from x2x_core.simulation.disease import DISEASES

from ..config import TrainingConfig
from ..half_weights import write_half
from ..image_size import check_image_size
from ..seeding import seeded_initialisation
from ..task import Batch, Losses, WithoutValidation
from ..views import read_view
from .augmentation import edited_view
from .calibration import youden_threshold
from .localisation import finding_places
from .loss import ScorersLoss

FINDINGS = tuple(DISEASES)
_CALIBRATION_STRIDE = 5  # every fifth pair calibrates the thresholds
_SAMPLES = 8  # pairs in a sample grid


class ScorersTask(WithoutValidation):
    """Training task of the scorers.

    Args:
        config: the run.

    Raises:
        InputError: the data or the initial weights cannot be used, or do not fit `size`.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.pairs = [pair for folder in config.datasets for pair in _read_pairs(folder)]
        values = np.array([[pair.values[name] for name in ATTRIBUTES] for _, pair in self.pairs])
        self.mean, self.std = values.mean(0), values.std(0).clip(1e-6)
        channels = config.models.channels or CHANNELS
        check_image_size("size", config.size, 2 ** len(channels))
        with seeded_initialisation(config.seed):
            findings = FindingNetwork(len(FINDINGS), channels)
            self.module = ScorersLoss(findings, AttributeNetwork(len(ATTRIBUTES), channels))
        if config.init:
            _load(self.module.findings, Path(config.init) / FINDINGS_FILE, FINDINGS)
            _load(self.module.attributes, Path(config.init) / ATTRIBUTES_FILE, ATTRIBUTES)
        self.length = len(self.pairs)

    def make(self, index: int, generator: torch.Generator) -> Batch:
        """Return the views of one pair with their labels.

        The keys are `finding_views` `(2, h, w)` in [0, 1], which differ only by the pair's change; `present` `(2, F)`;
        `places` and `known`, see `finding_places`; `attribute_view` `(1, h, w)` in [0, 1] and its standardised `values`
        `(A,)`.
        """
        row, truth = self.pairs[index]
        start, end = (read_view(path, self.config.size) for path in (row.past, row.current))
        states = [truth.before, truth.after]
        if uniform(0, 1, generator) < 0.5:
            start, end, states = end, start, states[::-1]
        pair = torch.cat([start, edited_view(start, end, generator)])
        pair, _ = augment(pair, "", self.config.augment, generator)
        present = torch.tensor([[float(name in state) for name in FINDINGS] for state in states])
        places, known = finding_places(pair, present, truth.changes)
        view, values = self._attribute_sample(edited_view(start, end, generator), truth.values, generator)
        return {
            "finding_views": pair, "present": present, "places": places, "known": known, "attribute_view": view,
            "values": values,
        }  # fmt: skip

    def _attribute_sample(
        self, view: torch.Tensor, truth: Mapping[str, float], generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a view, mirrored at random, and its standardised attributes."""
        values = (np.array([truth[name] for name in ATTRIBUTES]) - self.mean) / self.std
        if uniform(0, 1, generator) < 0.5:
            view, values = view.flip(-1), self._mirrored(values)
        return view, torch.from_numpy(values).float()

    def _mirrored(self, values: np.ndarray) -> np.ndarray:
        """Return the standardised attributes of the mirrored picture."""
        signs = np.array([-1.0 if name in MIRRORED else 1.0 for name in ATTRIBUTES])
        return (signs * (values * self.std + self.mean) - self.mean) / self.std

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return the losses of a batch; the generator is not used."""
        return module(**batch)

    @torch.no_grad()
    def sample(self, module: ScorersLoss, device: torch.device) -> torch.Tensor:
        """Return views of eight pairs: the finding network's above the attribute network's, `(1, H, W)` in [0, 1]."""
        samples = [self.make(n, torch.Generator().manual_seed(n)) for n in range(min(_SAMPLES, self.length))]
        columns = [torch.cat([*sample["finding_views"], sample["attribute_view"][0]]) for sample in samples]
        return torch.cat(columns, -1)[None]

    @torch.no_grad()
    def thresholds(self, network: FindingNetwork) -> list[float]:
        """Return the logit threshold of each finding (`youden_threshold`), from plain images of the split "train"."""
        device = next(network.parameters()).device
        logits, present = [], []
        for row, truth in self.pairs[::_CALIBRATION_STRIDE]:
            views = torch.stack([read_view(path, self.config.size) for path in (row.past, row.current)])
            logits.append(network(views.to(device)).cpu())
            present += [[name in state for name in FINDINGS] for state in (truth.before, truth.after)]
        return [youden_threshold(*columns) for columns in zip(torch.cat(logits).T, torch.tensor(present).T)]

    def save(self, module: ScorersLoss, folder: Path) -> None:
        """Write both networks in float16, each with its labels and scale."""
        size = self.config.size
        turn = self.thresholds(module.findings)
        write_half(module.findings, folder / FINDINGS_FILE, scorer_metadata(FINDINGS, PROBABILITY, size, turn=turn))
        scale = {"mean": self.mean.tolist(), "spread": self.std.tolist()}
        write_half(module.attributes, folder / ATTRIBUTES_FILE, scorer_metadata(ATTRIBUTES, VALUE, size, **scale))


def _read_pairs(folder: str) -> list[tuple[Row, PairAttributes]]:
    """Return the pairs of a simulated dataset's split "train" with their truth."""
    truth = read_attributes(folder)
    return [(row, truth[row.current.name]) for row in read_rows(folder, "train")]


def _load(network: nn.Module, path: Path, labels: tuple[str, ...]) -> None:
    """Load the weights of a scorer's file into a network."""
    scorer = BundledScorer.load(path, path.stem)
    if scorer.labels != labels:
        raise InputError(
            f"`init` must hold scorers of {', '.join(labels)}, but `{path}` scores {', '.join(scorer.labels)}."
        )
    try:
        network.load_state_dict(scorer.network.state_dict())
    except RuntimeError as error:
        raise InputError(
            f"`models` must have the channels of the scorers in `init`, but those of `{path}` differ."
        ) from error
