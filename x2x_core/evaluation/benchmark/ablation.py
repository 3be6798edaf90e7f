"""What restricts an edit best: several ways to edit the same pairs with the same seeds, measured against the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, Estimate, draw_resamples, estimate
from x2x_core.language.instruction import Instruction

from .ablation_measures import GROUPS, HIGHER, MEASURES, REFERENCE_KEYS, Measure, measure_edit, measure_unedited
from .ablation_rows import OURS, Row
from .simulated import BATCH_SIZE, EVALUATION_SEED, EditedPair, Progress, TruePair, batches, edit_pairs

UNEDITED = "unedited"
Scores = dict[str, float | None]  # a measure's key to its value


@dataclass(frozen=True)
class PairEdits:
    """Pictures of one pair, to be shown: 8-bit `(H, W)`, and for each row the edit and its mask."""

    instruction: str
    before: torch.Tensor
    after: torch.Tensor
    edits: dict[str, tuple[torch.Tensor, torch.Tensor]]  # a row's name to picture (uint8) and mask (bool)


@dataclass(frozen=True)
class AblationReport:
    """All measures of all rows on the same pairs."""

    rows: tuple[Row, ...]
    instructions: tuple[str, ...]  # of the pairs
    scores: dict[str, tuple[Scores, ...]]  # a row's name to the scores of the pairs
    unedited: tuple[Scores, ...]  # what the images as they were score
    note: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    pictures: tuple[PairEdits, ...] = ()

    def resamples(self) -> torch.Tensor:
        """The bootstrap's draws, seeded as the run."""
        return draw_resamples(len(self.instructions), torch.Generator().manual_seed(self.settings["seed"]))

    def values(self, row: str, key: str) -> list[float | None]:
        """A measure of a row (or of `UNEDITED`), one for each pair."""
        return [scores[key] for scores in (self.unedited if row == UNEDITED else self.scores[row])]

    def estimates(self) -> dict[str, dict[str, Estimate]]:
        """Each row's measures over all pairs, with their intervals."""
        drawn = self.resamples()
        return {
            row: {one.key: estimate(self.values(row, one.key), drawn, one.statistic) for one in MEASURES}
            for row in self.scores
        }

    def minus_ours(self) -> dict[str, dict[str, Estimate]]:
        """Each other row's measures minus ours on the same pairs, with their intervals. Empty without ours."""
        if OURS not in self.scores:
            return {}
        drawn = self.resamples()
        ours = {one.key: self.values(OURS, one.key) for one in MEASURES}
        return {
            row: {one.key: estimate(self.values(row, one.key), drawn, one.statistic, ours[one.key]) for one in MEASURES}
            for row in self.scores
            if row != OURS
        }

    def reference(self) -> dict[str, Estimate]:
        """What the unedited images score in `REFERENCE_KEYS`."""
        drawn = self.resamples()
        wanted = [measure for measure in MEASURES if measure.key in REFERENCE_KEYS]
        return {one.key: estimate(self.values(UNEDITED, one.key), drawn, one.statistic) for one in wanted}

    def as_dict(self) -> dict[str, Any]:
        """All of it but the pictures, as JSON can hold it."""
        estimates, differences = self.estimates(), self.minus_ours()
        return {
            "synthetic": True,
            "settings": self.settings,
            "note": self.note,
            "intervals": f"{LEVEL:.0%} percentile bootstrap over pairs, {RESAMPLES} resamples, the same for all rows",
            "measures": {measure.key: asdict(measure) for measure in MEASURES},
            "rows": {row.name: self._row(row, estimates, differences) for row in self.rows},
            UNEDITED: _plain(self.reference()),
            "pairs": [
                {"instruction": text, "scores": {name: scores[n] for name, scores in self.scores.items()}}
                for n, text in enumerate(self.instructions)
            ],
        }

    def _row(self, row: Row, estimates: dict, differences: dict) -> dict[str, Any]:
        record = {
            "note": row.note,
            "arguments": dict(row.arguments),
            "region_argument": row.region_argument,
            "largest_change_outside_mask": max(self.values(row.name, "changed_outside_mask")),
            "values": _plain(estimates[row.name]),
        }
        if row.name in differences:
            record["minus_ours"] = _plain(differences[row.name])
        return record

    def table(self) -> list[tuple[str, ...]]:
        """Rows of text: a heading, then for each group of measures its name alone and a row for each measure."""
        estimates, reference = self.estimates(), self.reference()
        lines = [("", *self.scores, UNEDITED)]
        for group in GROUPS:
            lines.append((group, *[""] * (len(self.scores) + 1)))
            for measure in (one for one in MEASURES if one.group == group):
                cells = [measure.text(found[measure.key].value) for found in estimates.values()]
                plain = measure.text(reference[measure.key].value) if measure.key in reference else ""
                lines.append((_heading(measure), *cells, plain))
        return lines

    def notes(self) -> list[str]:
        """What a reader of the table must know: the settings, then what each row is."""
        pairs = f"{len(self.instructions)} pairs, the same pairs and seeds for all rows."
        return [f"{pairs} {self.note}".strip(), *(f"{row.name}: {row.note}." for row in self.rows)]


