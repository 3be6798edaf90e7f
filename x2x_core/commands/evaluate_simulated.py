"""`x2x evaluate simulated`: edit simulated pairs and compare with the exact truth."""

from __future__ import annotations

import json

import typer

from . import evaluate_options as options
from .evaluate_pairs import EvaluatedModel, PairSource
from .outputs import fresh_file
from .progress import progress_bar
from .setting_options import ScaleOptions
from .tables import print_table


def simulated(
    *,
    model: EvaluatedModel,
    source: PairSource,
    out: options.JsonFile = None,
    scales: ScaleOptions,
    overwrite: options.Overwrite = False,
) -> None:
    """Edit simulated pairs that no training has seen, and compare with the exact truth.

    Prints, for all pairs, each operation and each finding, how often the change lies in the true region, has the right
    direction and brings the image closer to the truth, and how well the guidance map finds the exact region.

    Example: x2x evaluate simulated --ct ct-folder --count 200 -o scores.json
    """
    out = out and fresh_file(out, overwrite)
    pipeline = model.load()
    opened = source.open()
    from x2x_core.evaluation.benchmark.simulated import evaluate_pairs

    with progress_bar("Evaluating") as update:
        scores = evaluate_pairs(
            pipeline, opened.pairs, count=opened.count, seed=opened.seed, settings=opened.settings, progress=update,
            **scales.arguments(),
        )  # fmt: skip
    headings, *rows = scores.table()
    print_table(headings, rows)
    if out is not None:
        record = {**scores.as_dict(), **model.record()}
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        typer.echo(str(out))
