"""Training of the bundled scorers: findings and attributes of simulated radiographs, each by a network of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.pairs.augmentation import augment
from x2x_core.pairs.layout import read_rows
from x2x_core.scorers.bundled import ATTRIBUTES, ATTRIBUTES_FILE, FINDINGS_FILE, BundledScorer, scorer_metadata
from x2x_core.scorers.network import CHANNELS, STRIDE, AttributeNetwork, FindingNetwork
from x2x_core.simulation.attributes import MIRRORED, read_attributes
from x2x_core.simulation.disease import DISEASES

from .config import TrainingConfig
from .models import seeded
from .scorer_variation import edited_view

FINDINGS = tuple(DISEASES)
CALIBRATED_EVERY = 5  # pairs, of which one sets the turning points
_CELL_WEIGHT = 2.0  # of the loss in cells
_PRESENT = torch.tensor(3.0)  # weight of a cell that has a finding
_REGION_SHARE, _SMALLEST_CHANGE = 0.15, 0.01  # of the largest change, and in grey levels: from there on a pixel counts
_CELL_SHARE = 0.2  # of a cell's pixels, from which on the cell counts


class ScorersModule(nn.Module):
    """The losses of both networks: cross-entropy of the findings, in the view and in its cells, and smooth L1 of the
    standardised attributes.
    """

    def __init__(self, findings: FindingNetwork, attributes: AttributeNetwork) -> None:
        super().__init__()
        self.findings, self.attributes = findings, attributes

    def forward(self, finding_views, present, places, known, attribute_view, values) -> dict[str, torch.Tensor]:
        """Losses of a batch as `ScorersTask.make` gives its samples; gives `loss` and its parts."""
        logits, maps = self.findings.forward_with_maps(finding_views.flatten(0, 1)[:, None])
        entropy = F.binary_cross_entropy_with_logits(logits, present.flatten(0, 1))
        cells = F.binary_cross_entropy_with_logits(maps, places.flatten(0, 1), reduction="none", pos_weight=_PRESENT)
        counted = known.flatten(0, 1)[..., None, None]
        cell_entropy = (cells * counted).sum() / (counted.sum() * cells[0, 0].numel()).clamp_min(1)
        error = F.smooth_l1_loss(self.attributes(attribute_view), values)
        parts = {"entropy": entropy, "cell_entropy": cell_entropy, "error": error}
        return {"loss": entropy + _CELL_WEIGHT * cell_entropy + error, **parts}


class ScorersTask:
    """What the trainer needs to know to train the scorers."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        truth = read_attributes(config.data)
        self.pairs = [(row, truth[row.current.name]) for row in read_rows(config.data, "train")]
        values = np.array([[pair.values[name] for name in ATTRIBUTES] for _, pair in self.pairs])
        self.mean, self.spread = values.mean(0), values.std(0).clip(1e-6)
        with seeded(config.seed):
            channels = tuple(config.models.get("channels", CHANNELS))
            findings = FindingNetwork(len(FINDINGS), channels)
            self.module = ScorersModule(findings, AttributeNetwork(len(ATTRIBUTES), channels))
        if config.init:
            self.module.findings.load_state_dict(_weights(Path(config.init) / FINDINGS_FILE, FINDINGS))
            self.module.attributes.load_state_dict(_weights(Path(config.init) / ATTRIBUTES_FILE, ATTRIBUTES))
        self.length = len(self.pairs)

    def prepare(self, device: torch.device, accelerator) -> None:
        """Nothing is computed beforehand."""

    def make(self, index: int, generator: torch.Generator) -> dict[str, Any]:
        """The views of one pair with their truths.

        `finding_views` `(2, h, w)`, alike but for what the pair changes; `present` `(2, F)`; `places` and `known`, see
        `finding_places`; `attribute_view` `(1, h, w)` and its standardised `values` `(A,)`.
        """
        row, truth = self.pairs[index]
        images = [read_view(path, self.config.size) for path in (row.past, row.current)]
        states = [truth.before, truth.after]
        if uniform(0, 1, generator) < 0.5:
            images, states = images[::-1], states[::-1]
        pair = torch.cat([images[0], edited_view(*images, generator)])
        pair, _ = augment(pair, "", self.config.augment, generator)
        present = torch.tensor([[float(name in state) for name in FINDINGS] for state in states])
        places, known = finding_places(pair, present, truth.changes)
        view, values = self._attribute_sample(edited_view(*images, generator), truth.values, generator)
        return {
            "finding_views": pair, "present": present, "places": places, "known": known, "attribute_view": view,
            "values": values,
        }  # fmt: skip

    def _attribute_sample(self, view: torch.Tensor, truth: Mapping[str, float], generator: torch.Generator):
        """A view, mirrored by chance, and its attributes, standardised."""
        values = (np.array([truth[name] for name in ATTRIBUTES]) - self.mean) / self.spread
        if uniform(0, 1, generator) < 0.5:
            view, values = view.flip(-1), self._mirrored(values)
        return view, torch.from_numpy(values).float()

    def _mirrored(self, values: np.ndarray) -> np.ndarray:
        """Standardised attributes of the mirrored picture."""
        signs = np.array([-1.0 if name in MIRRORED else 1.0 for name in ATTRIBUTES])
        return (signs * (values * self.spread + self.mean) - self.mean) / self.spread

    def loss(self, module: nn.Module, batch: dict, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Losses of one batch; nothing is drawn."""
        return module(**batch)

    @torch.no_grad()
    def sample(self, module: ScorersModule, device: torch.device) -> torch.Tensor:
        """Views of eight pairs as the finding scorer gets them, above those of the attribute scorer, `(1, H, W)`."""
        made = [self.make(n, torch.Generator().manual_seed(n)) for n in range(min(8, self.length))]
        columns = [torch.cat([*one["finding_views"], one["attribute_view"][0]]) for one in made]
        return torch.cat(columns, -1)[None]

    @torch.no_grad()
    def turning_points(self, network: FindingNetwork) -> list[float]:
        """Each finding's turning point (see `turning_point`) on plain images of the split "train"."""
        logits, present = [], []
        for row, truth in self.pairs[::CALIBRATED_EVERY]:
            views = torch.stack([read_view(path, self.config.size) for path in (row.past, row.current)])
            logits.append(network(views.to(next(network.parameters()).device)).cpu())
            present += [[name in state for name in FINDINGS] for state in (truth.before, truth.after)]
        logits, present = torch.cat(logits), torch.tensor(present)
        return [turning_point(*columns) for columns in zip(logits.T, present.T)]

    def save(self, module: ScorersModule, folder: Path) -> None:
        """Write both networks, float16, with what they score; the attributes' in the attributes' own units."""
        folder.mkdir(parents=True, exist_ok=True)
        size = self.config.size
        turn = {"turn": self.turning_points(module.findings)}
        _write(folder / FINDINGS_FILE, module.findings, scorer_metadata(FINDINGS, "probability", size, **turn))
        scale = {"mean": self.mean.tolist(), "spread": self.spread.tolist()}
        _write(folder / ATTRIBUTES_FILE, module.attributes, scorer_metadata(ATTRIBUTES, "value", size, **scale))


def turning_point(logits: torch.Tensor, present: torch.Tensor) -> float:
    """The logit from which on to say "present": the one with the highest sensitivity plus specificity (Youden, 1950).

    Args:
        logits, present: `(n,)` float and bool; 0 where one of the classes is absent.
    """
    if present.all() or not present.any():
        return 0.0
    ordered, place = logits.sort()
    hits = present[place].double()
    sensitivity = 1 - (hits.cumsum(0) - hits) / hits.sum()
    specificity = ((1 - hits).cumsum(0) - (1 - hits)) / (1 - hits).sum()
    best = int((sensitivity + specificity).argmax())  # of the rule "at least the best-th logit"
    return float((ordered[best] + ordered[max(0, best - 1)]) / 2)


def finding_places(pair: torch.Tensor, present: torch.Tensor, changes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the findings of a pair are, as far as the pair tells.

    A finding that an image lacks is nowhere in it. One that it has, and that is the only change of the pair, is where
    the two images differ. Of others (changed in level, there in both, one of several changes) the place is unknown.

    Args:
        pair: `(2, h, w)`.
        present: `(2, F)`, 1 where an image has a finding.
        changes: how many findings the pair changes.

    Returns:
        `places` `(2, F, h / STRIDE, w / STRIDE)` of 0 and 1, and `known` `(2, F)`, 1 where a place is known.
    """
    change = (pair[1] - pair[0]).abs()
    region = (change > max(_REGION_SHARE * float(change.max()), _SMALLEST_CHANGE)).float()
    cells = (F.avg_pool2d(region[None], STRIDE) > _CELL_SHARE).float()
    there = present[..., None, None]
    alone = float(changes == 1) * (present != present.flip(0)).float()
    return there * cells, torch.where(present > 0, alone, torch.ones_like(alone))


def read_view(path: Path, size: int) -> torch.Tensor:
    """A picture as `(1, size, size)` float32 in [0, 1], grey."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small.astype(np.float32) / 255)[None]


def _write(path: Path, network: nn.Module, metadata: dict[str, str]) -> None:
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, path, metadata)


def _weights(path: Path, labels: tuple[str, ...]) -> dict[str, torch.Tensor]:
    scorer = BundledScorer.load(path, path.stem)
    if scorer.labels != labels:
        raise InputError(
            f"`init` must hold scorers of {', '.join(labels)}, but `{path}` scores {', '.join(scorer.labels)}."
        )
    return scorer.network.state_dict()
