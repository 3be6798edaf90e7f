"""A run over the cases of a benchmark: edits, measures, record; a run that was stopped continues.

Layout of the folder::

    run.json          settings that decide the results
    edited/ID.png     edits
    cases/ID.json     the measures of each case, or the reason why it could not be edited
    evaluation.json   the record; evaluation.csv
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.run_folder import claim_folder
from x2x_core.common.storage import write_bytes
from x2x_core.edit.attention.layers import attention_levels
from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.estimates import as_values, estimates
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED, Case, Metrics, ResultRow, Results
from x2x_core.imaging.files import encode_png, read_image, to_values
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.provenance import SYNTHETIC_NOTICE, synthetic_metadata
from x2x_core.scorers.image_text import ImageTextScorer

from .cases import BenchCase
from .measures import MEASURES, CasePictures, measure_case

RUN, RECORD, TABLE = "run.json", "evaluation.json", "evaluation.csv"
ROWS = (EDITED, UNEDITED, TARGET)
_EDITED, _CASES = "edited", "cases"
_LONGEST_NAME = 60  # letters of a case's name in those of its files


@dataclass(frozen=True)
class BenchSettings:
    """Settings that decide the results.

    Args:
        name: of the benchmark.
        seed: the n-th case is edited with `seed + n`.
        call: arguments of the pipeline's call.
        about: further settings (model, hash of the weights), recorded and compared.
    """

    name: str
    seed: int = 0
    call: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


def run_bench(
    pipeline: Any,
    cases: Sequence[BenchCase],
    out: str | Path,
    settings: BenchSettings,
    image_text: ImageTextScorer | None = None,
    progress: Progress | None = None,
) -> Results:
    """Edit and measure every case, and write the record.

    Args:
        pipeline: an `InstructX2XPipeline` or `X2XEdit`.
        cases: of the benchmark, whose files exist.
        out: the run's folder.
        settings: seed, arguments of the call, and what else decides the results.
        image_text: compares images with texts; ``None``: that measure is undefined.
        progress: called with the cases done and in all.

    Raises:
        InputError: `out` holds another run, or no case could be edited.
        MissingExtraError: torchmetrics is not installed.
    """
    out = Path(out)
    texts = [f"{case.id}\0{case.instruction}\0{case.before.name}" for case in cases]
    record = {
        "bench": settings.name, "cases": len(cases), "seed": settings.seed, "call": dict(settings.call),
        "sha256": hashlib.sha256("\0".join(texts).encode()).hexdigest(),
        "image_text": image_text.name if image_text else None, **settings.about,
    }  # fmt: skip
    claim_folder(out, RUN, record, conflict=f"holds one of other settings ({RUN})")
    done = []
    for number, case in enumerate(cases):
        name = _file(number, case)
        path = out / _CASES / f"{name}.json"
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            picture = out / _EDITED / f"{name}.png"
            found = _try_case(pipeline, case, picture, settings, settings.seed + number, image_text)
            write_bytes(path, (json.dumps(found) + "\n").encode())
        done.append(json.loads(path.read_text(encoding="utf-8")))
        if progress:
            progress(number + 1, len(cases))
    results = _results(cases, done, settings, record)
    results.write_json(out / RECORD)
    results.write_csv(out / TABLE)
    return results


def _file(number: int, case: BenchCase) -> str:
    """Return the name of a case's files: its number, which no other case has, and its own name as far as it can be."""
    letters = (letter if letter.isalnum() or letter in "-_." else "_" for letter in case.id[:_LONGEST_NAME])
    return f"{number:06d}-{''.join(letters)}"


