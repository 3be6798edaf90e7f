"""A classifier as an answerer."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

from ..scorer import PROBABILITY, ImageScorer, check_scorer, score_images
from .answerer import YES_FROM, Answer, Question


class ClassifierAnswerer:
    """A scorer of findings, which says yes from a probability of 0.5 on.

    Args:
        scorer: gives probabilities.

    Raises:
        InputError: not a scorer, or one that gives values.
    """

    def __init__(self, scorer: ImageScorer) -> None:
        if check_scorer(scorer).kind != PROBABILITY:
            raise InputError(
                f"`answerer` must give probabilities, but {scorer.name!r} gives each label a {scorer.kind}."
            )
        self.scorer, self.name = scorer, scorer.name
        self.findings: tuple[str, ...] | None = tuple(scorer.labels)

    def __call__(self, images: torch.Tensor, question: Question) -> list[Answer]:
        """Return one answer for each of the images `(B, 1, H, W)` in [0, 1]; the finding is one of `findings`."""
        scores = score_images(self.scorer, images)[:, self.scorer.labels.index(question.finding)].tolist()
        return [Answer("yes" if score >= YES_FROM else "no", score >= YES_FROM, score) for score in scores]
