"""The benchmark's edits: each pair edited in each way and scored, body by body, on disk.

Layout, in the run's folder::

    pairs/                       the simulated pairs, see `x2x_core.simulation.dataset`
    edits/ROW/scores/BODY.json   scores of the body's pairs, and the time that their edits took
    edits/ROW/edited/PAIR.png    the edit, 8 bits
    edits/ROW/guidance/PAIR.png  the guidance map, 8 bits
    edits/ROW/mask/PAIR.png      the guidance mask, 0 or 255

A body is done when its scores are there, and scores depend on nothing but the pair, the row and the seed: a run that was
stopped goes on to the same numbers.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.storage import write_text
from x2x_core.evaluation.results import TARGET
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.simulation.settings import PAIRS_PER_BODY

from .ablation_measures import measure_edit
from .rows import REFERENCES, BenchmarkRow, benchmark_rows, edit_row, reference_edit, slug
from .simulated import EVALUATION_SEED, SIZE, EditedPair, TruePair, changed_region

PAIRS, EDITS = "pairs", "edits"
_MAP_KEYS = ("average_precision", "energy_inside", "pointing", "best_iou", "editable_share")  # none without a map


@dataclass(frozen=True)
class BenchmarkPair:
    """One pair of the benchmark as it lies on disk."""

    file: str
    pair: TruePair
    seed: int  # of its edits; one for all of a triple
    triple: int | None


@dataclass(frozen=True)
class BenchmarkSettings:
    """What decides the numbers of a benchmark."""

    model: str = "demo"
    ct: str = "phantom"
    count: int = 500  # pairs
    peers_count: int | None = None  # pairs for the rows that are not ours; None: all
    seed: int = EVALUATION_SEED
    size: int = SIZE
    published_masks: str | None = None  # folder of published masks
    call: dict[str, Any] = field(default_factory=dict)  # arguments of the pipeline's call

    def __post_init__(self) -> None:
        for name, value in (("count", self.count), ("peers_count", self.peers_count)):
            if value is not None and (value < PAIRS_PER_BODY or value % PAIRS_PER_BODY):
                raise InputError(
                    f"`{name}` must be a multiple of {PAIRS_PER_BODY}, the pairs of one simulated body, got {value}."
                )
        if self.peers_count is not None and self.peers_count > self.count:
            raise InputError(f"`peers_count` must be at most `count`, {self.count}, got {self.peers_count}.")

    @property
    def bodies(self) -> int:
        """Bodies that make up the pairs."""
        return self.count // PAIRS_PER_BODY

    def wants(self, row: BenchmarkRow | str, body: int) -> bool:
        """Whether a row is to be made for a body: ours and the references for all, peers for the first ones."""
        if isinstance(row, str) or row.is_ours or self.peers_count is None:
            return True
        return body < self.peers_count // PAIRS_PER_BODY


def read_body(out: Path, body: int, seed: int) -> list[BenchmarkPair]:
    """The pairs of a body, as simulated to `out / "pairs"`; the n-th pair of all is edited with `seed + n`."""
    folder = out / PAIRS
    rows = json.loads((folder / "parts" / f"{body:06d}.json").read_text())
    firsts: dict[int, int] = {}
    found = []
    for number, row in enumerate(rows, start=body * PAIRS_PER_BODY):
        before, after = (read_image(folder / part / row["file"]).pixels[0] for part in ("past", "current"))
        if row["triple"] is not None:
            number = firsts.setdefault(row["triple"], number)
        pair = TruePair(before, after, row["instruction"])
        found.append(BenchmarkPair(row["file"], pair, seed + number, row["triple"]))
    return found


def score_body(pairs: Sequence[BenchmarkPair], edits: Sequence[EditedPair]) -> list[dict[str, float | None]]:
    """All measures of the edits of a body, and two amounts.

    "amount": how much of the true change was made, the change's inner product with the true one over the true one's with
    itself: 1 for the truth, 0 for nothing, negative for the opposite. "dose": the same for the pairs of a triple, against
    the true change of the triple's strongest.
    """
    # the last of a triple is its strongest
    strongest = {one.triple: one.pair.after - one.pair.before for one in pairs if one.triple is not None}
    scores = []
    for one, edit in zip(pairs, edits):
        change, truth = edit.image - one.pair.before, one.pair.after - one.pair.before
        dose = None if one.triple is None else _share_of(change, strongest[one.triple])
        amount = _share_of(change, truth) if changed_region(truth).any() else None
        scores.append({**measure_edit(one.pair, edit), "amount": amount, "dose": dose})
    return scores


def _share_of(change: torch.Tensor, truth: torch.Tensor) -> float | None:
    whole = float(truth.double().square().sum())
    return float((change.double() * truth.double()).sum()) / whole if whole else None


def part_path(out: Path, row: str, body: int) -> Path:
    """Where the scores of a row's edits of a body are."""
    return out / EDITS / slug(row) / "scores" / f"{body:06d}.json"


