"""What scorers and rulers say of every pair's three images: the edited one, the input, and the real target."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from x2x_core.evaluation.metrics.catalogue import dice_key
from x2x_core.evaluation.metrics.flips import Flips, flips
from x2x_core.evaluation.metrics.pair_measures import MASK_KEYS, dice, find_lungs, mask_measures
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import Row
from x2x_core.scorers.scorer import FeatureSource, ImageScorer, score_images
from x2x_core.scorers.segmenters import ImageSegmenter, check_segmenter

from .dataset import case_id, read_edit, read_grey
from .labels import Truth

ROWS = (EDITED, UNEDITED, TARGET)
MEASURE_KEYS = (*MASK_KEYS, "lung_dice")
READ_AT_ONCE = 16  # pairs


@dataclass(frozen=True)
class Scorers:
    """The networks that take part; those left out leave their metrics undefined.

    Args:
        findings: probabilities of findings, labels by their canonical names.
        race: probabilities of classes.
        values: age (label "age") and other attributes.
        features: for FID.
        segmenter: outlines structures (the heart) in the images, for their overlap with those of the input.
    """

    findings: ImageScorer | None = None
    race: ImageScorer | None = None
    values: tuple[ImageScorer, ...] = ()
    features: FeatureSource | None = None
    segmenter: ImageSegmenter | None = None

    def names(self) -> dict[str, str | None]:
        """What each is called, for the record."""
        name = lambda scorer: scorer.name if scorer else None  # noqa: E731
        values = ", ".join(scorer.name for scorer in self.values) or None
        named = {"findings": self.findings, "race": self.race, "features": self.features, "segmenter": self.segmenter}
        return {**{key: name(one) for key, one in named.items()}, "values": values}


@dataclass(frozen=True)
class Scored:
    """All that is known of the n images of one row. Scores are float64; nan where a measure is undefined."""

    findings: torch.Tensor  # (n, F), no columns without a scorer; so the following
    race: torch.Tensor  # (n, C)
    values: torch.Tensor  # (n, V)
    features: torch.Tensor  # (n, D)
    measures: dict[str, torch.Tensor] = field(default_factory=dict)  # of `MEASURE_KEYS`, and of structures, to (n,)
    flips: tuple[Flips, ...] = ()

    def take(self, places: list[int]) -> Scored:
        """The same of some of the images."""
        measures = {key: values[places] for key, values in self.measures.items()}
        tables = {name: getattr(self, name)[places] for name in ("findings", "race", "values", "features")}
        return Scored(**tables, measures=measures, flips=tuple(self.flips[n] for n in places))


@dataclass(frozen=True)
class Evidence:
    """All rows of one set of pairs, with the truth."""

    instructions: tuple[Instruction, ...]
    truths: tuple[Truth, ...]
    finding_labels: tuple[str, ...]
    race_labels: tuple[str, ...]
    value_labels: tuple[str, ...]
    rows: dict[str, Scored]

    def __len__(self) -> int:
        return len(self.instructions)

    def take(self, places: list[int]) -> Evidence:
        """The same of some of the pairs."""
        return replace(
            self,
            instructions=tuple(self.instructions[n] for n in places),
            truths=tuple(self.truths[n] for n in places),
            rows={name: scored.take(places) for name, scored in self.rows.items()},
        )


def gather(
    rows: Sequence[Row],
    out: str | Path,
    truths: Sequence[Truth],
    scorers: Scorers,
    progress: Callable[[int, int], None] | None = None,
) -> Evidence:
    """Score and measure the edits that `x2x_core.evaluation.on_dataset.dataset.edit_dataset` wrote to `out`, for the same rows.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: a scorer that does not keep to the protocol.
    """
    instructions = tuple(Instruction.parse(row.instruction) for row in rows)
    parts: dict[str, list[Scored]] = {name: [] for name in ROWS}
    for start in range(0, len(rows), READ_AT_ONCE):
        some = range(start, min(start + READ_AT_ONCE, len(rows)))
        for name, scored in _score_batch([rows[n] for n in some], out, start, [instructions[n] for n in some], scorers):
            parts[name].append(scored)
        if progress:
            progress(some[-1] + 1, len(rows))
    return Evidence(
        instructions=instructions,
        truths=tuple(truths),
        finding_labels=_labels(scorers.findings),
        race_labels=_labels(scorers.race),
        value_labels=tuple(label for scorer in scorers.values for label in scorer.labels),
        rows={name: _joined(some) for name, some in parts.items()},
    )


def _labels(scorer: ImageScorer | None) -> tuple[str, ...]:
    return tuple(scorer.labels) if scorer else ()


def _score_batch(rows: Sequence[Row], out, start: int, instructions: list[Instruction], scorers: Scorers):
    """Each row's name with what is known of its images."""
    edits = [read_edit(out, case_id(start + n, row)) for n, row in enumerate(rows)]
    before, target = ([read_grey(path) for path in paths] for paths in zip(*((row.past, row.current) for row in rows)))
    pictures = {EDITED: [edit.image for edit in edits], UNEDITED: before, TARGET: target}
    lungs = [find_lungs(image) for image in before]
    structures = [_outline(scorers.segmenter, image) for image in before]
    old = _scores(scorers.findings, before)
    for name, images in pictures.items():
        measures = [
            {**_measure(*one), **_overlaps(scorers.segmenter, one[0], outlined)}
            for one, outlined in zip(zip(images, before, target, (edit.mask for edit in edits), lungs), structures)
        ]
        findings = old if name == UNEDITED else _scores(scorers.findings, images)
        labels = _labels(scorers.findings)
        yield (
            name,
            Scored(
                findings=findings,
                race=_scores(scorers.race, images),
                values=torch.cat([torch.zeros(len(images), 0), *(_scores(one, images) for one in scorers.values)], 1),
                features=_features(scorers.features, images),
                measures={
                    key: torch.tensor([one[key] for one in measures], dtype=torch.float64) for key in measures[0]
                },
                flips=tuple(flips(text, labels, *pair) for text, *pair in zip(instructions, old, findings)),
            ),
        )


