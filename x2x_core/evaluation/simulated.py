"""How well a model edits, by exact ground truth: simulated pairs, whose change is known at every pixel.

For each pair three questions are asked of the change that the edit made, `edited - before`:

- *in region*: does at least half of its energy (sum of squares) lie where the true change is? The true region is where
  the true change exceeds a tenth of its maximum (and 0.01), grown by 4 % of the image's side.
- *right direction*: is its inner product with the true change positive? Then what should become denser does.
- *closer*: is the mean squared error to the true image, over the union of the true region and the edited one, less
  than that of the unedited image?

An edit that changes nothing fails all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from x2x_core.instructions import Instruction

EVALUATION_SEED = 90_000  # far from the seeds that training data are made with
REGION_SHARE = 0.1  # of the largest true change, from which on a pixel belongs to the true region
SMALLEST_CHANGE = 0.01  # grey levels of [0, 1]
GROWTH = 0.04  # of the true region, share of the image's side
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TruePair:
    """An image, what it should become, and the instruction. Images are `(1, H, W)` in [0, 1]."""

    before: torch.Tensor
    after: torch.Tensor
    instruction: str


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


@dataclass(frozen=True)
class SimulatedReport:
    """The scores of all pairs, and how they were made."""

    scores: tuple[PairScore, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def shares(self, scores: Iterable[PairScore] | None = None) -> dict[str, float]:
        """Count, and shares in [0, 1] of the pairs that pass each question."""
        scores = self.scores if scores is None else tuple(scores)
        count = max(1, len(scores))
        passed = {name: sum(getattr(s, name) for s in scores) / count for name in ("in_region", "direction", "closer")}
        editable = sum(score.editable_share for score in scores) / count
        ratios = sorted(score.error_ratio for score in scores)
        median = ratios[len(ratios) // 2] if ratios else float("nan")
        return {"count": len(scores), **passed, "median_error_ratio": median, "mean_editable_share": editable}

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
        rows = [("", "Pairs", "In region", "Right direction", "Closer to truth", "Median error ratio")]
        groups = {"all": self.shares(), **self.groups("operation"), **self.groups("finding")}
        for name, values in groups.items():
            percent = [f"{100 * values[key]:.1f} %" for key in ("in_region", "direction", "closer")]
            rows.append((name, str(values["count"]), *percent, f"{values['median_error_ratio']:.2f}"))
        return rows


def simulate_pairs(
    ct: str | Path, count: int, *, seed: int = EVALUATION_SEED, size: int = 256, version: str = "v2"
) -> Iterator[TruePair]:
    """Simulate pairs one after another.

    Args:
        ct: folder of DICOM slices, `.npz` volume, or "phantom".
        count: pairs.
        seed: another one than the training data's: other poses, body shapes, exposures and lesions.
        size: pixels to a side.
        version: wording, see `x2x_core.simulation.dataset.SimulationSettings`.

    Raises:
        FileNotFoundError, ValueError: as `x2x_core.simulation.dataset.read_ct`.
    """
    from x2x_core.simulation.dataset import PAIRS_PER_BODY, body_generator, read_ct
    from x2x_core.simulation.pairs import simulate_body
    from x2x_core.simulation.thorax import segment_thorax

    thorax = segment_thorax(read_ct(ct))
    for body in range(-(-count // PAIRS_PER_BODY)):
        wanted = min(PAIRS_PER_BODY, count - body * PAIRS_PER_BODY)
        made = simulate_body(thorax, body_generator(seed, body), pairs=PAIRS_PER_BODY, size=size, version=version)
        for pair in made[:wanted]:
            yield TruePair(pair.before, pair.after, str(pair.instruction))


def read_pairs(folder: str | Path, count: int, size: int = 256, split: str = "val") -> Iterator[TruePair]:
    """The first `count` pairs of a split of a dataset in the published layout."""
    from x2x_core.training.pairs import read_pair, read_rows

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


def score_pair(pair: TruePair, edited: torch.Tensor, mask: torch.Tensor) -> PairScore:
    """Answer the three questions for one pair.

    Args:
        pair: the truth.
        edited: `(1, H, W)` in [0, 1].
        mask: the guidance mask, `(1, H, W)` bool.
    """
    truth, change = pair.after - pair.before, edited - pair.before
    region = true_region(truth)
    energy = float(change.square().sum())
    inside = float(change[region].square().sum()) / energy if energy else 0.0
    counted = region | (change != 0)
    old, new = ((image - pair.after)[counted].square().mean() for image in (pair.before, edited))
    first = Instruction.parse(pair.instruction).clauses[0]
    return PairScore(
        instruction=pair.instruction,
        operation=first.operation.value,
        finding=first.finding,
        in_region=inside >= 0.5,
        direction=float((change * truth).sum()) > 0,
        closer=bool(new < old),
        energy_in_region=inside,
        error_ratio=float(new / old.clamp_min(1e-12)),
        editable_share=float(mask.float().mean()),
        changed_outside_mask=float(change[~mask].abs().max()) if (~mask).any() else 0.0,
    )


def evaluate_pairs(
    pipeline,
    pairs: Iterable[TruePair],
    *,
    count: int,
    seed: int = EVALUATION_SEED,
    batch_size: int = 5,
    progress: Progress | None = None,
    settings: dict[str, Any] | None = None,
    **call: Any,
) -> SimulatedReport:
    """Edit pairs and score them.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: what to edit, `count` of them.
        seed: of the edits; the n-th pair is edited with `seed + n`.
        batch_size: pairs edited at once.
        progress: called with the pairs done and in all.
        settings: what else to record in the report.
        call: arguments of the pipeline's call, recorded too.
    """
    scores: list[PairScore] = []
    waiting: list[TruePair] = []
    for number, pair in enumerate(pairs, start=1):
        waiting.append(pair)
        if len(waiting) == batch_size or number == count:
            scores += _edit(pipeline, waiting, seed + len(scores), call)
            waiting = []
            if progress:
                progress(len(scores), count)
    return SimulatedReport(tuple(scores), {"count": count, "seed": seed, **(settings or {}), **call})


def _edit(pipeline, pairs: list[TruePair], seed: int, call: dict[str, Any]) -> list[PairScore]:
    generators = [torch.Generator().manual_seed(seed + n) for n in range(len(pairs))]
    images, prompts = torch.stack([pair.before for pair in pairs]), [pair.instruction for pair in pairs]
    result = pipeline(images, prompts, generator=generators, output_type="pt", **call)
    edited, masks = result.images.cpu().float().mean(1, keepdim=True), result.guidance_mask.cpu()
    return [score_pair(pair, image, mask) for pair, image, mask in zip(pairs, edited, masks)]


def evaluate_simulated(
    pipeline,
    ct: str | Path,
    *,
    count: int = 200,
    seed: int = EVALUATION_SEED,
    size: int = 256,
    progress: Progress | None = None,
    **call: Any,
) -> SimulatedReport:
    """Simulate `count` pairs that no training has seen, edit them and score the edits.

    Args:
        pipeline: an `InstructX2XPipeline`.
        ct: see `simulate_pairs`.
        count: pairs.
        seed: of the pairs and of the edits.
        size: pixels to a side.
        progress: called with the pairs done and in all.
        call: arguments of the pipeline's call.
    """
    pairs = simulate_pairs(ct, count, seed=seed, size=size)
    settings = {"ct": str(ct), "size": size}
    return evaluate_pairs(pipeline, pairs, count=count, seed=seed, progress=progress, settings=settings, **call)
