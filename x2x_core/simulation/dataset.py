"""Write simulated pairs to disk, see `x2x_core.simulation.layout` for the files.

Pairs are simulated body by body: a body is one pose and body shape with several pairs, and belongs to one split as a
whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.processes import distribute, usable_cores
from x2x_core.common.seeds import BODY, seeded_generator
from x2x_core.common.storage import write_text

from .ct import Volume, load_ct
from .layout import part_file
from .pairs import SimulatedPair, simulate_body
from .phantom import phantom_ct
from .plan import plan_bodies
from .planned_pairs import simulate_planned
from .settings import BENCHMARK, SimulationSettings
from .thorax import Thorax, segment_thorax
from .writing import prepare_folder, write_pair, write_tables

#: Name that stands for the bundled analytic thorax where a CT is expected.
PHANTOM = "phantom"

Progress = Callable[[int, int], None]


def read_ct(path: str | Path) -> Volume:
    """Read the CT at `path` (see `load_ct`); the path "phantom" gives the bundled analytic thorax."""
    return phantom_ct() if str(path) == PHANTOM else load_ct(path)


def body_generator(seed: int, body: int) -> torch.Generator:
    """Return the generator of all random numbers of one body."""
    return seeded_generator(seed, BODY, body)


def simulate_dataset(
    ct: str | Path,
    out: str | Path,
    settings: SimulationSettings,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Simulate pairs from a CT and write them to the folder `out`.

    An interrupted run continues when it is started again with the same settings, and ends with the same bytes. The
    number of workers does not affect the result.

    Args:
        ct: folder of DICOM slices, `.npz` volume, or "phantom" for the bundled analytic thorax.
        out: output folder; created if needed.
        settings: number of pairs, seed, size and the rest.
        workers: number of processes; ``None`` uses one per core.
        overwrite: replace a dataset with other settings in `out`.
        progress: called with the number of finished pairs and the total.

    Returns:
        The output folder.

    Raises:
        InputNotFoundError: there is no CT at `ct`.
        InputError: `ct` is not usable, or `out` contains other files or a dataset with other settings.
    """
    volume, out = read_ct(ct), Path(out)
    prepare_folder(out, settings.as_record(volume.source), overwrite)
    unfinished = [body for body in range(settings.bodies) if not part_file(out, body).is_file()]
    done = settings.count - sum(map(settings.pairs_of, unfinished))
    if progress:
        progress(done, settings.count)
    if unfinished:
        for body in _simulate_bodies(unfinished, volume, settings, out, workers):
            done += settings.pairs_of(body)
            if progress:
                progress(done, settings.count)
    write_tables(out, settings.bodies)
    return out


def _simulate_bodies(
    bodies: list[int], volume: Volume, settings: SimulationSettings, out: Path, workers: int | None
) -> Iterator[int]:
    """Simulate bodies in any order; yields each one once its files are on disk."""
    workers = min(workers or usable_cores(), len(bodies))
    thorax = segment_thorax(volume)
    if workers <= 1:
        for body in bodies:
            yield _write_body(thorax, settings, out, body)
        return
    yield from distribute(_work, bodies, workers, _start_worker, (thorax, settings, out))


_worker: dict[str, Any] = {}  # arguments with which this worker process was started


def _start_worker(thorax: Thorax, settings: SimulationSettings, out: Path) -> None:
    _worker.update(thorax=thorax, settings=settings, out=out)


def _work(body: int) -> int:
    return _write_body(_worker["thorax"], _worker["settings"], _worker["out"], body)


def _write_body(thorax: Thorax, settings: SimulationSettings, out: Path, body: int) -> int:
    pairs = _simulate(thorax, settings, body)[: settings.pairs_of(body)]
    origin = {"seed": settings.seed, "body": body, "ct": thorax.source}
    rows = [
        {"split": settings.split(body), **write_pair(pair, out, (body, number), settings.bits, origin)}
        for number, pair in enumerate(pairs)
    ]
    write_text(part_file(out, body), json.dumps(rows))
    return body


def _simulate(thorax: Thorax, settings: SimulationSettings, body: int) -> list[SimulatedPair]:
    generator = body_generator(settings.seed, body)
    if settings.version == BENCHMARK:
        planned = plan_bodies(settings.bodies, settings.seed)[body]
        return simulate_planned(thorax, planned, generator, settings.size)
    return simulate_body(thorax, generator, size=settings.size, version=settings.version, resting=settings.resting)
