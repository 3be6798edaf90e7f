"""Write simulated pairs to disk in the published dataset layout, with the ground truth beside them.

Layout::

    instructions.csv   split, instruction, past_dicom_id, current_dicom_id (the ids are file names)
    past/ current/     the images before and after, 8 or 16-bit grey PNG
    change/            current - past as 16-bit PNG, see `encode_change`
    masks/             right lung, left lung and heart of the healthy chest, in red, green and blue (0 or 255)
    attributes.jsonl   one line a pair: what was drawn (pose, body shape, exposure, lesions before and after)
    simulation.json    the settings; the same settings give the same bytes

Pairs come body by body: a body is one pose and body shape with several pairs, and lies in one split as a whole.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import BODY, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.pairs.layout import COLUMNS

from .benchmark import PAIRS_PER_BODY, plan_bodies, simulate_planned
from .ct import Volume, load_ct
from .pairs import SimulatedPair, simulate_body
from .phantom import phantom_ct
from .scenario import Resting
from .thorax import Thorax, segment_thorax

FOLDERS = ("past", "current", "change", "masks")
PHANTOM = "phantom"
BENCHMARK = "benchmark"
VERSIONS = ("v1", "v2", "mixed", BENCHMARK)
CHANGE_ZERO, CHANGE_SCALE = 32768, 32767

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SimulationSettings:
    """What decides the bytes of a simulated dataset."""

    ct: str  # what the CT says of its source
    count: int  # pairs
    seed: int = 0
    size: int = 256  # pixels to a side
    version: str = "mixed"  # "v1" (findings alone), "v2" (levels, sides, zones), "mixed"; "benchmark": planned
    bits: int = 8  # of the images: 8 or 16
    validation_share: float = 0.03  # of the bodies, in the split "val"; the rest is "train"
    resting: Resting = Resting()  # what may be there without changing

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"`count` must be at least 1, got {self.count}.")
        if self.size < 32:
            raise InputError(f"`size` must be at least 32 pixels, got {self.size}.")
        if self.version not in VERSIONS:
            raise InputError(f"`version` must be one of {', '.join(VERSIONS)}, got {self.version!r}.")
        if self.bits not in (8, 16):
            raise InputError(f"`bits` must be 8 or 16, got {self.bits}.")
        if not 0 <= self.validation_share < 1:
            raise InputError(f"`validation_share` must lie in [0, 1), got {self.validation_share}.")
        if self.version == BENCHMARK and self.resting != Resting():
            raise InputError("`resting` can't be set for a benchmark, whose pairs are planned. Leave it out.")

    @property
    def bodies(self) -> int:
        """Bodies that make up `count` pairs."""
        return -(-self.count // PAIRS_PER_BODY)

    def split(self, body: int) -> str:
        """The split of a body: every n-th one is for validation; all of a benchmark are "test"."""
        if self.version == BENCHMARK:
            return "test"
        every = round(1 / self.validation_share) if self.validation_share else 0
        return "val" if every and body % every == every - 1 else "train"


def encode_change(change: torch.Tensor) -> np.ndarray:
    """A change map in [-1, 1] as uint16: 32768 is no change, 65535 is +1, 1 is -1."""
    values = (change.double().clamp(-1, 1) * CHANGE_SCALE).round() + CHANGE_ZERO
    return values.numpy().astype(np.uint16)


def decode_change(values: np.ndarray) -> torch.Tensor:
    """The inverse of `encode_change`: float32 in [-1, 1], exactly 0 where nothing changed."""
    return torch.from_numpy((values.astype(np.float32) - CHANGE_ZERO) / CHANGE_SCALE)


def read_ct(path: str | Path) -> Volume:
    """The CT at `path` (see `load_ct`), or the built-in phantom where `path` is "phantom"."""
    return phantom_ct() if str(path) == PHANTOM else load_ct(path)


def body_generator(seed: int, body: int) -> torch.Generator:
    """The generator that draws everything about one body."""
    return seeded_generator(seed, BODY, body)


def simulate_dataset(
    ct: str | Path,
    out: str | Path,
    count: int,
    *,
    seed: int = 0,
    size: int = 256,
    version: str = "mixed",
    bits: int = 8,
    validation_share: float = 0.03,
    resting: Resting = Resting(),
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Simulate `count` pairs of a CT and write them to the folder `out`.

    A run that was interrupted goes on where it was when it is started again with the same settings, and ends with
    the same bytes. The number of workers does not change the result.

    Args:
        ct: folder of DICOM slices, `.npz` volume, or "phantom" for a built-in analytic thorax.
        out: folder to write to; it is made.
        count: pairs.
        seed, size, version, bits, validation_share, resting: see `SimulationSettings`.
        workers: processes; ``None``: one a core.
        overwrite: whether a dataset with other settings in `out` may be replaced.
        progress: called with the pairs done and the pairs in all.

    Returns:
        The folder.

    Raises:
        InputNotFoundError: there is no CT.
        InputError: a bad setting, or another dataset lies in `out`.
    """
    volume = read_ct(ct)
    settings = SimulationSettings(volume.source, count, seed, size, version, bits, validation_share, resting)
    out = Path(out)
    _prepare(out, settings, overwrite)
    todo = [body for body in range(settings.bodies) if not _part(out, body).is_file()]
    done = count - _pairs_in(todo, settings)
    if progress:
        progress(done, count)
    if todo:
        for body in _run(todo, volume, settings, out, workers):
            done += _pairs_in([body], settings)
            if progress:
                progress(done, count)
    _finish(out, settings)
    return out


