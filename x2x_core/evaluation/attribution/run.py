"""The run of an attribution audit: the explanations of simulated images, measured on where the finding was drawn."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.run_folder import claim_folder
from x2x_core.common.storage import write_text
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.metrics.average_precision import average_precision
from x2x_core.evaluation.metrics.best_iou import best_iou
from x2x_core.evaluation.metrics.energy_inside import energy_inside
from x2x_core.evaluation.metrics.pointing import pointing
from x2x_core.evaluation.progress import Progress
from x2x_core.imaging.changed import changed_region
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction

from .curves import deletion_insertion
from .methods import METHODS, check_methods, explain
from .target import Target

RUN, RECORDS, PICTURES = "audit_run.json", "records", "pictures"
SEEN = 0.5  # probability from which on a classifier sees a finding: only then is there something to explain
Record = dict[str, Any]


@dataclass(frozen=True)
class AttributionSettings:
    """Settings that decide the numbers.

    Raises:
        InputError: an unknown method.
    """

    classifier: str
    model: str = "demo"
    methods: tuple[str, ...] = METHODS
    seed: int = 0  # the n-th pair is edited with seed + n

    def __post_init__(self) -> None:
        check_methods(self.methods)


def run_attribution(
    pipeline: Any,
    scorer: Any,
    pairs: Iterable[TruePair],
    settings: AttributionSettings,
    out: Path,
    progress: Progress | None = None,
    total: int = 0,
    **call: Any,
) -> list[Record]:
    """Explain the images of pairs that add one finding which the classifier sees, or continue a run.

    Args:
        pipeline: an `InstructX2XPipeline`.
        scorer: a classifier with derivatives.
        pairs: with exact truth; explained is the image with the finding.
        settings: of the run.
        out: its folder.
        progress: called with the pairs done and in all.
        total: number of pairs, for the progress.
        call: arguments of the pipeline's call.

    Returns:
        A record for each pair: {"id", "finding", "body", "probability", "after_edit", "measures": {METHOD: {...}},
        "files"}, or {"id", "skipped": reason}.

    Raises:
        InputError: `out` holds another run, or the classifier has no derivatives.
    """
    claim_folder(out, RUN, {**asdict(settings), "count": total, "call": call}, run="audit")
    for name in (RECORDS, PICTURES):
        (out / name).mkdir(exist_ok=True)
    records = []
    for number, pair in enumerate(pairs):
        path = out / RECORDS / f"{number:06d}.json"
        if not path.is_file():
            write_text(path, json.dumps(_explain(pipeline, scorer, pair, settings, number, out, **call)))
        records.append(json.loads(path.read_text(encoding="utf-8")))
        if progress:
            progress(number + 1, total)
    return records


def _explain(
    pipeline: Any, scorer: Any, pair: TruePair, settings: AttributionSettings, number: int, out: Path, **call: Any
) -> Record:
    name = f"{number:06d}"
    clauses = Instruction.parse(pair.instruction).clauses
    if len(clauses) != 1 or clauses[0].operation is not Operation.ADD:
        return {"id": name, "skipped": "does not add one finding"}
    if clauses[0].finding not in scorer.labels:
        return {"id": name, "skipped": f"{clauses[0].finding} is not a label"}
    target, image = Target(scorer, clauses[0].finding), pair.after[None]
    probability, region = float(target.probability(image)), changed_region(pair.after - pair.before)
    if probability < SEEN or not region.any():
        return {"id": name, "skipped": "the classifier does not see it"}
    found = explain(pipeline, target, image, settings.seed + number, settings.methods, **call)
    measures = {method: measure_map(target, image, map, region) for method, map in found.maps.items()}
    files = _write_pictures(out, name, image, region, found.maps)
    return {
        "id": name,
        "finding": target.finding,
        "body": name if pair.body is None else str(pair.body),
        "probability": probability,
        "after_edit": found.after_edit,
        "measures": measures,
        "files": files,
    }


def measure_map(target: Target, image: torch.Tensor, map: torch.Tensor, region: torch.Tensor) -> dict[str, float]:
    """Measure a map `(1, 1, H, W)` against the true region `(1, H, W)` bool and against the classifier.

    Raises:
        InputError: shapes that differ, or values that are not finite.
    """
    curves = deletion_insertion(target, image, map)
    return {
        "average_precision": average_precision(map[0], region),
        "pointing": pointing(map[0], region),
        "best_iou": best_iou(map[0], region),
        "energy_inside": energy_inside(map[0], region),
        "deletion": curves.deletion_area,
        "insertion": curves.insertion_area,
    }


def _write_pictures(
    out: Path, name: str, image: torch.Tensor, region: torch.Tensor, maps: dict[str, torch.Tensor]
) -> dict[str, str]:
    files = {"before": f"{PICTURES}/{name}.png"}
    notice = synthetic_metadata({"pair": name})
    write_png(out / files["before"], image, 8, notice)
    truth = f"{PICTURES}/{name}-truth.png"
    write_png(out / truth, region.float(), 8, notice)
    for method, map in maps.items():
        file = f"{PICTURES}/{name}-{method.lower().replace(' ', '-')}.png"
        write_png(out / file, map / map.max().clamp_min(1e-12), 8, notice)
        files |= {f"after: {method}": file, f"mask: {method}": truth}
    return files


def explained(records: Iterable[Record]) -> list[Record]:
    """Return the records of pairs that were explained.

    Raises:
        InputError: there is none.
    """
    kept = [record for record in records if "skipped" not in record]
    if not kept:
        raise InputError("`pairs` must hold at least one that adds a finding which the classifier sees, got none.")
    return kept