def _scores(scorer: ImageScorer | None, images: Sequence[torch.Tensor]) -> torch.Tensor:
    if scorer is None:
        return torch.zeros(len(images), 0, dtype=torch.float64)
    return torch.cat([score_images(scorer, image[None]) for image in images]) if _differ(images) else score_images(
        scorer, torch.stack(list(images))
    )  # fmt: skip


def _features(scorer: FeatureSource | None, images: Sequence[torch.Tensor]) -> torch.Tensor:
    if scorer is None:
        return torch.zeros(len(images), 0, dtype=torch.float64)
    return torch.cat([scorer.features(image[None]).detach().cpu().double() for image in images])


def _differ(images: Sequence[torch.Tensor]) -> bool:
    return len({image.shape for image in images}) > 1


def _measure(image, before, target, mask, lungs) -> dict[str, float]:
    found = {**mask_measures(image, before, target, mask), "lung_dice": dice(find_lungs(image), lungs)}
    return _as_numbers(found)


def _overlaps(segmenter: ImageSegmenter | None, image: torch.Tensor, outlined: torch.Tensor) -> dict[str, float]:
    """Dice of each structure in an image with what was outlined in the input, `(S, H, W)`."""
    if segmenter is None:
        return {}
    found = zip(segmenter.structures, _outline(segmenter, image), outlined)
    return _as_numbers({dice_key(name): dice(new, old) for name, new, old in found})


def _outline(segmenter: ImageSegmenter | None, image: torch.Tensor) -> torch.Tensor:
    """`(S, H, W)` bool: one image at a time, so that no batch makes a difference."""
    if segmenter is None:
        return torch.zeros(0, *image.shape[-2:], dtype=torch.bool)
    return check_segmenter(segmenter).masks(image[None])[0].cpu()


def _as_numbers(found: dict[str, float | None]) -> dict[str, float]:
    return {key: math.nan if value is None else value for key, value in found.items()}


def _joined(parts: Sequence[Scored]) -> Scored:
    tables = {n: torch.cat([getattr(one, n) for one in parts]) for n in ("findings", "race", "values", "features")}
    measures = {key: torch.cat([one.measures[key] for one in parts]) for key in parts[0].measures}
    return Scored(**tables, measures=measures, flips=tuple(flip for one in parts for flip in one.flips))
