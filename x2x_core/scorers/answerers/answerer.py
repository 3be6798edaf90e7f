"""The protocol of answerers: a yes-or-no question about radiographs, and its answers.

An answerer is any object with `name` and `findings` that maps images and a question to one answer per image: a
classifier, a vision-language model, a model behind an address, or a program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from x2x_core.common.errors import InputError

from ..scorer import check_images

YES_FROM = 0.5  # probability from which on a score means "yes"


@dataclass(frozen=True)
class Question:
    """A yes-or-no question about one finding."""

    finding: str  # canonical name, see `x2x_core.language.vocabulary`
    text: str  # what a model that reads words is asked


@dataclass(frozen=True)
class Answer:
    """An answer to a question.

    Args:
        text: what the model said.
        says: True for yes, False for no, ``None`` if it said neither.
        score: probability of yes in [0, 1]; ``None`` if the model gives none.
    """

    text: str
    says: bool | None
    score: float | None = None

    @property
    def value(self) -> float | None:
        """The score, or 1 for yes and 0 for no without one; ``None`` for neither."""
        if self.score is not None:
            return self.score
        return None if self.says is None else float(self.says)


@runtime_checkable
class Answerer(Protocol):
    """A model that answers questions about radiographs.

    Attributes:
        name: name in reports.
        findings: the findings that it can be asked about; ``None``: any.
    """

    name: str
    findings: tuple[str, ...] | None

    def __call__(self, images: torch.Tensor, question: Question) -> list[Answer]:
        """Return one answer for each of the images `(B, 1, H, W)`, floating point in [0, 1]."""
        ...


def default_question(finding: str, side: str | None = None) -> Question:
    """Return the question that is asked about a finding if no other is given."""
    subject = finding if side is None else f"{side} {finding}"
    return Question(finding, f"Does this chest radiograph show {subject}? Answer with yes or no.")


def check_questions(answerer: Answerer, findings: Iterable[str]) -> None:
    """Check that an answerer can be asked about findings.

    Raises:
        InputError: it has no answer about one of them.
    """
    for finding in findings:
        if answerer.findings is not None and finding not in answerer.findings:
            raise InputError(
                f"`findings` must be labels of {answerer.name!r} ({', '.join(answerer.findings)}), got {finding!r}."
            )


def ask(answerer: Answerer, images: torch.Tensor, question: Question) -> list[Answer]:
    """Ask a question about images, and check the answers.

    Args:
        answerer: any answerer.
        images: `(B, 1, H, W)`, floating point in [0, 1].
        question: the question.

    Raises:
        InputError: wrong images, another number of answers than of images, or a score outside [0, 1].
    """
    answers = list(answerer(check_images(images), question))
    if len(answers) != len(images):
        raise InputError(
            f"{answerer.name!r} must give one answer for each of {len(images)} images, got {len(answers)}."
        )
    for answer in answers:
        if answer.score is not None and not 0 <= answer.score <= 1:
            raise InputError(f"Scores of {answerer.name!r} must be in [0, 1], got {answer.score:g}.")
    return answers
