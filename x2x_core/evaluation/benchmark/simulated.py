"""Evaluation of one way to edit on simulated pairs, grouped by finding and operation."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.storage import read_text
from x2x_core.evaluation.progress import Progress

from .editing import edit_pairs
from .measures import BY_KEY
from .pair_score import LOCALISATION, PairScore, score_pair
from .pairs import TruePair
from .plan import BATCH_SIZE, EVALUATION_SEED, batches

QUESTIONS = ("in_region", "direction", "closer")


@dataclass(frozen=True)
class SimulatedScores:
    """Scores of all pairs, and the settings of the run."""

    scores: tuple[PairScore, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def shares(self, scores: Iterable[PairScore] | None = None) -> dict[str, Any]:
        """Return count, shares in [0, 1] of the pairs that pass each question, the median error ratio, and means.

        Args:
            scores: of some of the pairs; ``None``: of all.
        """
        scores = self.scores if scores is None else tuple(scores)
        count = max(1, len(scores))
        passed = {name: sum(getattr(score, name) for score in scores) / count for name in QUESTIONS}
        median = statistics.median(score.error_ratio for score in scores) if scores else math.nan
        editable = sum(score.editable_share for score in scores) / count
        means = {f"mean_{name}": _mean_of_defined(getattr(score, name) for score in scores) for name in LOCALISATION}
        return {"count": len(scores), **passed, "median_error_ratio": median, "mean_editable_share": editable, **means}

    def groups(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the shares of each group, by "finding" or "operation"."""
        keys = sorted({getattr(score, name) for score in self.scores})
        return {key: self.shares(score for score in self.scores if getattr(score, name) == key) for key in keys}

    def as_dict(self) -> dict[str, Any]:
        """Return a record for JSON."""
        return {
            "synthetic": True,
            "settings": self.settings,
            "overall": self.shares(),
            "by_finding": self.groups("finding"),
            "by_operation": self.groups("operation"),
            "largest_change_outside_mask": max((score.changed_outside_mask for score in self.scores), default=0.0),
            "pairs": [asdict(score) for score in self.scores],
        }

    @classmethod
    def read_json(cls, path: str | Path) -> SimulatedScores:
        """Read a recorded run, JSON or JSON compressed by gzip (".json.gz").

        Raises:
            InputError: not the JSON of `as_dict`.
        """
        record = json.loads(read_text(Path(path)))
        try:
            return cls(tuple(PairScore(**pair) for pair in record["pairs"]), record["settings"])
        except (KeyError, TypeError) as error:
            raise InputError(f"`{path}` is not the record of an evaluation on simulated pairs: {error}.") from error

    def table(self) -> list[tuple[str, ...]]:
        """Return rows of text: a heading, then one row for all pairs, each operation and each finding."""
        headings = [BY_KEY[key].title for key in LOCALISATION]
        lines = [("", "Pairs", "In region", "Right direction", "Closer to truth", "Median error ratio", *headings)]
        groups = {"all": self.shares(), **self.groups("operation"), **self.groups("finding")}
        for name, values in groups.items():
            percent = [f"{100 * values[key]:.1f} %" for key in QUESTIONS]
            means = [BY_KEY[key].text(values[f"mean_{key}"]) for key in LOCALISATION]
            lines.append((name, str(values["count"]), *percent, f"{values['median_error_ratio']:.2f}", *means))
        return lines


def _mean_of_defined(values: Iterator[float | None]) -> float | None:
    """Return the mean of the values that are not ``None``; ``None`` if all are."""
    defined = [value for value in values if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


def evaluate_pairs(
    pipeline,
    pairs: Iterable[TruePair],
    *,
    count: int,
    seed: int = EVALUATION_SEED,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
    settings: dict[str, Any] | None = None,
    **call: Any,
) -> SimulatedScores:
    """Edit pairs and score them.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: each is read once.
        count: expected number of pairs, for `progress`.
        seed: the n-th pair is edited with `seed + n`.
        batch_size: pairs edited at once.
        progress: called with the pairs done and in all.
        settings: further settings to record.
        call: arguments of the pipeline's call, recorded too.

    Raises:
        InputError: there are no pairs, or one whose instruction names no known finding.
    """
    scores: list[PairScore] = []
    for batch in batches(pairs, batch_size):
        edits = edit_pairs(pipeline, batch, seed + len(scores), **call)
        scores += [score_pair(pair, edit) for pair, edit in zip(batch, edits)]
        if progress:
            progress(len(scores), count)
    if not scores:
        raise InputError("`pairs` must hold at least one pair, got none.")
    return SimulatedScores(tuple(scores), {"count": len(scores), "seed": seed, **(settings or {}), **call})
