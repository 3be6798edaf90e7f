"""Ablation: any rows on the same pairs with the same seeds, in memory."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.cases import RANKING, choose_cases
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.results import Case, Results

from .about import describe_rows
from .editing import edit_and_score
from .measures import MEASURES, with_levels
from .pairs import EditedPair, TruePair
from .plan import BATCH_SIZE, EVALUATION_SEED, batches, plan_pairs
from .rows import OURS, Row
from .scores import BenchmarkScores
from .summary import INTERVALS, summarise

KIND = "ablation"
_RECORDED = (*(measure.key for measure in MEASURES), "changed_outside_mask")  # scores of a pair, if it has them


@dataclass(frozen=True)
class AblationSettings:
    """Settings of an ablation.

    Args:
        count: expected number of pairs, for progress.
        seed: the n-th pair is edited with `seed + n` in every row; also the seed of the bootstrap.
        batch_size: pairs edited at once.
        source: where the pairs come from, recorded.
        note: what readers of the table must know.
        keep_pictures: keep 8-bit pictures of all edits in memory (about 0.15 MB each at 256x256).
    """

    count: int
    seed: int = EVALUATION_SEED
    batch_size: int = BATCH_SIZE
    source: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    keep_pictures: bool = False


@dataclass(frozen=True)
class PairPictures:
    """8-bit pictures `(H, W)` of one pair: the images, and each row's edit with its mask (bool)."""

    before: torch.Tensor
    after: torch.Tensor
    edits: dict[str, tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Ablation:
    """An ablation's record, the scores that it summarises, and the pictures that were kept."""

    results: Results
    scores: BenchmarkScores
    pictures: tuple[PairPictures, ...] = ()

    def chosen_pairs(self, count: int = 1) -> dict[int, str]:
        """Return the best, median and worst pairs of ours (without it, of the first row), see `choose_cases`.

        Raises:
            InputError: the truth changes in no pair.
        """
        chosen = choose_cases(self.scores.values(self.ranked_row, RANKING).tolist(), count)
        if not chosen:
            raise InputError("`pairs` must hold one whose truth changes, to be shown; got none.")
        return chosen

    @property
    def ranked_row(self) -> str:
        """Name of the row that ranks the pairs."""
        return OURS if OURS in self.scores.rows else next(iter(self.scores.rows))


def run_ablation(
    pipeline,
    pairs: Iterable[TruePair],
    rows: Sequence[Row],
    settings: AblationSettings,
    progress: Progress | None = None,
) -> Ablation:
    """Edit each pair once for each row, with one seed, and measure the edits.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: each is read once.
        rows: see `x2x_core.evaluation.benchmark.standard_rows`.
        settings: seeds, batches, and what to record.
        progress: called with the edits done and in all.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: no rows, two of one name, no pairs, or a pair whose instruction names no known finding.
    """
    names = [row.name for row in rows]
    if not names or len(set(names)) < len(names):
        raise InputError(f"`rows` must be at least one row, each with a name of its own, got {names}.")
    scores: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    instructions: list[str] = []
    bodies: list[Hashable] = []
    pictures: list[PairPictures] = []
    for batch in batches(plan_pairs(pairs, settings.seed), settings.batch_size):
        edits: dict[str, list[EditedPair]] = {}
        for number, row in enumerate(rows, start=1):
            edits[row.name], of_row = edit_and_score(pipeline, row, batch)
            scores[row.name] += with_levels(of_row, [planned.triple for planned in batch])
            if progress:
                progress(len(bodies) * len(rows) + number * len(batch), settings.count * len(rows))
        if settings.keep_pictures:
            pictures += [_pictures(planned.pair, edits, index) for index, planned in enumerate(batch)]
        instructions += [planned.pair.instruction for planned in batch]
        bodies += [planned.body for planned in batch]
    if not bodies:
        raise InputError("`pairs` must hold at least one pair, got none.")
    all_scores = BenchmarkScores(tuple(instructions), tuple(bodies), scores, settings.seed)
    return Ablation(_results(rows, all_scores, settings), all_scores, tuple(pictures))


def _results(rows: Sequence[Row], scores: BenchmarkScores, settings: AblationSettings) -> Results:
    count = len(scores.instructions)
    about = {
        "title": "Ablation",
        "kind": KIND,
        "settings": {"count": count, "seed": settings.seed, **settings.source},
        "note": settings.note,
        **describe_rows(rows, scores),
        "arguments": {row.name: {**row.arguments, "region_argument": row.region_argument} for row in rows},
        "intervals": f"{INTERVALS} bodies, {len(set(scores.bodies))} in all, the same for all rows",
    }
    return Results(about, summarise(scores), tuple(_case(scores, index) for index in range(count)))


def _case(scores: BenchmarkScores, index: int) -> Case:
    """Return the scores of a pair in every row."""
    of_pair = {name: records[index] or {} for name, records in scores.rows.items()}
    recorded = {name: {key: record[key] for key in _RECORDED if key in record} for name, record in of_pair.items()}
    return Case(f"{index:06d}", scores.instructions[index], {}, recorded)


def _pictures(pair: TruePair, edits: dict[str, list[EditedPair]], index: int) -> PairPictures:
    shown = {name: (_bytes(of_row[index].image), of_row[index].mask[0]) for name, of_row in edits.items()}
    return PairPictures(_bytes(pair.before), _bytes(pair.after), shown)


def _bytes(image: torch.Tensor) -> torch.Tensor:
    """Convert `(1, H, W)` in [0, 1] to 8 bits `(H, W)`."""
    return (image[0] * 255).round().to(torch.uint8)
