"""AUC of several readers: of each reader, means with readers and cases random, and the comparison of methods."""

from __future__ import annotations

from x2x_core.study.statistics.equivalence import equivalent_to_chance
from x2x_core.study.statistics.figures import JACKKNIFE, auc, estimate
from x2x_core.study.statistics.obuchowski_rockette import Comparison, compare, mean_of
from x2x_core.study.statistics.one_shot import one_shot_difference, one_shot_mean
from x2x_core.study.statistics.ratings import Ratings

from .sections import NOTHING, Section, Table, equivalence_text, estimate_text, p_text, plain


def compare_ratings(
    ratings: Ratings, margin: float | None = None, covariance: str = JACKKNIFE, title: str = "AUC"
) -> Section:
    """Return the section of the AUCs of a table of ratings.

    Args:
        ratings: fully crossed.
        margin: of equivalence to chance; ``None``: not tested.
        covariance: of the readers' AUCs over cases.
        title: of the section.
    """
    figures = estimate(ratings, auc, covariance)
    several = len(ratings.readers) > 1
    means = {name: mean_of(figures.of(index)) for index, name in enumerate(ratings.methods)}
    shots = {name: one_shot_mean(ratings, index) if several else None for index, name in enumerate(ratings.methods)}
    by_reader = tuple(
        (reader, *(f"{value:.3f}" for value in figures.values[:, index]))
        for index, reader in enumerate(figures.readers)
    )
    rows = (
        *by_reader,
        ("mean, Obuchowski-Rockette", *map(estimate_text, means.values())),
        ("mean, one-shot", *map(estimate_text, shots.values())),
    )
    record = {
        "positive": int(ratings.truth.sum()),
        "negative": int((~ratings.truth).sum()),
        "covariance": covariance,
        "readers": {reader: dict(zip(ratings.methods, column, strict=True)) for reader, column in
                    zip(ratings.readers, figures.values.T.tolist(), strict=True)},
        "means": means,
        "one_shot": shots,
    }  # fmt: skip
    tables, notes = [Table(("AUC", *ratings.methods), rows)], []
    if margin is not None:
        found = {name: equivalent_to_chance(mean, margin) for name, mean in means.items()}
        record["equivalence"] = found
        notes = [f"{name}: {equivalence_text(difference)}" for name, difference in found.items()]
    if len(ratings.methods) > 1 and several:
        comparison = compare(figures)
        record["comparison"] = comparison
        tables.append(_differences(ratings, comparison))
        notes.append(_equal_methods(comparison))
    return Section("auc", title, tuple(tables), plain(record), tuple(notes))


def _equal_methods(comparison: Comparison) -> str:
    if comparison.f is None:
        return "All methods equal: no test, all readers have the same differences."
    freedom = f"{comparison.freedom[0]:g} and {comparison.freedom[1]:.1f} degrees of freedom"
    return f"All methods equal: F = {comparison.f:.2f} with {freedom}, {p_text(comparison.p)}."


def _differences(ratings: Ratings, comparison: Comparison) -> Table:
    index = {name: place for place, name in enumerate(ratings.methods)}
    rows = []
    for (first, second), estimated in comparison.differences.items():
        shot = one_shot_difference(ratings, index[first], index[second])
        rows.append((f"{first} - {second}", estimate_text(estimated), p_text(estimated.p), estimate_text(shot),
                     NOTHING if shot is None else p_text(shot.p)))  # fmt: skip
    return Table(("Difference of AUC", "Obuchowski-Rockette", "", "One-shot", ""), tuple(rows))