def _heading(measure: Measure) -> str:
    return f"{measure.heading} {'↑' if measure.better == HIGHER else '↓'}"


def _plain(estimates: dict[str, Estimate]) -> dict[str, dict[str, float | int | None]]:
    return {key: asdict(one) for key, one in estimates.items()}


def run_ablation(
    pipeline,
    pairs: Iterable[TruePair],
    rows: Sequence[Row],
    *,
    count: int,
    seed: int = EVALUATION_SEED,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
    settings: dict[str, Any] | None = None,
    note: str = "",
    keep_pictures: bool = False,
) -> AblationReport:
    """Edit each pair once for each row, with one seed, and measure the edits.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: what to edit; each is read once.
        rows: see `x2x_core.evaluation.benchmark.ablation_rows`.
        count: how many pairs are expected, for `progress`.
        seed: of the edits; the n-th pair is edited with `seed + n` in every row. Of the bootstrap too.
        batch_size: pairs edited at once.
        progress: called with the edits done and in all.
        settings: what else to record in the report.
        note: what a reader of the table must know.
        keep_pictures: keep 8-bit pictures of all edits in memory (about 0.15 MB for each at 256x256).

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: no rows, two of one name, no pairs, or a pair whose instruction names no known finding.
    """
    names = [row.name for row in rows]
    if not names or len(set(names)) < len(names):
        raise InputError(f"`rows` must be at least one row, each with a name of its own, got {names}.")
    scores: dict[str, list[Scores]] = {name: [] for name in names}
    done: list[str] = []
    unedited: list[Scores] = []
    pictures: list[PairEdits] = []
    for batch in batches(pairs, batch_size):
        edits = {}
        for number, row in enumerate(rows, start=1):
            edits[row.name] = _edit(pipeline, batch, row, seed + len(done))
            scores[row.name] += [measure_edit(*one) for one in zip(batch, edits[row.name])]
            if progress:
                progress(len(done) * len(rows) + number * len(batch), count * len(rows))
        done += [pair.instruction for pair in batch]
        unedited += [measure_unedited(pair) for pair in batch]
        if keep_pictures:
            pictures += [_pictures(pair, edits, number) for number, pair in enumerate(batch)]
    if not done:
        raise InputError("`pairs` must hold at least one pair, got none.")
    return AblationReport(
        rows=tuple(rows),
        instructions=tuple(done),
        scores={name: tuple(values) for name, values in scores.items()},
        unedited=tuple(unedited),
        note=note,
        settings={"count": len(done), "seed": seed, **(settings or {})},
        pictures=tuple(pictures),
    )


def _edit(pipeline, batch: list[TruePair], row: Row, seed: int) -> list[EditedPair]:
    instructions = [Instruction.parse(pair.instruction) for pair in batch]
    return edit_pairs(pipeline, batch, seed, **row.call(instructions, tuple(batch[0].before.shape[-2:])))


def _pictures(pair: TruePair, edits: dict[str, list[EditedPair]], number: int) -> PairEdits:
    shown = {name: (_bytes(some[number].image), some[number].mask[0]) for name, some in edits.items()}
    return PairEdits(pair.instruction, _bytes(pair.before), _bytes(pair.after), shown)


def _bytes(image: torch.Tensor) -> torch.Tensor:
    """`(1, H, W)` in [0, 1] to 8 bits `(H, W)`."""
    return (image[0] * 255).round().to(torch.uint8)
