"""Protocols of networks that read radiographs, and the checked scoring of images.

A scorer is any object with `name`, `labels` and `kind` that maps images to one number per label.
`x2x_core.scorers.adapters` adapts torch modules; `x2x_core.scorers.bundled` has small scorers trained on simulated
radiographs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch

from x2x_core.common.errors import InputError

PROBABILITY, VALUE = "probability", "value"
KINDS = (PROBABILITY, VALUE)
BATCH_SIZE = 32  # images scored at once


@runtime_checkable
class ImageScorer(Protocol):
    """A network that reads radiographs.

    Attributes:
        name: name in reports.
        labels: names of the scores: findings by canonical name (see `x2x_core.language.vocabulary`), classes, or
            attributes.
        kind: "probability" (scores in [0, 1]) or "value" (scores in the attribute's own unit).
    """

    name: str
    labels: tuple[str, ...]
    kind: str

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores `(B, len(labels))` of images `(B, 1, H, W)`, floating point in [0, 1]."""
        ...


@runtime_checkable
class FeatureSource(Protocol):
    """A feature extractor, for distances between sets of images; a scorer may be one too.

    Attributes:
        name: name in reports.
    """

    name: str

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return features `(B, D)` of images `(B, 1, H, W)` in [0, 1]."""
        ...


def check_scorer(scorer: ImageScorer) -> ImageScorer:
    """Return the scorer if it follows the protocol.

    Raises:
        InputError: the object is not a scorer, has no labels or duplicate ones, or an unknown kind.
    """
    if not isinstance(scorer, ImageScorer) or not callable(scorer):
        raise InputError(
            f"`scorer` must have `name`, `labels` and `kind` and be callable with images, got {type(scorer).__name__}. "
            "Wrap a torch module in `x2x_core.scorers.adapters.ModuleScorer`."
        )
    if not scorer.labels or len(set(scorer.labels)) < len(scorer.labels):
        raise InputError(
            f"`labels` of scorer {scorer.name!r} must be different names, at least one, got {tuple(scorer.labels)}."
        )
    if scorer.kind not in KINDS:
        raise InputError(f"`kind` of scorer {scorer.name!r} must be one of {', '.join(KINDS)}, got {scorer.kind!r}.")
    return scorer


def check_images(images: torch.Tensor) -> torch.Tensor:
    """Return images if they are in the form that scorers take.

    Raises:
        InputError: the images are not `(B, 1, H, W)`, or not floating point in [0, 1].
    """
    if not isinstance(images, torch.Tensor) or images.ndim != 4 or images.shape[1] != 1 or 0 in images.shape:
        got = tuple(images.shape) if isinstance(images, torch.Tensor) else type(images).__name__
        raise InputError(f"`images` must be a tensor (B, 1, H, W), got {got}.")
    if not images.is_floating_point() or not ((images >= 0) & (images <= 1)).all():
        raise InputError(
            f"`images` must be floating point in [0, 1], got {images.dtype} from {float(images.min()):g} to "
            f"{float(images.max()):g}."
        )
    return images


@torch.no_grad()
def score_images(scorer: ImageScorer, images: torch.Tensor, at_once: int = BATCH_SIZE) -> torch.Tensor:
    """Score any number of images in batches, and check the scores.

    Args:
        scorer: any scorer.
        images: `(B, 1, H, W)`, floating point in [0, 1].
        at_once: images per call.

    Returns:
        `(B, len(labels))` float64 on the CPU.

    Raises:
        InputError: wrong images, or scores whose shape or range does not match the scorer's labels and kind.
    """
    check_scorer(scorer)
    scores = in_batches(scorer, check_images(images), at_once).double()
    if tuple(scores.shape) != (len(images), len(scorer.labels)):
        raise InputError(
            f"Scores of {scorer.name!r} must have shape {(len(images), len(scorer.labels))}, one for each image and "
            f"label, got {tuple(scores.shape)}."
        )
    if not torch.isfinite(scores).all() or (scorer.kind == PROBABILITY and not ((scores >= 0) & (scores <= 1)).all()):
        requirement = "in [0, 1]" if scorer.kind == PROBABILITY else "finite"
        raise InputError(
            f"Scores of {scorer.name!r} must be {requirement}, got {float(scores.min()):g} to {float(scores.max()):g}."
        )
    return scores


def in_batches(call: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, at_once: int) -> torch.Tensor:
    """Return the outputs of `call` for `images`, `at_once` at a time, on the CPU."""
    return torch.cat([call(batch).detach().cpu() for batch in images.split(at_once)])
