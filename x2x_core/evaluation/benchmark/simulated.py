"""How well a model edits, by exact ground truth: simulated pairs, whose change is known at every pixel.

For each pair three questions are asked of the change that the edit made, `edited - before`:

- *in region*: does at least half of its energy (sum of squares) lie where the true change is? The true region is where
  the true change exceeds a tenth of its maximum (and 0.01), grown by 4 % of the image's side.
- *right direction*: is its inner product with the true change positive? Then what should become denser does.
- *closer*: is the mean squared error to the true image, over the union of the true region and the edited one, less
  than that of the unedited image?

An edit that changes nothing fails all three.

Of the guidance map it is asked how well it finds the exact region, where the true change exceeds that level, not grown:
the scores of `x2x_core.evaluation.metrics.localisation`. Where the truth changes nothing they are undefined (``None``).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.localisation import average_precision, best_iou, energy_inside, pointing
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.settings import DEFAULTS, PAIRS_PER_BODY

EVALUATION_SEED = 90_000  # far from the seeds that training data are made with
SIZE = DEFAULTS.size  # pixels to a side of the pairs
REGION_SHARE = 0.1  # of the largest true change, from which on a pixel belongs to the true region
SMALLEST_CHANGE = 0.01  # grey levels of [0, 1]
GROWTH = 0.04  # of the true region, share of the image's side
BATCH_SIZE = 5  # pairs edited at once
LOCALISATION = {  # names in the report, their headings and the scores
    "average_precision": ("Average precision", average_precision),
    "energy_inside": ("Energy inside", energy_inside),
    "pointing": ("Pointing", pointing),
    "best_iou": ("Best IoU", best_iou),
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TruePair:
    """An image, what it should become, and the instruction. Images are `(1, H, W)` in [0, 1]."""

    before: torch.Tensor
    after: torch.Tensor
    instruction: str


@dataclass(frozen=True)
class EditedPair:
    """An edit of a pair's `before`: `(1, H, W)` each."""

    image: torch.Tensor  # grey, in [0, 1]
    mask: torch.Tensor  # the guidance mask, bool
    guidance_map: torch.Tensor  # in [0, 1]


@dataclass(frozen=True)
class PairScore:
    """What became of one pair."""

    instruction: str
    operation: str  # of the first clause
    finding: str
    in_region: bool
    direction: bool
    closer: bool
    energy_in_region: float  # share of the edit's energy in the true region; 0 where nothing changed
    error_ratio: float  # mean squared error of the edit over that of the unedited image
    editable_share: float  # of the image
    changed_outside_mask: float  # largest change outside the guidance mask; must be 0
    average_precision: float | None  # of the guidance map against the exact region, as the following
    energy_inside: float | None
    pointing: float | None
    best_iou: float | None


