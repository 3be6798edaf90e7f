"""Economy of classifier-free guidance: which branches a step predicts, and what is reused of earlier steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .backbones.conditioning import NEITHER


@dataclass(frozen=True)
class GuidanceSteps:
    """The steps in which branches are predicted."""

    end: float = 1.0  # share of the steps that are guided; later ones follow the first branch alone
    unconditional_interval: int = 1  # steps between predictions of the unconditional branch
    cancelling: bool = False  # predict the unconditional branch also where it cancels, as the stock pipeline does


class Guide:
    """The branches of consecutive steps of one denoising.

    Args:
        steps: the steps in which branches are predicted.
        branches: that guidance combines; the last may be the unconditional one.
    """

    def __init__(self, steps: GuidanceSteps, branches: tuple[str, ...]) -> None:
        self._steps, self._branches = steps, branches
        self._difference: torch.Tensor | None = None  # of the image's and the unconditional prediction, when last known

    def branches(self, step: int, count: int, image_scale: float) -> tuple[str, ...]:
        """Return the branches to predict.

        Args:
            step: from 0.
            count: of all steps.
            image_scale: s_I; at 1 the unconditional branch cancels, and is skipped.
        """
        if self.ended(step, count):
            return self._branches[:1]
        if NEITHER not in self._branches:
            return self._branches
        known = self._difference is not None and step % self._steps.unconditional_interval != 0
        cancels = image_scale == 1 and not self._steps.cancelling
        return self._branches[:-1] if known or cancels else self._branches

    def ended(self, step: int, count: int) -> bool:
        """Return True if a step is no longer guided."""
        return step >= self._steps.end * count

    def complete(self, predictions: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Return predictions of the branches of a guided step with the unconditional one, predicted or estimated.

        It is estimated as the image's prediction less the difference of the two when it was last predicted; where it
        was never predicted it cancels, and the image's prediction takes its place.
        """
        if NEITHER not in self._branches:
            return predictions
        if len(predictions) == len(self._branches):
            if self._steps.unconditional_interval > 1:
                self._difference = predictions[-2] - predictions[-1]
            return predictions
        image = predictions[-1]
        return (*predictions, image if self._difference is None else image - self._difference)
