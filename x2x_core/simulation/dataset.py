"""Write simulated pairs to disk, see `x2x_core.simulation.layout` for the files.

Pairs are simulated body by body: a body is one pose and body shape with several pairs, and belongs to one split as a
whole.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import BODY, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.pairs.layout import COLUMNS, CURRENT, INSTRUCTIONS, PAST

from .change_maps import encode_change
from .ct import Volume, load_ct
from .layout import (
    ATTRIBUTES_FILE,
    CHANGE,
    IMAGE_FOLDERS,
    MASKS,
    PARTS,
    SETTINGS_FILE,
    pair_file,
    part_file,
)
from .pairs import SimulatedPair, simulate_body
from .phantom import phantom_ct
from .plan import plan_bodies
from .planned_pairs import simulate_planned
from .settings import BENCHMARK, SimulationSettings
from .thorax import Thorax, segment_thorax

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
    _prepare(out, settings.as_record(volume.source), overwrite)
    unfinished = [body for body in range(settings.bodies) if not part_file(out, body).is_file()]
    done = settings.count - sum(map(settings.pairs_of, unfinished))
    if progress:
        progress(done, settings.count)
    if unfinished:
        for body in _simulate_bodies(unfinished, volume, settings, out, workers):
            done += settings.pairs_of(body)
            if progress:
                progress(done, settings.count)
    _write_tables(out, settings)
    return out


def _prepare(out: Path, record: dict[str, Any], overwrite: bool) -> None:
    """Create the folders, or check that `out` contains the same dataset."""
    recorded = out / SETTINGS_FILE
    if recorded.is_file() and json.loads(recorded.read_text()) != record:
        if not overwrite:
            raise InputError(f"`out` must be empty or contain the same dataset, but {out} was made with other settings "
                             f"({SETTINGS_FILE}). Choose another folder, or overwrite it.")  # fmt: skip
        _clear(out)
    elif not recorded.is_file() and out.is_dir() and any(out.iterdir()):
        raise InputError(f"`out` must be an empty folder, but {out} contains other files. Choose another folder.")
    for folder in (*IMAGE_FOLDERS, PARTS):
        (out / folder).mkdir(parents=True, exist_ok=True)
    recorded.write_text(json.dumps(record, indent=1) + "\n")


def _clear(out: Path) -> None:
    """Remove the files of an earlier simulation, and nothing else."""
    for folder in (*IMAGE_FOLDERS, PARTS):
        for file in (out / folder).glob("*.*"):
            file.unlink()
    for name in (INSTRUCTIONS, ATTRIBUTES_FILE, SETTINGS_FILE):
        (out / name).unlink(missing_ok=True)


def _simulate_bodies(
    bodies: list[int], volume: Volume, settings: SimulationSettings, out: Path, workers: int | None
) -> Iterator[int]:
    """Simulate bodies in any order; yields each one once its files are on disk."""
    workers = min(workers or multiprocessing.cpu_count(), len(bodies))
    thorax = segment_thorax(volume)
    if workers <= 1:
        for body in bodies:
            yield _write_body(thorax, settings, out, body)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start_worker, (thorax, settings, out)) as pool:
        yield from pool.imap_unordered(_work, bodies)


_worker: dict[str, Any] = {}  # arguments with which this worker process was started


def _start_worker(thorax: Thorax, settings: SimulationSettings, out: Path) -> None:
    torch.set_num_threads(1)
    _worker.update(thorax=thorax, settings=settings, out=out)


def _work(body: int) -> int:
    return _write_body(_worker["thorax"], _worker["settings"], _worker["out"], body)


def _write_body(thorax: Thorax, settings: SimulationSettings, out: Path, body: int) -> int:
    pairs = _simulate(thorax, settings, body)[: settings.pairs_of(body)]
    rows = [_write_pair(pair, settings, thorax.source, out, (body, number)) for number, pair in enumerate(pairs)]
    write_text(part_file(out, body), json.dumps(rows))
    return body


def _simulate(thorax: Thorax, settings: SimulationSettings, body: int) -> list[SimulatedPair]:
    generator = body_generator(settings.seed, body)
    if settings.version == BENCHMARK:
        planned = plan_bodies(settings.bodies, settings.seed)[body]
        return simulate_planned(thorax, planned, generator, settings.size)
    return simulate_body(thorax, generator, size=settings.size, version=settings.version, resting=settings.resting)


def _write_pair(
    pair: SimulatedPair, settings: SimulationSettings, ct: str, out: Path, number: tuple[int, int]
) -> dict[str, Any]:
    """Write the images of one pair, numbered by its body and its place there; return its row of attributes."""
    body, name, text = number[0], pair_file(*number), str(pair.instruction)
    metadata = synthetic_metadata({"instruction": text, "seed": settings.seed, "body": body, "ct": ct})
    write_png(out / PAST / name, pair.before, settings.bits, metadata)
    write_png(out / CURRENT / name, pair.after, settings.bits, metadata)
    write_png(out / CHANGE / name, torch.from_numpy(encode_change(pair.change) / np.float64(65535)), 16, metadata)
    write_png(out / MASKS / name, pair.masks.float(), 8, metadata)
    return {
        "split": settings.split(body),
        "instruction": text,
        "file": name,
        "clauses": pair.instruction.as_dict()["clauses"],
        **pair.attributes,
    }


def _write_tables(out: Path, settings: SimulationSettings) -> None:
    """Gather the rows of all bodies, in order, into the table and the attributes; the part files remain."""
    rows = [row for body in range(settings.bodies) for row in json.loads(part_file(out, body).read_text())]
    with (out / INSTRUCTIONS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((row["split"], row["instruction"], row["file"], row["file"]) for row in rows)
    lines = (json.dumps(row, sort_keys=True) + "\n" for row in rows)
    (out / ATTRIBUTES_FILE).write_text("".join(lines))