@dataclass(frozen=True)
class SimulatedReport:
    """The scores of all pairs, and how they were made."""

    scores: tuple[PairScore, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def shares(self, scores: Iterable[PairScore] | None = None) -> dict[str, float]:
        """Count, shares in [0, 1] of the pairs that pass each question, and means of the localisation scores."""
        scores = self.scores if scores is None else tuple(scores)
        count = max(1, len(scores))
        passed = {name: sum(getattr(s, name) for s in scores) / count for name in ("in_region", "direction", "closer")}
        editable = sum(score.editable_share for score in scores) / count
        median = statistics.median(score.error_ratio for score in scores) if scores else math.nan
        found = {f"mean_{name}": _mean_of_defined(getattr(s, name) for s in scores) for name in LOCALISATION}
        return {"count": len(scores), **passed, "median_error_ratio": median, "mean_editable_share": editable, **found}

    def groups(self, name: str) -> dict[str, dict[str, float]]:
        """Shares per "finding" or per "operation"."""
        keys = sorted({getattr(score, name) for score in self.scores})
        return {key: self.shares(s for s in self.scores if getattr(s, name) == key) for key in keys}

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return {
            "synthetic": True,
            "settings": self.settings,
            "overall": self.shares(),
            "by_finding": self.groups("finding"),
            "by_operation": self.groups("operation"),
            "largest_change_outside_mask": max((s.changed_outside_mask for s in self.scores), default=0.0),
            "pairs": [asdict(score) for score in self.scores],
        }

    def table(self) -> list[tuple[str, ...]]:
        """Rows of text: a heading, then one row for all pairs, each operation and each finding."""
        found = [heading for heading, _ in LOCALISATION.values()]
        rows = [("", "Pairs", "In region", "Right direction", "Closer to truth", "Median error ratio", *found)]
        groups = {"all": self.shares(), **self.groups("operation"), **self.groups("finding")}
        for name, values in groups.items():
            percent = [f"{100 * values[key]:.1f} %" for key in ("in_region", "direction", "closer")]
            means = [values[f"mean_{key}"] for key in LOCALISATION]
            found = ["-" if mean is None else f"{mean:.3f}" for mean in means]
            rows.append((name, str(values["count"]), *percent, f"{values['median_error_ratio']:.2f}", *found))
        return rows


def _mean_of_defined(values: Iterable[float | None]) -> float | None:
    """The mean of those that are not ``None``; ``None`` where all are."""
    defined = [value for value in values if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


def simulate_pairs(
    ct: str | Path, count: int, *, seed: int = EVALUATION_SEED, size: int = SIZE, version: str = "v2"
) -> Iterator[TruePair]:
    """Simulate pairs one after another.

    Args:
        ct: folder of DICOM slices, `.npz` volume, or "phantom".
        count: pairs.
        seed: another one than the training data's: other poses, body shapes, exposures and lesions.
        size: pixels to a side.
        version: wording, see `x2x_core.simulation.settings.SimulationSettings`.

    Raises:
        InputNotFoundError, InputError: as `x2x_core.simulation.dataset.read_ct`.
    """
    from x2x_core.simulation.dataset import body_generator, read_ct
    from x2x_core.simulation.pairs import simulate_body
    from x2x_core.simulation.thorax import segment_thorax

    thorax = segment_thorax(read_ct(ct))
    for body in range(-(-count // PAIRS_PER_BODY)):
        wanted = min(PAIRS_PER_BODY, count - body * PAIRS_PER_BODY)
        made = simulate_body(thorax, body_generator(seed, body), pairs=PAIRS_PER_BODY, size=size, version=version)
        for pair in made[:wanted]:
            yield TruePair(pair.before, pair.after, str(pair.instruction))


def read_pairs(folder: str | Path, count: int, size: int = SIZE, split: str = "val") -> Iterator[TruePair]:
    """The first `count` pairs of a split of a dataset in the published layout.

    Args:
        folder: the dataset.
        count: pairs at most.
        size: pixels to a side that they are read at.
        split: "val", "test", ...

    Raises:
        InputNotFoundError, InputError: as `x2x_core.pairs.layout.read_rows` and `read_pair`.
    """
    from x2x_core.pairs.layout import read_pair, read_rows

    for row in read_rows(folder, split)[:count]:
        before, after = read_pair(row, size)[:, None]
        yield TruePair(before, after, row.instruction)


def changed_region(change: torch.Tensor) -> torch.Tensor:
    """Where a true change `(1, H, W)` is: `(1, H, W)` bool. Empty where nothing changed."""
    strength = change.abs()
    return strength > max(REGION_SHARE * float(strength.max()), SMALLEST_CHANGE)


def true_region(change: torch.Tensor) -> torch.Tensor:
    """The region of a true change `(1, H, W)`, grown a little: `(1, H, W)` bool. Empty where nothing changed."""
    radius = max(1, round(GROWTH * max(change.shape[-2:])))
    inside = changed_region(change).float()
    return F.max_pool2d(inside[None], 2 * radius + 1, stride=1, padding=radius)[0] > 0


def score_pair(pair: TruePair, edit: EditedPair) -> PairScore:
    """Answer the three questions for one pair, and score its guidance map."""
    truth, change = pair.after - pair.before, edit.image - pair.before
    region, exact = true_region(truth), changed_region(truth)
    energy = float(change.square().sum())
    inside = float(change[region].square().sum()) / energy if energy else 0.0
    counted = region | (change != 0)
    if not counted.any():  # nothing to change, and nothing changed
        counted = torch.ones_like(counted)
    old, new = ((image - pair.after)[counted].square().mean() for image in (pair.before, edit.image))
    operation, finding = _first_clause(pair)
    found = {name: score(edit.guidance_map, exact) for name, (_, score) in LOCALISATION.items()}
    return PairScore(
        instruction=pair.instruction,
        operation=operation,
        finding=finding,
        in_region=inside >= 0.5,
        direction=float((change * truth).sum()) > 0,
        closer=bool(new < old),
        energy_in_region=inside,
        error_ratio=float(new / old.clamp_min(1e-12)),
        editable_share=float(edit.mask.float().mean()),
        changed_outside_mask=float(change[~edit.mask].abs().max()) if (~edit.mask).any() else 0.0,
        **{name: None if math.isnan(value) else value for name, value in found.items()},
    )


def _first_clause(pair: TruePair) -> tuple[str, str]:
    """Operation and finding that a pair is counted under."""
    clauses = Instruction.parse(pair.instruction).clauses
    if not clauses:
        raise InputError(f"`instruction` of a pair must name a known finding, got {pair.instruction!r}.")
    return clauses[0].operation.value, clauses[0].finding


def batches(pairs: Iterable[TruePair], size: int = BATCH_SIZE) -> Iterator[list[TruePair]]:
    """The pairs, `size` at a time; the last batch may be smaller."""
    waiting = iter(pairs)
    while batch := list(islice(waiting, size)):
        yield batch


def edit_pairs(pipeline, pairs: Sequence[TruePair], seed: int | Sequence[int], **call: Any) -> list[EditedPair]:
    """Edit pairs at once, the n-th with `seed + n` (or the n-th of several seeds).

    `call` are arguments of the pipeline's call.
    """
    seeds = [seed + n for n in range(len(pairs))] if isinstance(seed, int) else seed
    generators = [torch.Generator().manual_seed(one) for one in seeds]
    images, prompts = torch.stack([pair.before for pair in pairs]), [pair.instruction for pair in pairs]
    result = pipeline(images, prompts, generator=generators, output_type="pt", **call)
    edited = _grey(result.images.cpu().float())
    return [EditedPair(*one) for one in zip(edited, result.guidance_mask.cpu(), result.guidance_map.cpu())]


def _grey(images: torch.Tensor) -> torch.Tensor:
    """`(B, C, H, W)` to the mean of the channels `(B, 1, H, W)`; where they are equal, exactly their value."""
    first, mean = images[:, :1], images.mean(1, keepdim=True)
    return torch.where((images == first).all(dim=1, keepdim=True), first, mean)


def evaluate_pairs(
    pipeline,
    pairs: Iterable[TruePair],
    *,
    count: int,
    seed: int = EVALUATION_SEED,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
    settings: dict[str, Any] | None = None,
    **call: Any,
) -> SimulatedReport:
    """Edit pairs and score them.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: what to edit.
        count: how many pairs are expected, for `progress`.
        seed: of the edits; the n-th pair is edited with `seed + n`.
        batch_size: pairs edited at once.
        progress: called with the pairs done and in all.
        settings: what else to record in the report.
        call: arguments of the pipeline's call, recorded too.

    Raises:
        InputError: there are no pairs, or one whose instruction names no known finding.
    """
    scores: list[PairScore] = []
    for batch in batches(pairs, batch_size):
        edits = edit_pairs(pipeline, batch, seed + len(scores), **call)
        scores += [score_pair(pair, edit) for pair, edit in zip(batch, edits)]
        if progress:
            progress(len(scores), count)
    if not scores:
        raise InputError("`pairs` must hold at least one pair, got none.")
    return SimulatedReport(tuple(scores), {"count": len(scores), "seed": seed, **(settings or {}), **call})
