"""Everything that networks and pixel measures say of every pair's three images: edited, input, and real target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from x2x_core.evaluation.metrics.flips import Flips
from x2x_core.language.instruction import Instruction
from x2x_core.scorers.image_text import ImageTextScorer
from x2x_core.scorers.scorer import FeatureSource, ImageScorer
from x2x_core.scorers.segmenters import ImageSegmenter

from .truths import Truth

_TABLES = ("findings", "race", "values", "features")
IDENTITY, RADIOMICS = "identity", "radiomics"  # keys of further features


@dataclass(frozen=True)
class Scorers:
    """The networks that take part; without one its metrics are undefined.

    Args:
        findings: probabilities of findings, labels by their canonical names.
        race: probabilities of classes.
        values: age (label "age") and other attributes.
        features: features for FID and the other measures of sets.
        identity: features that identify patients.
        radiomics: radiomic features, for the Frechet radiomics distance.
        image_text: compares images with texts.
        segmenter: outlines structures (the heart) in the images, for their overlap with those of the input.
    """

    findings: ImageScorer | None = None
    race: ImageScorer | None = None
    values: tuple[ImageScorer, ...] = ()
    features: FeatureSource | None = None
    segmenter: ImageSegmenter | None = None
    identity: FeatureSource | None = None
    radiomics: FeatureSource | None = None
    image_text: ImageTextScorer | None = None

    def names(self) -> dict[str, str | None]:
        """Return the name of each, for the record."""
        named = {
            "findings": self.findings, "race": self.race, "features": self.features, "segmenter": self.segmenter,
            IDENTITY: self.identity, RADIOMICS: self.radiomics, "image_text": self.image_text,
        }  # fmt: skip
        values = ", ".join(scorer.name for scorer in self.values) or None
        return {**{key: network.name if network else None for key, network in named.items()}, "values": values}


@dataclass(frozen=True)
class RowEvidence:
    """Scores and measures of the n images of one row: float64, nan where undefined.

    Args:
        findings: probabilities, `(n, F)`; no columns without a scorer, likewise below.
        race: probabilities, `(n, C)`.
        values: attributes, `(n, V)`.
        features: `(n, D)`.
        measures: by key to `(n,)`: those of the mask, "lung_dice", "image_text", and the overlap of each segmented
            structure.
        flips: one for each image.
        sets: further features by key, `(n, D)` each.
    """

    findings: torch.Tensor
    race: torch.Tensor
    values: torch.Tensor
    features: torch.Tensor
    measures: dict[str, torch.Tensor] = field(default_factory=dict)
    flips: tuple[Flips, ...] = ()
    sets: dict[str, torch.Tensor] = field(default_factory=dict)

    def take(self, indices: list[int]) -> RowEvidence:
        """Return the evidence of some of the images."""
        measures = {key: values[indices] for key, values in self.measures.items()}
        tables = {name: getattr(self, name)[indices] for name in _TABLES}
        sets = {key: values[indices] for key, values in self.sets.items()}
        return RowEvidence(**tables, measures=measures, flips=tuple(self.flips[n] for n in indices), sets=sets)

    @classmethod
    def concatenate(cls, parts: Sequence[RowEvidence]) -> RowEvidence:
        """Return the evidence of all parts, in order."""
        tables = {name: torch.cat([getattr(part, name) for part in parts]) for name in _TABLES}
        measures = {key: torch.cat([part.measures[key] for part in parts]) for key in parts[0].measures}
        sets = {key: torch.cat([part.sets[key] for part in parts]) for key in parts[0].sets}
        return cls(**tables, measures=measures, flips=tuple(flip for part in parts for flip in part.flips), sets=sets)


@dataclass(frozen=True)
class Evidence:
    """All rows of one set of pairs, with the truth."""

    instructions: tuple[Instruction, ...]
    truths: tuple[Truth, ...]
    finding_labels: tuple[str, ...]
    race_labels: tuple[str, ...]
    value_labels: tuple[str, ...]
    rows: dict[str, RowEvidence]

    def __len__(self) -> int:
        return len(self.instructions)

    def take(self, indices: list[int]) -> Evidence:
        """Return the evidence of some of the pairs."""
        return replace(
            self,
            instructions=tuple(self.instructions[n] for n in indices),
            truths=tuple(self.truths[n] for n in indices),
            rows={name: row.take(indices) for name, row in self.rows.items()},
        )
