"""Training of the bundled scorers: findings and attributes of simulated radiographs, each by a network of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from x2x_core.evaluation.bundled_scorers import ATTRIBUTES, ATTRIBUTES_FILE, FINDINGS_FILE, scorer_metadata
from x2x_core.evaluation.scorer_network import CHANNELS, ScorerNetwork
from x2x_core.simulation.attributes import MIRRORED, read_attributes
from x2x_core.simulation.disease import DISEASES
from x2x_core.simulation.randomness import uniform
from x2x_core.training.augmentation import augment
from x2x_core.training.config import TrainingConfig
from x2x_core.training.models import seeded
from x2x_core.training.pairs import Row, read_rows
from x2x_core.training.scorer_variation import edited_view

FINDINGS = tuple(DISEASES)


class ScorersModule(nn.Module):
    """The losses of both networks: cross-entropy of the findings, smooth L1 of the standardised attributes."""

    def __init__(self, findings: ScorerNetwork, attributes: ScorerNetwork) -> None:
        super().__init__()
        self.findings, self.attributes = findings, attributes

    def forward(self, finding_view, present, attribute_view, values) -> dict[str, torch.Tensor]:
        """Views `(B, 1, h, w)`, `present` `(B, F)` of 0 and 1, standardised `values` `(B, A)`; gives `loss` and parts."""
        entropy = F.binary_cross_entropy_with_logits(self.findings(finding_view), present)
        error = F.smooth_l1_loss(self.attributes(attribute_view), values)
        return {"loss": entropy + error, "entropy": entropy, "error": error}


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
            self.module = ScorersModule(
                ScorerNetwork(len(FINDINGS), channels), ScorerNetwork(len(ATTRIBUTES), channels)
            )
        self.length = 2 * len(self.pairs)

    def prepare(self, device: torch.device, accelerator) -> None:
        """Nothing is computed beforehand."""

    def make(self, index: int, generator: torch.Generator) -> dict[str, Any]:
        """One image of a pair, as two views with their truths; see `ScorersModule`."""
        (row, truth), forward = self.pairs[index // 2], bool(index % 2)
        start, end = (read_view(path, self.config.size) for path in _ends(row, forward))
        finding_view, _ = augment(edited_view(start, end, generator), "", self.config.augment, generator)
        present = torch.tensor([float(name in (truth.after if forward else truth.before)) for name in FINDINGS])
        attribute_view = edited_view(start, end, generator)
        values = (np.array([truth.values[name] for name in ATTRIBUTES]) - self.mean) / self.spread
        if uniform(0, 1, generator) < 0.5:
            attribute_view, values = attribute_view.flip(-1), self._mirrored(values)
        values = torch.from_numpy(values).float()
        return {"finding_view": finding_view, "present": present, "attribute_view": attribute_view, "values": values}

    def _mirrored(self, values: np.ndarray) -> np.ndarray:
        """Standardised attributes of the mirrored picture."""
        signs = np.array([-1.0 if name in MIRRORED else 1.0 for name in ATTRIBUTES])
        return (signs * (values * self.spread + self.mean) - self.mean) / self.spread

    def loss(self, module: nn.Module, batch: dict, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Losses of one batch; nothing is drawn."""
        return module(batch["finding_view"], batch["present"], batch["attribute_view"], batch["values"])

    @torch.no_grad()
    def sample(self, module: ScorersModule, device: torch.device) -> torch.Tensor:
        """Training views as the finding scorer gets them, `(1, H, W)` in [0, 1]."""
        views = [self.make(n, torch.Generator().manual_seed(n)) for n in range(min(8, self.length))]
        rows = [torch.cat([view[key] for view in views], -1) for key in ("finding_view", "attribute_view")]
        return torch.cat(rows, -2)

    def save(self, module: ScorersModule, folder: Path) -> None:
        """Write both networks, float16, with what they score; the attributes' in the attributes' own units."""
        folder.mkdir(parents=True, exist_ok=True)
        size = self.config.size
        _write(folder / FINDINGS_FILE, module.findings, scorer_metadata(FINDINGS, "probability", size))
        scale = {"mean": self.mean.tolist(), "spread": self.spread.tolist()}
        _write(folder / ATTRIBUTES_FILE, module.attributes, scorer_metadata(ATTRIBUTES, "value", size, **scale))


def read_view(path: Path, size: int) -> torch.Tensor:
    """A picture as `(1, size, size)` float32 in [0, 1], grey."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small.astype(np.float32) / 255)[None]


def _ends(row: Row, forward: bool) -> tuple[Path, Path]:
    return (row.past, row.current) if forward else (row.current, row.past)


def _write(path: Path, network: ScorerNetwork, metadata: dict[str, str]) -> None:
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, path, metadata)
