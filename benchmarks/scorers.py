"""Measure how well the bundled scorers read simulated radiographs that they were not trained on.

    x2x simulate --ct CT_FOLDER --count 200 --seed 4242 -o heldout
    python benchmarks/scorers.py --data heldout

Prints for each finding its AUROC over all images, before and after: as simulated, and softened (the after is the before
plus the change blurred by 2 pixels in 256, as in edits of a small model); the share of pairs in which adding or
removing the finding moves its score in the right direction; and sensitivity and specificity at a probability of 0.5.
Prints for each attribute its correlation and root mean square error. Intervals are 95 % bootstrap intervals over
bodies.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import torch

from x2x_core.evaluation.metrics.auroc import auroc
from x2x_core.evaluation.metrics.bootstrap import WeightedStatistic, draw_counts, interval
from x2x_core.evaluation.metrics.estimates import mean_of_defined, weighted_mean
from x2x_core.evaluation.metrics.pearson import pearson
from x2x_core.evaluation.on_dataset.edits import read_grey
from x2x_core.imaging.blur import blur
from x2x_core.pairs.layout import read_rows
from x2x_core.scorers.bundled import attribute_scorer, finding_scorer
from x2x_core.scorers.scorer import score_images
from x2x_core.simulation.attributes import read_attributes

SOFT = 2.0  # pixels
PREDICTED = 0.5  # probability at and above which a finding counts as predicted


def main(data: Path) -> None:
    """Print the tables."""
    truth = read_attributes(data)
    rows = [row for split in ("train", "val") for row in _rows(data, split)]
    pairs = [truth[row.current.name] for row in rows]
    before, after = (
        torch.stack([read_grey(path) for path in paths]) for paths in zip(*((r.past, r.current) for r in rows))
    )
    soft = torch.stack([(a + blur(b - a, SOFT)).clamp(0, 1) for a, b in zip(before, after)])
    bodies = [row.current.stem.rpartition("-")[0] for row in rows]
    counts = draw_counts(bodies, torch.Generator().manual_seed(0))
    _findings(pairs, before, after, soft, counts)
    _attributes(pairs, before, counts)


def _rows(data: Path, split: str):
    try:
        return read_rows(data, split)
    except ValueError:  # a small dataset has no such split
        return []


def _findings(pairs, before, after, soft, counts) -> None:
    scorer = finding_scorer()
    old, new, softened = (score_images(scorer, images) for images in (before, after, soft))
    parts: dict[str, list[WeightedStatistic]] = {"as simulated": [], "softened": []}
    columns = ("Finding", "Images with it", "AUROC", "AUROC, softened", "Score follows", "Sensitivity", "Specificity")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for n, label in enumerate(scorer.labels):
        has = [torch.tensor([label in getattr(pair, when) for pair in pairs]) for when in ("before", "after")]
        cells = []
        for name, later in (("as simulated", new), ("softened", softened)):
            area = partial(_area, torch.cat([old[:, n], later[:, n]]), torch.cat(has))
            parts[name].append(area)
            cells.append(_text(area, counts))
        moved = torch.where(
            has[1] == has[0], torch.nan, ((new - old)[:, n] * (has[1].double() - has[0].double()) > 0).double()
        )
        follows = _text(lambda w, m=moved: weighted_mean(m, w), counts)
        called, there = torch.cat([old[:, n], new[:, n]]) >= PREDICTED, torch.cat(has)
        found, spared = float(called[there].double().mean()), float((~called)[~there].double().mean())
        images = f"{int(there.sum())} of {2 * len(pairs)}"
        print(f"| {label} | {images} | {cells[0]} | {cells[1]} | {follows} | {found:.2f} | {spared:.2f} |")
    means = [_text(lambda w, fs=fs: mean_of_defined([f(w) for f in fs]), counts) for fs in parts.values()]
    print(f"| mean | | {means[0]} | {means[1]} | | | |\n")


def _area(scores: torch.Tensor, positive: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the AUROC over the images before and after, which share the weights of their pairs."""
    return auroc(scores, positive, torch.cat([weights, weights], 1))


def _attributes(pairs, images, counts) -> None:
    scorer = attribute_scorer()
    found = score_images(scorer, images)
    print("| Attribute | Correlation | RMS error | Spread of the truth |\n|---|---|---|---|")
    for n, label in enumerate(scorer.labels):
        true = torch.tensor([pair.values[label] for pair in pairs], dtype=torch.float64)
        error = float((found[:, n] - true).square().mean().sqrt())
        related = _text(lambda w, f=found[:, n], t=true: pearson(f, t, w), counts)
        print(f"| {label} | {related} | {error:.3g} | {float(true.std()):.3g} |")


def _text(statistic, counts) -> str:
    value, low, high = interval(statistic, counts)
    return "-" if value is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="A simulated dataset that no training has seen.")
    main(parser.parse_args().data)
