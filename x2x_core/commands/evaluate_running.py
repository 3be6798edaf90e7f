"""Running a benchmark from the command line: its processes and progress."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .loading import choose_device
from .progress import progress_bar

if TYPE_CHECKING:
    from x2x_core.evaluation.benchmark.readings import Readers
    from x2x_core.evaluation.benchmark.run import Loader
    from x2x_core.evaluation.benchmark.settings import PairSettings
    from x2x_core.evaluation.results import Results


def benchmark_workers(workers: int | None, device: str | None) -> int:
    """Return the number of processes: unless it is given, one for each core on the CPU, and one on any other device."""
    from x2x_core.common.processes import usable_cores

    if workers is not None:
        return workers
    return usable_cores() if choose_device(device).type == "cpu" else 1


def run_with_progress(
    out: Path,
    settings: PairSettings,
    load: Loader,
    workers: int,
    about: Mapping[str, Any],
    readers: Readers | None = None,
) -> Results:
    """Run or continue a benchmark under a progress bar.

    Args:
        out: the run's folder.
        settings: decide its numbers.
        load: returns the pipeline.
        workers: number of processes.
        about: entries of the record, of `model_record` at least.
        readers: see `BenchmarkContext`.
    """
    from x2x_core.evaluation.benchmark.run import BenchmarkContext, run_benchmark

    with progress_bar("Benchmark") as update:
        context = BenchmarkContext(
            workers=workers,
            readers=readers,
            weights=about["weights_sha256"],
            about=about,
            progress=lambda stage: lambda done, total: update(done, total, stage),
        )
        return run_benchmark(out, settings, load, context)
