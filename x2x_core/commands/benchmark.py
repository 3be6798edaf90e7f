"""`x2x evaluate --simulated --benchmark`: the simulated benchmark, run or gone on with."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

import typer

from .loading import load_pipeline, model_folder
from .progress import progress_bar

logger = logging.getLogger(__name__)


def run(settings: dict[str, Any], out: Path, device: str | None, workers: int | None) -> None:
    """Run the benchmark in `out` and write its report there.

    Args:
        settings: of `x2x_core.evaluation.benchmark.edits.BenchmarkSettings`.
        out: the run's folder.
        device: of the pipeline; ``None``: the best there is.
        workers: processes; ``None``: one a core on a CPU, else one.
    """
    from x2x_core.evaluation.benchmark.edits import BenchmarkSettings
    from x2x_core.evaluation.benchmark.run import run_benchmark
    from x2x_core.evaluation.report.comparison_figures import check_drawing
    from x2x_core.evaluation.report.report import write_report
    from x2x_core.imaging.provenance import sha256_weights, versions

    from .loading import choose_device

    check_drawing()
    chosen = BenchmarkSettings(**settings)
    folder = model_folder(chosen.model)
    if workers is None:
        workers = (os.cpu_count() or 1) if choose_device(device).type == "cpu" else 1
    load = partial(load_pipeline, chosen.model, None, device, "float32")
    weights = sha256_weights(folder) if folder else None
    about = {"model": chosen.model, "weights_sha256": weights, "versions": versions()}
    with progress_bar("Benchmark") as update:
        run_benchmark(
            out, chosen, load, workers=workers, readers=_readers(), weights=weights, about=about,
            progress=lambda stage: lambda done, total: update(done, total, stage),
        )  # fmt: skip
    for path in write_report(out):
        typer.echo(str(path))


def _readers():
    """The bundled networks; ``None``, with a warning, where they are not installed."""
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