def _try_case(
    pipeline: Any,
    case: BenchCase,
    picture: Path,
    settings: BenchSettings,
    seed: int,
    image_text: ImageTextScorer | None,
) -> dict[str, Any]:
    """Return the measures of a case by row, or the reason why it could not be edited."""
    before = _read(case.before)
    pictures = CasePictures.of(
        before, _read(case.target, before), None if case.mask is None else _read(case.mask, before).mean(0, True),
        case.painted,
    )  # fmt: skip
    try:
        output = pipeline(before[None], case.instruction, generator=seed, output_type="pt", strict=False,
                          **settings.call)  # fmt: skip
        attention = _attention(pipeline, before, case.instruction, seed)
    except InputError as error:
        return {"error": str(error)}
    edited = output.images[0].detach().cpu().float().expand_as(before)
    notice = synthetic_metadata({"instruction": case.instruction, "seed": seed, **settings.about})
    picture.parent.mkdir(exist_ok=True)
    write_bytes(picture, encode_png(to_values(edited, 8), notice))
    images = {EDITED: edited, UNEDITED: before, TARGET: pictures.target}
    found = {row: measure_case(pictures, image, attention if row == EDITED else None) for row, image in images.items()}
    if image_text is not None:
        for row, image in images.items():
            grey = image.mean(0, keepdim=True)[None].clamp(0, 1)
            found[row]["image_text"] = float(image_text.similarity(grey, [case.caption or case.instruction])[0])
    return {"rows": found}


def _read(path: Path, like: torch.Tensor | None = None) -> torch.Tensor:
    """Read a picture as `(3, H, W)` in [0, 1], resampled to the size of another one."""
    pixels = read_image(path).pixels
    if like is not None:
        pixels = resize(pixels, (like.shape[-2], like.shape[-1]))
    return pixels.expand(-1, 3, -1, -1)[0].clamp(0, 1)


def _attention(pipeline: Any, before: torch.Tensor, instruction: str, seed: int) -> torch.Tensor | None:
    """Return the U-Net's attention to the instruction, `(1, H, W)`; ``None`` for models without cross-attention."""
    unet = getattr(pipeline, "unet", None)
    if unet is None:
        return None
    try:
        attention_levels(unet)
    except InputError:
        return None
    found = pipeline.relevance(before[None], instruction, generator=seed, relevance_source="attention", strict=False)
    return found.relevance_map[0]


def _results(
    cases: Sequence[BenchCase], done: Sequence[Mapping[str, Any]], settings: BenchSettings, record: Mapping[str, Any]
) -> Results:
    edited = [(number, case, found["rows"]) for number, (case, found) in enumerate(zip(cases, done)) if "rows" in found]
    failures = {case.id: found["error"] for case, found in zip(cases, done) if "error" in found}
    if not edited:
        first = next(iter(failures.values()))
        raise InputError(f"`cases` must hold one that can be edited; the first one can't: {first}")
    generator = torch.Generator().manual_seed(settings.seed)
    counts = draw_counts(range(len(edited)), generator)
    groups: dict[str, list[int]] = {}
    for index, (_, case, _) in enumerate(edited):
        groups.setdefault(case.group, []).append(index)
    rows = []
    for name in ROWS:
        scores = [found[name] for _, _, found in edited]
        by_group = {
            group: _estimates([scores[index] for index in members], counts[:, members])
            for group, members in sorted(groups.items())
        }
        rows.append(ResultRow(name, _estimates(scores, counts), by_group))
    about = {
        "title": f"{settings.name}, edited by a model",
        "synthetic": True,
        "notice": SYNTHETIC_NOTICE,
        "size": f"{len(edited)} cases, {len(cases) - len(edited)} that could not be edited",
        "compared": list(ROWS),
        "measures": {measure.key: measure.described() for measure in MEASURES},
        "failures": failures,
        **record,
    }
    shown = tuple(
        Case(case.id, case.instruction, {"after": f"{_EDITED}/{_file(number, case)}.png"}, found)
        for number, case, found in edited
    )
    return Results(about, tuple(rows), shown)


def _estimates(scores: Sequence[Mapping[str, float | None]], counts: torch.Tensor) -> Metrics:
    values = torch.stack([as_values([score.get(measure.key) for score in scores]) for measure in MEASURES])
    found = estimates(values, counts, [measure.statistic for measure in MEASURES])
    return {measure.key: metric for measure, metric in zip(MEASURES, found)}
