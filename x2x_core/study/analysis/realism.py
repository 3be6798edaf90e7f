"""Real or synthetic: accuracy, AUC, equivalence to chance, agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.study.design.questions import SYNTHETIC_FROM
from x2x_core.study.statistics.agreement import kappa
from x2x_core.study.statistics.equivalence import equivalent_share, equivalent_to_chance
from x2x_core.study.statistics.figures import accuracy, estimate
from x2x_core.study.statistics.obuchowski_rockette import mean_of
from x2x_core.study.statistics.ratings import Ratings

from .comparison import compare_ratings
from .readings import PartReadings, Reading
from .sections import Section, Table, equivalence_text, estimate_text, number_text, plain, share_text

_Readers = Mapping[str, Mapping[str, Reading]]


def realism(part: PartReadings, margin: float, generator: torch.Generator) -> list[Section]:
    """Return the sections of the task "real or synthetic".

    Args:
        part: readings of the part; readers who did not finish it are left out.
        margin: of equivalence to chance.
        generator: draws the resamples of kappa's interval.
    """
    readers = part.finished()
    if not readers:
        return []
    by_method = crossed(readers)
    sections = [_accuracy(readers, by_method, margin, generator)]
    sections += [compare_ratings(ratings, margin, title="AUC, real or synthetic") for ratings in _grouped(by_method)]
    return sections


def crossed(readers: _Readers) -> dict[str, tuple[tuple[str, ...], Ratings]]:
    """Return ratings for each method, its edits against all unedited pictures, with the names of its edits.

    A method with fewer than 2 edits, and all if there are fewer than 2 unedited pictures, are left out: nothing could
    be said of their variation.
    """
    first = next(iter(readers.values()))
    methods = sorted({reading.truth["method"] for reading in first.values() if reading.truth["method"]})
    ratings = {}
    for method in methods:
        chosen = [name for name, reading in first.items() if reading.truth["method"] in (None, method)]
        chosen.sort(key=lambda name: (first[name].truth["method"] is not None, _edit(first[name])))
        scores = np.array([[float(of[name].row["realism"]) for name in chosen] for of in readers.values()])
        truth = np.array([first[name].truth["method"] is not None for name in chosen])
        if min(truth.sum(), (~truth).sum()) < 2:
            continue
        edits = tuple(_edit(first[name]) for name, edited in zip(chosen, truth, strict=True) if edited)
        ratings[method] = edits, Ratings(scores[None], truth, (method,), tuple(readers))
    return ratings


def _edit(reading: Reading) -> str:
    return f"{reading.truth['source']} {reading.truth['instruction']} {reading.truth['file']}"


def _grouped(by_method: Mapping[str, tuple[tuple[str, ...], Ratings]]) -> list[Ratings]:
    """Return ratings of methods that edited the same pictures together, and those of others by themselves."""
    groups: dict[tuple[str, ...], list[Ratings]] = {}
    for edits, ratings in by_method.values():
        groups.setdefault(edits, []).append(ratings)
    return [
        Ratings(
            np.concatenate([reading.scores for reading in group]),
            group[0].truth,
            tuple(reading.methods[0] for reading in group),
            group[0].readers,
        )
        for group in groups.values()
    ]


def _accuracy(
    readers: _Readers,
    by_method: Mapping[str, tuple[tuple[str, ...], Ratings]],
    margin: float,
    generator: torch.Generator,
) -> Section:
    rows: list[tuple[str, ...]] = []
    record: dict[str, Any] = {}
    notes: list[str] = []
    for reader, readings in readers.items():
        right = [_says_synthetic(reading) == (reading.truth["method"] is not None) for reading in readings.values()]
        edited = [_says_synthetic(reading) for reading in readings.values() if reading.truth["method"] is not None]
        unedited = [not _says_synthetic(reading) for reading in readings.values() if reading.truth["method"] is None]
        facts: dict[str, Any] = {
            "accuracy": wilson(sum(right), len(right)),
            "sensitivity": wilson(sum(edited), len(edited)),
            "specificity": wilson(sum(unedited), len(unedited)),
            "equivalence": equivalent_share(sum(right), len(right), margin),
        }
        record[reader] = facts
        shares = [share_text(facts[name]) for name in ("accuracy", "sensitivity", "specificity")]
        rows.append((reader, *shares, "yes" if facts["equivalence"].equivalent else "no"))
    headings = ("Reader", "Right", "Synthetic recognised", "Real recognised", f"Chance ± {margin:g} shown")
    for method, (_, ratings) in by_method.items():
        mean = mean_of(estimate(ratings, accuracy(SYNTHETIC_FROM)))
        found = equivalent_to_chance(mean, margin)
        record.setdefault("means", {})[method] = {"accuracy": mean, "equivalence": found}
        notes.append(f"{method}: mean share of right answers {estimate_text(mean)}; {equivalence_text(found)}")
    if len(readers) > 1:
        said = [
            ["s" if _says_synthetic(reading) else "r" for reading in readings.values()] for readings in readers.values()
        ]
        record["kappa"] = kappa(said, generator)
        notes.append(f"Agreement of the readers (kappa): {number_text(record['kappa'])}")
    return Section("realism", "Real or synthetic", (Table(headings, tuple(rows)),), plain(record), tuple(notes))


def _says_synthetic(reading: Reading) -> bool:
    return int(reading.row["realism"]) >= SYNTHETIC_FROM
