"""The pairs of a run: simulated on the fly, read from a dataset, or planned and on disk; and the seed of each edit."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from x2x_core.imaging.files import read_image
from x2x_core.pairs.layout import Row, read_pair, read_rows
from x2x_core.simulation.dataset import body_generator, read_ct
from x2x_core.simulation.layout import ATTRIBUTES_FILE, part_file
from x2x_core.simulation.pairs import simulate_body
from x2x_core.simulation.settings import DEFAULTS, PAIRS_PER_BODY
from x2x_core.simulation.thorax import segment_thorax

from .pairs import TruePair

EVALUATION_SEED = 90_000  # far from the seeds of training data
SIZE = DEFAULTS.size  # pixels to a side of the pairs
BATCH_SIZE = 5  # pairs edited at once
Item = TypeVar("Item")
PAIRS = "pairs"  # folder of the planned pairs in that of a run


@dataclass(frozen=True)
class PlannedPair:
    """A pair and the seed of its edits."""

    file: str  # name of its pictures
    pair: TruePair
    seed: int  # the same for all rows, and for all pairs of a triple
    triple: int | None  # three levels of one lesion share a number

    @property
    def body(self) -> Hashable:
        """Body that the pair is resampled with."""
        return self.file if self.pair.body is None else self.pair.body


def simulate_pairs(
    ct: str | Path, count: int, *, seed: int = EVALUATION_SEED, size: int = SIZE, version: str = "v2"
) -> Iterator[TruePair]:
    """Simulate pairs one after another.

    Args:
        ct: folder of DICOM slices, `.npz` volume, or "phantom".
        count: number of pairs.
        seed: use another one than for training data, to get other poses, body shapes, exposures and lesions.
        size: pixels to a side.
        version: wording, see `x2x_core.simulation.settings.SimulationSettings`.

    Raises:
        InputError: see `x2x_core.simulation.dataset.read_ct`.
    """
    thorax = segment_thorax(read_ct(ct))
    for body in range(-(-count // PAIRS_PER_BODY)):
        simulated = simulate_body(thorax, body_generator(seed, body), pairs=PAIRS_PER_BODY, size=size, version=version)
        for pair in simulated[: count - body * PAIRS_PER_BODY]:
            yield TruePair(pair.before, pair.after, str(pair.instruction), body)


def read_pairs(folder: str | Path, count: int, size: int = SIZE, split: str = "val") -> Iterator[TruePair]:
    """Read the first pairs of a split of a dataset in the pair layout.

    Args:
        folder: the dataset.
        count: largest number of pairs.
        size: pixels to a side at which they are read.
        split: "val", "test", ...

    Raises:
        InputError: see `x2x_core.pairs.layout.read_rows` and `read_pair`.
    """
    simulated = (Path(folder) / ATTRIBUTES_FILE).is_file()
    for row in read_rows(folder, split)[:count]:
        before, after = read_pair(row, size)[:, None]
        yield TruePair(before, after, row.instruction, simulated_body(row) if simulated else None)


def simulated_body(row: Row) -> str:
    """Return the body of a pair of a simulated dataset, by the name of its file: "000012-3" is of body "000012"."""
    return row.current.stem.rpartition("-")[0]


def plan_pairs(pairs: Iterable[TruePair], seed: int) -> Iterator[PlannedPair]:
    """Plan edits of pairs: the n-th is edited with `seed + n`."""
    for number, pair in enumerate(pairs):
        yield PlannedPair(f"{number:06d}", pair, seed + number, None)


def read_body(out: Path, body: int, seed: int) -> list[PlannedPair]:
    """Read the pairs of a body that `x2x_core.simulation.dataset.simulate_dataset` wrote to `out / "pairs"`.

    The n-th pair of all is edited with `seed + n`, the pairs of a triple with the seed of its first.
    """
    folder = out / PAIRS
    first_of_triple: dict[int, int] = {}
    planned = []
    for number, row in enumerate(read_records(out, body), start=body * PAIRS_PER_BODY):
        before, after = (read_image(folder / part / row["file"]).pixels[0] for part in ("past", "current"))
        if row["triple"] is not None:
            number = first_of_triple.setdefault(row["triple"], number)
        pair = TruePair(before, after, row["instruction"], body)
        planned.append(PlannedPair(row["file"], pair, seed + number, row["triple"]))
    return planned


def read_records(out: Path, body: int) -> list[dict[str, Any]]:
    """Read what the simulator recorded of the pairs of a body: file, instruction, triple, drawn attributes."""
    return json.loads(part_file(out / PAIRS, body).read_text())


def batches(items: Iterable[Item], size: int = BATCH_SIZE) -> Iterator[list[Item]]:
    """Yield `size` items at a time; the last batch may be smaller."""
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch
