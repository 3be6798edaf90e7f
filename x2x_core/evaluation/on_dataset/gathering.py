"""Scoring and measuring of all images of an evaluation on a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch

from x2x_core.evaluation.metrics.catalogue import dice_key
from x2x_core.evaluation.metrics.dice import dice
from x2x_core.evaluation.metrics.flips import flips
from x2x_core.evaluation.metrics.lung_fields import find_lungs
from x2x_core.evaluation.metrics.mask_measures import mask_measures
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import Row
from x2x_core.scorers.image_text import ImageTextScorer
from x2x_core.scorers.scorer import FeatureSource, ImageScorer, score_images
from x2x_core.scorers.segmenters import ImageSegmenter, check_segmenter

from .captions import caption
from .edits import case_id, read_edit, read_grey
from .evidence import IDENTITY, RADIOMICS, Evidence, RowEvidence, Scorers
from .truths import Truth

ROWS = (EDITED, UNEDITED, TARGET)
READ_AT_ONCE = 16  # pairs
Images = Sequence[torch.Tensor]  # (1, H, W) each


def gather_evidence(
    rows: Sequence[Row],
    out: str | Path,
    truths: Sequence[Truth],
    scorers: Scorers,
    progress: Progress | None = None,
) -> Evidence:
    """Score and measure the edits that `x2x_core.evaluation.on_dataset.edits.edit_dataset` wrote.

    Args:
        rows: the pairs that were edited.
        out: folder of the run.
        truths: of the pairs.
        scorers: the networks that take part.
        progress: called with the pairs scored and in all.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: a scorer that does not keep to its protocol.
    """
    instructions = tuple(Instruction.parse(row.instruction) for row in rows)
    parts: dict[str, list[RowEvidence]] = {name: [] for name in ROWS}
    for start in range(0, len(rows), READ_AT_ONCE):
        indices = range(start, min(start + READ_AT_ONCE, len(rows)))
        names = [case_id(n, rows[n]) for n in indices]
        batch = [rows[n] for n in indices]
        for name, evidence in _score_batch(batch, Path(out), names, [instructions[n] for n in indices], scorers):
            parts[name].append(evidence)
        if progress:
            progress(indices[-1] + 1, len(rows))
    return Evidence(
        instructions=instructions,
        truths=tuple(truths),
        finding_labels=_labels(scorers.findings),
        race_labels=_labels(scorers.race),
        value_labels=tuple(label for scorer in scorers.values for label in scorer.labels),
        rows={name: RowEvidence.concatenate(batches) for name, batches in parts.items()},
    )


def _labels(scorer: ImageScorer | None) -> tuple[str, ...]:
    return tuple(scorer.labels) if scorer else ()


def _score_batch(
    rows: Sequence[Row], out: Path, names: Sequence[str], instructions: Sequence[Instruction], scorers: Scorers
) -> Iterator[tuple[str, RowEvidence]]:
    """Yield each row of the table with the evidence of its images."""
    edits = [read_edit(out, name) for name in names]
    before, target = [read_grey(row.past) for row in rows], [read_grey(row.current) for row in rows]
    pictures = {EDITED: [edit.image for edit in edits], UNEDITED: before, TARGET: target}
    masks = [edit.mask for edit in edits]
    lungs = [find_lungs(image) for image in before]
    structures = [_outline(scorers.segmenter, image) for image in before]
    labels, old = _labels(scorers.findings), _scores(scorers.findings, before)
    for name, images in pictures.items():
        measures = [
            {**_measure(*of_pair), **_overlaps(scorers.segmenter, of_pair[0], outlined)}
            for of_pair, outlined in zip(zip(images, before, target, masks, lungs), structures)
        ]
        findings = old if name == UNEDITED else _scores(scorers.findings, images)
        values = [_scores(scorer, images) for scorer in scorers.values]
        yield (
            name,
            RowEvidence(
                findings=findings,
                race=_scores(scorers.race, images),
                values=torch.cat([torch.zeros(len(images), 0), *values], 1),
                features=_features(scorers.features, images),
                measures={
                    **{
                        key: torch.tensor([of_pair[key] for of_pair in measures], dtype=torch.float64)
                        for key in measures[0]
                    },
                    **_fit(scorers.image_text, images, instructions),
                },
                sets={
                    key: _features(source, images)
                    for key, source in ((IDENTITY, scorers.identity), (RADIOMICS, scorers.radiomics))
                    if source is not None
                },
                flips=tuple(flips(text, labels, *scores) for text, *scores in zip(instructions, old, findings)),
            ),
        )


def _scores(scorer: ImageScorer | None, images: Images) -> torch.Tensor:
    """Return the scores of images `(n, labels)`, in one batch if they are of one size."""
    if scorer is None:
        return torch.zeros(len(images), 0, dtype=torch.float64)
    if len({image.shape for image in images}) > 1:
        return torch.cat([score_images(scorer, image[None]) for image in images])
    return score_images(scorer, torch.stack(list(images)))


def _features(scorer: FeatureSource | None, images: Images) -> torch.Tensor:
    if scorer is None:
        return torch.zeros(len(images), 0, dtype=torch.float64)
    return torch.cat([scorer.features(image[None]).detach().cpu().double() for image in images])


def _fit(
    scorer: ImageTextScorer | None, images: Images, instructions: Sequence[Instruction]
) -> dict[str, torch.Tensor]:
    """Return how well each image fits the text of what its instruction asks for; nothing without a model."""
    if scorer is None:
        return {}
    fits = [scorer.similarity(image[None], [caption(text)]) for image, text in zip(images, instructions)]
    return {"image_text": torch.cat(fits).double()}


def _measure(
    image: torch.Tensor, before: torch.Tensor, target: torch.Tensor, mask: torch.Tensor, lungs: torch.Tensor
) -> dict[str, float]:
    return _as_numbers({**mask_measures(image, before, target, mask), "lung_dice": dice(find_lungs(image), lungs)})


def _overlaps(segmenter: ImageSegmenter | None, image: torch.Tensor, outlined: torch.Tensor) -> dict[str, float]:
    """Return the Dice of each structure in an image with its outline in the input, `(S, H, W)`."""
    if segmenter is None:
        return {}
    outlines = zip(segmenter.structures, _outline(segmenter, image), outlined)
    return _as_numbers({dice_key(name): dice(new, old) for name, new, old in outlines})


def _outline(segmenter: ImageSegmenter | None, image: torch.Tensor) -> torch.Tensor:
    """Return the structures of an image, `(S, H, W)` bool; one image at a time, so that batches make no difference."""
    if segmenter is None:
        return torch.zeros(0, *image.shape[-2:], dtype=torch.bool)
    return check_segmenter(segmenter).masks(image[None])[0].cpu()


def _as_numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    return {key: math.nan if value is None else value for key, value in values.items()}
