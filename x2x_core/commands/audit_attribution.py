"""`x2x audit attribution`: measure explanations of a classifier on simulated pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .evaluate_pairs import EvaluatedModel, PairSource
from .progress import progress_bar
from .report import print_report
from .tables import print_table


def attribution(
    *,
    pairs: PairSource,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for maps, figures and report; a run that was stopped continues.")
    ],
    classifier: Annotated[str, typer.Option(help="bundled, torchxrayvision:NAME, or a TorchScript file.")] = "bundled",
    method: Annotated[
        list[str] | None,
        typer.Option(
            help='edit, "integrated gradients", Grad-CAM, "latent shift", pseudomask or random; repeat it for several.',
            show_default="all",
        ),
    ] = None,
    evaluated: EvaluatedModel,
) -> None:
    """Compare explanations of a classifier: an edit that removes the finding, gradients, and a latent shift.

    On simulated pairs it is known where the finding is. Measured are localisation, and how the probability falls and
    rises as the highest pixels of a map are deleted and inserted.

    Example: x2x audit attribution --data runs/simulated --split val --count 40 -o attribution
    """
    from x2x_core.evaluation.attribution.methods import METHODS, check_methods
    from x2x_core.evaluation.attribution.run import AttributionSettings, run_attribution
    from x2x_core.evaluation.attribution.summary import NOTICE, RECORD, summarise_attribution
    from x2x_core.evaluation.report.drawing import check_drawing
    from x2x_core.evaluation.report.view import View, value_text
    from x2x_core.scorers.bundled import BUNDLED, SIMULATED_NOTICE
    from x2x_core.scorers.loading import load_scorer
    from x2x_core.scorers.scorer import PROBABILITY

    check_drawing()
    methods = tuple(dict.fromkeys(method)) if method else METHODS
    check_methods(methods)
    scorer = load_scorer(classifier, PROBABILITY)
    opened = pairs.open()
    settings = AttributionSettings(scorer.name, evaluated.model, methods, opened.seed)
    with progress_bar("Explaining") as update:
        records = run_attribution(
            evaluated.load(), scorer, opened.pairs, settings, out, update, opened.count
        )  # fmt: skip
    about = {**evaluated.record(), "pairs": opened.settings}
    if classifier == BUNDLED:
        about["notice"] = f"{SIMULATED_NOTICE} {NOTICE}"
    results = summarise_attribution(records, settings, about)
    results.write_json(out / RECORD)
    measures = View(results).measures()
    rows = [
        [row.name, *(value_text(measure, row.metrics.get(measure.key)) for measure in measures)] for row in results.rows
    ]
    print_table(["", *(f"{measure.heading} {measure.arrow}" for measure in measures)], rows)
    typer.echo(f"{results.about['size']}. {' '.join(results.about['notes'])} {results.about['notice']}")
    print_report(out)
