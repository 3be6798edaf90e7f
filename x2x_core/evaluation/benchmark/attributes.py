"""Attributes that networks read: their correlation with the truth, and their shift from the real target's reading."""

from __future__ import annotations

import torch

from x2x_core.evaluation.metrics.pearson import pearson

from .scores import BenchmarkScores


def attribute_correlations(scores: BenchmarkScores, row: str, counts: torch.Tensor) -> torch.Tensor:
    """Return Pearson's correlation of each attribute's reading with its true value.

    Args:
        scores: of all rows, with readings.
        row: name of the row.
        counts: resamples of the pairs that the row has, `(R, m)`.

    Returns:
        `(1 + R, A)`: the first for all pairs, the others for the resamples.
    """
    edited = scores.edited(row)
    weights = torch.cat([torch.ones(1, counts.shape[1], dtype=counts.dtype), counts])
    read, truth = scores.readings[row].attributes, scores.truth[edited]
    return torch.stack([pearson(read[:, column], truth[:, column], weights) for column in range(read.shape[1])], dim=1)


def attribute_table(scores: BenchmarkScores) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return the correlation and the shifts of each attribute in each row.

    "r" is the correlation with the truth, "shift" and "worst" are the mean and the largest shift from the real target's
    reading, in standard deviations.
    """
    table = {}
    for row in scores.readings:
        ones = torch.ones(1, len(scores.edited(row)), dtype=torch.float64)
        correlations = attribute_correlations(scores, row, ones)[0]
        shifts = scores.shifts(row)
        table[row] = {
            name: {
                "r": float(correlations[column]) if torch.isfinite(correlations[column]) else None,
                "shift": float(shifts[:, column].mean()),
                "worst": float(shifts[:, column].max()),
            }
            for column, name in enumerate(scores.attributes)
        }
    return table
