"""The score that is explained: one finding of a classifier, as probability and as log-odds with derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from x2x_core.common.errors import InputError
from x2x_core.scorers.scorer import PROBABILITY, check_scorer, score_images

_EPSILON = 1e-6  # distance of a probability from 0 and 1, so that its log-odds are finite


@runtime_checkable
class DifferentiableScorer(Protocol):
    """A scorer whose scores have derivatives by the images, see `x2x_core.scorers.scorer.ImageScorer`."""

    name: str
    labels: tuple[str, ...]
    kind: str

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores `(B, len(labels))` of images `(B, 1, H, W)` in [0, 1]."""
        ...

    def with_gradients(self, images: torch.Tensor) -> torch.Tensor:
        """Return the same scores with their derivatives."""
        ...


@dataclass(frozen=True)
class Target:
    """A finding of a classifier.

    Raises:
        InputError: a scorer that gives values, has no derivatives, or lacks the finding.
    """

    scorer: Any
    finding: str

    def __post_init__(self) -> None:
        check_scorer(self.scorer)
        if self.scorer.kind != PROBABILITY or not isinstance(self.scorer, DifferentiableScorer):
            raise InputError(
                f"`scorer` must give probabilities with derivatives (`with_gradients`), but {self.scorer.name!r} does "
                "not. Take the bundled one, or a torch module in `x2x_core.scorers.adapters.ModuleScorer`."
            )
        if self.finding not in self.scorer.labels:
            raise InputError(
                f"`finding` must be a label of {self.scorer.name!r} ({', '.join(self.scorer.labels)}), got "
                f"{self.finding!r}."
            )

    def probability(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities `(B,)` float64 of images `(B, 1, H, W)` in [0, 1]."""
        return score_images(self.scorer, images)[:, self.scorer.labels.index(self.finding)]

    def log_odds(self, images: torch.Tensor) -> torch.Tensor:
        """Return the log-odds `(B,)` with their derivatives by images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputError: the classifier's scores have no derivatives, as those of an ONNX file.
        """
        scores = self.scorer.with_gradients(images)[:, self.scorer.labels.index(self.finding)]
        if images.requires_grad and not scores.requires_grad:
            raise InputError(
                f"`scorer` must have derivatives by the image, but {self.scorer.name!r} has none (an ONNX file never "
                "has). Export it as TorchScript."
            )
        return torch.logit(scores.clamp(_EPSILON, 1 - _EPSILON))


class LogOdds(nn.Module):
    """`Target.log_odds` as a module, for captum."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return log-odds `(B,)`."""
        return self.target.log_odds(images)
