"""Interface between the trainer and what it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from torch import nn

Batch = dict[str, Any]
Losses = dict[str, torch.Tensor]


class TrainingTask(Protocol):
    """A model to train, with its data and its loss.

    Attributes:
        module: holds the weights; its forward pass gives the losses.
        length: number of training samples.
        validation_length: number of validation samples; 0 if the task has no validation loss.
    """

    module: Any
    length: int
    validation_length: int

    def prepare(self, accelerator: Accelerator) -> None:
        """Move frozen parts to the device and compute what is needed in advance."""
        ...

    def make(self, index: int, generator: torch.Generator) -> Batch:
        """Return one training sample, augmented with the generator's random numbers."""
        ...

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return the losses of a batch; training minimises `loss`, all are logged."""
        ...

    def validation_sample(self, index: int) -> Batch:
        """Return one sample of the split "val", without augmentation."""
        ...

    def validation_loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return `error` and `change` of a batch of validation samples."""
        ...

    def sample(self, module: Any, device: torch.device) -> torch.Tensor:
        """Return a grid of sample pictures `(1, H, W)` in [0, 1]."""
        ...

    def save(self, module: Any, folder: Path) -> None:
        """Write the finished model."""
        ...


class WithoutValidation:
    """Base of tasks that compute nothing in advance and have no validation loss."""

    validation_length = 0

    def prepare(self, accelerator: Accelerator) -> None:
        """Do nothing: all data are computed in the step."""

    def validation_sample(self, index: int) -> Batch:
        """Raise an error; the configuration refuses `validate_every` for such tasks."""
        raise NotImplementedError

    def validation_loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Raise an error; the configuration refuses `validate_every` for such tasks."""
        raise NotImplementedError
