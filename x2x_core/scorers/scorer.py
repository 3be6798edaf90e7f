"""`ImageScorer`: the one protocol by which networks that read radiographs take part in an evaluation.

A scorer is anything with `name`, `labels` and `kind` that, called with images, gives one number for each label. Adapters
for networks in several forms are in `x2x_core.scorers.adapters`; the small scorers that ship, trained on
simulated radiographs, in `x2x_core.scorers.bundled`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch

from x2x_core.common.errors import InputError

PROBABILITY, VALUE = "probability", "value"
KINDS = (PROBABILITY, VALUE)
SCORED_AT_ONCE = 32  # images


@runtime_checkable
class ImageScorer(Protocol):
    """A network that reads radiographs.

    Attributes:
        name: what reports call it.
        labels: what it scores: findings by their canonical names (see `x2x_core.language.vocabulary`), classes, attributes.
        kind: "probability" (scores in [0, 1]) or "value" (scores in the attribute's own unit).
    """

    name: str
    labels: tuple[str, ...]
    kind: str

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` floating point in [0, 1] to scores `(B, len(labels))`."""
        ...


@runtime_checkable
class FeatureSource(Protocol):
    """A network that sums images up in numbers, for distances between sets of images; a scorer may be one too."""

    name: str

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to features `(B, D)`."""
        ...


def check_scorer(scorer: ImageScorer) -> ImageScorer:
    """The scorer, if it keeps to the protocol.

    Raises:
        InputError: no scorer, no labels or two alike, or another kind.
    """
    if not isinstance(scorer, ImageScorer) or not callable(scorer):
        raise InputError(
            f"`scorer` must have `name`, `labels` and `kind` and be callable with images, got {type(scorer).__name__}. "
            "Wrap a torch module in `x2x_core.scorers.adapters.ModuleScorer`."
        )
    if not scorer.labels or len(set(scorer.labels)) < len(scorer.labels):
        raise InputError(f"`labels` of scorer {scorer.name!r} must be names, each its own, got {tuple(scorer.labels)}.")
    if scorer.kind not in KINDS:
        raise InputError(f"`kind` of scorer {scorer.name!r} must be one of {', '.join(KINDS)}, got {scorer.kind!r}.")
    return scorer


def check_images(images: torch.Tensor) -> torch.Tensor:
    """Images as scorers take them.

    Raises:
        InputError: not `(B, 1, H, W)`, or not floating point in [0, 1].
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
def score_images(scorer: ImageScorer, images: torch.Tensor, at_once: int = SCORED_AT_ONCE) -> torch.Tensor:
    """Scores of any number of images, some at a time, checked.

    Args:
        scorer: any.
        images: `(B, 1, H, W)` floating point in [0, 1].
        at_once: images to a call.

    Returns:
        `(B, len(labels))` float64 on the CPU.

    Raises:
        InputError: wrong images, or scores of another shape or range than the scorer's labels and kind say.
    """
    check_scorer(scorer)
    scores = in_batches(scorer, check_images(images), at_once).double()
    if tuple(scores.shape) != (len(images), len(scorer.labels)):
        raise InputError(
            f"Scores of {scorer.name!r} must have the shape {(len(images), len(scorer.labels))}, one for each image and "
            f"label, got {tuple(scores.shape)}."
        )
    if not torch.isfinite(scores).all() or (scorer.kind == PROBABILITY and not ((scores >= 0) & (scores <= 1)).all()):
        wanted = "in [0, 1]" if scorer.kind == PROBABILITY else "finite"
        raise InputError(
            f"Scores of {scorer.name!r} must be {wanted}, got {float(scores.min()):g} to {float(scores.max()):g}."
        )
    return scores


def in_batches(call: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, at_once: int) -> torch.Tensor:
    """What `call` gives for `images`, `at_once` at a time, on the CPU."""
    return torch.cat([call(some).detach().cpu() for some in images.split(at_once)])
