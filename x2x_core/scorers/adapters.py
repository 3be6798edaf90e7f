"""Adapter that makes a torch module, or any function of images, an `ImageScorer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from x2x_core.common.errors import InputError

from .labels import canonical_labels
from .preparation import Network, Preparation, activation_of, named_outputs, on_device, run_network
from .scorer import check_scorer


class ModuleScorer:
    """A torch module (or any function of images) as an `ImageScorer`.

    Example:
        >>> scorer = ModuleScorer(network, ["pleural effusion"], "probability", size=224, activation="sigmoid")
        >>> scorer(images)  # (B, 1, H, W) in [0, 1] to (B, 1)

    Args:
        module: maps `(B, channels, h, w)` to `(B, number of labels)`.
        labels: of the module's outputs, see `canonical_labels` for names of findings; an output labelled "" is ignored.
        kind: "probability" or "value", see `x2x_core.scorers.scorer.ImageScorer`.
        name: name in reports; by default the module's class.
        activation: one of `x2x_core.scorers.preparation.ACTIVATIONS`, applied to the outputs.
        device: where the module runs; images are moved there.
        preparation: fields of `Preparation`.

    Raises:
        InputError: an unknown activation or kind, or a wrong preparation.
    """

    def __init__(
        self,
        module: Network,
        labels: Sequence[str],
        kind: str,
        *,
        name: str | None = None,
        activation: str = "none",
        device: str | torch.device = "cpu",
        **preparation: Any,
    ) -> None:
        self.module, self.kind, self.device = on_device(module, device), kind, torch.device(device)
        self.name = name or type(module).__name__
        self._indices, self._outputs = named_outputs(labels), len(labels)
        self.labels = canonical_labels([labels[index] for index in self._indices])
        self._prepare, self._activate = Preparation(**preparation), activation_of(activation)
        check_scorer(self)

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores `(B, len(labels))` of images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputError: wrong images, or the module fails or returns another number of outputs.
        """
        return self.with_gradients(images)

    def with_gradients(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores with their derivatives by the images, if the module has them.

        Raises:
            InputError: as for a call.
        """
        outputs = run_network(self.module, self.name, self._prepare(images).to(self.device))
        if outputs.shape[1:] != (self._outputs,):
            raise InputError(
                f"The network {self.name!r} must return {self._outputs} numbers per image, one for each label, got "
                f"shape {tuple(outputs.shape)}."
            )
        return self._activate(outputs)[:, self._indices]

    def __repr__(self) -> str:
        return f"ModuleScorer({self.name!r}, {len(self.labels)} labels, {self.kind})"
