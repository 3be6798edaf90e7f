"""`x2x evaluate benchmark`: run or continue the simulated benchmark."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import evaluate_options as options
from .evaluate_pairs import EvaluatedModel
from .evaluate_running import benchmark_workers, run_with_progress
from .options import Workers
from .report import print_report
from .setting_options import ScaleOptions

if TYPE_CHECKING:
    from x2x_core.evaluation.benchmark.readings import Readers

logger = logging.getLogger(__name__)


def benchmark(
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run; a run that was stopped continues.")],
    model: EvaluatedModel,
    ct: options.Ct = "phantom",
    count: Annotated[int, typer.Option(help="Number of pairs, a multiple of 5.")] = 500,
    peers_count: Annotated[
        int | None, typer.Option(help="Number of pairs for the rows that are not ours.", show_default="all")
    ] = None,
    seed: options.OptionalSeed = None,
    published_masks: options.PublishedMasks = None,
    scales: ScaleOptions,
    workers: Workers = None,
) -> None:
    """Compare peers and ours on planned pairs that cover every finding, operation, level, side and zone.

    The rows are those of the ablation, DiffEdit's mask, the unedited image and the real target. Writes a report to the
    folder.

    Example: x2x evaluate benchmark --ct ct-folder -o runs/benchmark
    """
    from x2x_core.evaluation.benchmark.plan import EVALUATION_SEED
    from x2x_core.evaluation.benchmark.settings import BenchmarkSettings
    from x2x_core.evaluation.report.drawing import check_drawing

    check_drawing()
    settings = BenchmarkSettings(
        model=model.model,
        ct=ct,
        count=count,
        peers_count=peers_count,
        seed=EVALUATION_SEED if seed is None else seed,
        published_masks=str(published_masks) if published_masks else None,
        call=scales.arguments(),
    )
    processes = benchmark_workers(workers, model.device)
    run_with_progress(out, settings, model.load, processes, model.record(), _readers())
    print_report(out)


def _readers() -> Readers | None:
    """Return the bundled networks; ``None``, with a warning, if they are not installed."""
    from x2x_core.common.bundled import bundled_path
    from x2x_core.evaluation.benchmark.readings import Readers
    from x2x_core.imaging.provenance import sha256_weights
    from x2x_core.scorers.bundled import attribute_scorer, finding_scorer

    try:
        folder = bundled_path("scorers")
    except (FileNotFoundError, ValueError):
        logger.warning("The networks that read attributes are not installed: their measures and FID stay undefined.")
        return None
    return Readers(attribute_scorer(), finding_scorer(), sha256_weights(folder))