def _pairs_in(bodies: list[int], settings: SimulationSettings) -> int:
    return sum(min(PAIRS_PER_BODY, settings.count - body * PAIRS_PER_BODY) for body in bodies)


def _prepare(out: Path, settings: SimulationSettings, overwrite: bool) -> None:
    """Make the folders, or make sure that what lies there is the same dataset."""
    recorded = out / "simulation.json"
    if recorded.is_file() and json.loads(recorded.read_text()) != _as_json(settings):
        if not overwrite:
            raise InputError(f"`out` must be empty or hold this very dataset, but {out} was made with other settings "
                             "(simulation.json). Choose another folder, or overwrite it.")  # fmt: skip
        _clear(out)
    elif not recorded.is_file() and out.is_dir() and any(out.iterdir()):
        raise InputError(f"`out` must be an empty folder, but {out} holds other files. Choose another folder.")
    for folder in (*FOLDERS, "parts"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    recorded.write_text(json.dumps(_as_json(settings), indent=1) + "\n")


def _as_json(settings: SimulationSettings) -> dict:
    written = {"format": "x2x-simulated-1", "synthetic": True, **asdict(settings)}
    return json.loads(json.dumps(written))  # as it is read back: tuples are lists


def recorded_resting(settings: Mapping) -> Resting:
    """What may be there without changing, as `simulation.json` says (a file without it: the defaults)."""
    said = settings.get("resting")
    return Resting(tuple(said["findings"]), said["share"]) if said else Resting()


def _clear(out: Path) -> None:
    """Remove what an earlier simulation wrote, and nothing else."""
    for folder in (*FOLDERS, "parts"):
        for file in (out / folder).glob("*.*"):
            file.unlink()
    for name in ("instructions.csv", "attributes.jsonl", "simulation.json"):
        (out / name).unlink(missing_ok=True)


def _part(out: Path, body: int) -> Path:
    return out / "parts" / f"{body:06d}.json"


def _run(todo: list[int], volume: Volume, settings: SimulationSettings, out: Path, workers: int | None):
    """Simulate bodies in any order; yields each when it is on disk."""
    workers = min(workers or multiprocessing.cpu_count(), len(todo))
    thorax = segment_thorax(volume)
    if workers <= 1:
        for body in todo:
            yield _write_body(thorax, settings, out, body)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start_worker, (thorax, settings, out)) as pool:
        yield from pool.imap_unordered(_work, todo)


_worker: dict = {}  # what a worker process was started with


def _start_worker(thorax: Thorax, settings: SimulationSettings, out: Path) -> None:
    torch.set_num_threads(1)
    _worker.update(thorax=thorax, settings=settings, out=out)


def _work(body: int) -> int:
    return _write_body(_worker["thorax"], _worker["settings"], _worker["out"], body)


def _write_body(thorax: Thorax, settings: SimulationSettings, out: Path, body: int) -> int:
    pairs = _simulate(thorax, settings, body)
    rows = [_write_pair(pair, settings, out, body, n) for n, pair in enumerate(pairs[: _pairs_in([body], settings)])]
    write_text(_part(out, body), json.dumps(rows))
    return body


def _simulate(thorax: Thorax, settings: SimulationSettings, body: int) -> list[SimulatedPair]:
    generator = body_generator(settings.seed, body)
    if settings.version == BENCHMARK:
        planned = plan_bodies(settings.bodies, settings.seed)[body]
        return simulate_planned(thorax, planned, generator, settings.size)
    drawn = {"version": settings.version, "resting": settings.resting}
    return simulate_body(thorax, generator, pairs=PAIRS_PER_BODY, size=settings.size, **drawn)


def _write_pair(pair: SimulatedPair, settings: SimulationSettings, out: Path, body: int, number: int) -> dict:
    name = f"{body:06d}-{number}.png"
    text = str(pair.instruction)
    notice = synthetic_metadata({"instruction": text, "seed": settings.seed, "body": body, "ct": settings.ct})
    write_png(out / "past" / name, pair.before, settings.bits, notice)
    write_png(out / "current" / name, pair.after, settings.bits, notice)
    write_png(out / "change" / name, torch.from_numpy(encode_change(pair.change) / np.float64(65535)), 16, notice)
    write_png(out / "masks" / name, pair.masks.float(), 8, notice)
    return {
        "split": settings.split(body),
        "instruction": text,
        "file": name,
        "clauses": pair.instruction.as_dict()["clauses"],
        **pair.attributes,
    }


def _finish(out: Path, settings: SimulationSettings) -> None:
    """Gather the parts, in order, into the table and the attributes; the parts stay, they are small."""
    rows = [row for body in range(settings.bodies) for row in json.loads(_part(out, body).read_text())]
    with (out / "instructions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((row["split"], row["instruction"], row["file"], row["file"]) for row in rows)
    lines = (json.dumps(row, sort_keys=True) + "\n" for row in rows)
    (out / "attributes.jsonl").write_text("".join(lines))