def picture_path(out: Path, row: str, kind: str, file: str) -> Path:
    """Where a picture of a row is: `kind` "edited", "guidance" or "mask"; the references' are the pairs' own."""
    if row in REFERENCES:
        return out / PAIRS / ("past" if row == list(REFERENCES)[0] else "current") / file
    return out / EDITS / slug(row) / kind / file


def read_part(out: Path, row: str, body: int) -> list[dict[str, Any]] | None:
    """The scores of a body, one record a pair; ``None`` where it is not done."""
    path = part_path(out, row, body)
    return json.loads(path.read_text()) if path.is_file() else None


def _write_part(out: Path, row: str, body: int, scores: list[dict[str, Any]]) -> None:
    path = part_path(out, row, body)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(scores))


def edit_body(pipeline, rows: Sequence[BenchmarkRow], settings: BenchmarkSettings, out: Path, body: int) -> None:
    """Edit and score a body in each way that is not done yet."""
    wanted = [*REFERENCES, *(row for row in rows if settings.wants(row, body))]
    todo = [row for row in wanted if not part_path(out, _name(row), body).is_file()]
    if not todo:
        return
    pairs = read_body(out, body, settings.seed)
    for row in todo:
        if isinstance(row, str):
            scores = score_body(pairs, [reference_edit(row, one.pair) for one in pairs])
            undefined = (*_MAP_KEYS, "psnr") if row == TARGET else _MAP_KEYS  # the truth's is infinite
            scores = [{**one, **dict.fromkeys(undefined), "seconds": 0.0} for one in scores]
        else:
            scores = _edit_and_score(pipeline, row, pairs, out)
        _write_part(out, _name(row), body, scores)


def _name(row: BenchmarkRow | str) -> str:
    return row if isinstance(row, str) else row.name


def _edit_and_score(pipeline, row: BenchmarkRow, pairs: Sequence[BenchmarkPair], out: Path) -> list[dict[str, Any]]:
    started = time.process_time()
    edits = edit_row(pipeline, row, [one.pair for one in pairs], [one.seed for one in pairs])
    seconds = (time.process_time() - started) / len(pairs)
    for one, edit in zip(pairs, edits):
        _write_pictures(out, row, one, edit)
    return [{**score, "seconds": seconds} for score in score_body(pairs, edits)]


def _write_pictures(out: Path, row: BenchmarkRow, one: BenchmarkPair, edit: EditedPair) -> None:
    notice = synthetic_metadata({"instruction": one.pair.instruction, "seed": one.seed, "row": row.name})
    for kind, pixels in (("edited", edit.image), ("guidance", edit.guidance_map), ("mask", edit.mask.float())):
        path = picture_path(out, row.name, kind, one.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, pixels.clamp(0, 1), 8, notice)


def edit_all(settings: BenchmarkSettings, out: Path, load: Callable[[], Any], workers: int) -> Iterator[int]:
    """Edit and score every body; yields each when it is on disk.

    Args:
        settings: of the benchmark.
        out: the run's folder, with the pairs simulated.
        load: makes the pipeline; with several workers it must be picklable (`functools.partial` of a function is).
        workers: processes, each with a pipeline of its own.
    """
    todo = range(settings.bodies)
    if workers <= 1:
        editor = _editor(settings, out, load)
        yield from map(editor, todo)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start_worker, (settings, out, load)) as pool:
        yield from pool.imap_unordered(_work, todo)


def rows_of(settings: BenchmarkSettings, pipeline) -> tuple[BenchmarkRow, ...]:
    """The rows of a benchmark, with its published masks."""
    masks = PseudomaskAtlas.load(settings.published_masks) if settings.published_masks else None
    return benchmark_rows(pipeline, settings.call, published_masks=masks)


def _editor(settings: BenchmarkSettings, out: Path, load: Callable[[], Any]) -> Callable[[int], int]:
    """Edits a body by its number, and gives that number."""
    pipeline = load()
    rows = rows_of(settings, pipeline)

    def edit(body: int) -> int:
        edit_body(pipeline, rows, settings, out, body)
        return body

    return edit


_worker: dict[str, Any] = {}  # what a worker process was started with


def _start_worker(settings: BenchmarkSettings, out: Path, load: Callable[[], Any]) -> None:
    torch.set_num_threads(1)
    _worker["edit"] = _editor(settings, out, load)


def _work(body: int) -> int:
    return _worker["edit"](body)
