"""Auditing a classifier: the same patient with and without a finding, and what the classifier says of both.

Each image is edited for each finding: it is added weak, moderate and strong, and removed, all with one seed. The
classifier scores the image and every edit. What is kept of an image is one record::

    {"image": name, "scores": {label: score},
     "edits": [{"finding", "operation", "level", "instruction", "scores", "changed_share", "file", "guidance"}]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.storage import write_text
from x2x_core.evaluation.run_folder import claim
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.kinds import DICOM_SUFFIXES, PICTURE_SUFFIXES, is_radiograph_file
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.scorers.scorer import PROBABILITY, ImageScorer, score_images

LEVELS = ("mild", "moderate", "severe")
SIZES = ("small", "moderate", "large")  # of the findings that are collections of fluid or air
_SIZED = frozenset({"pleural effusion", "pneumothorax"})
RECORDS, PICTURES, RUN = "records", "pictures", "audit_run.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AuditSettings:
    """What decides the numbers of an audit."""

    classifier: str  # its name
    findings: tuple[str, ...]
    model: str = "demo"
    side: str | None = None  # of findings that have one: "left", "right" or "bilateral"
    seed: int = 0


def levels_of(finding: str) -> tuple[str, str, str]:
    """Weak, moderate and strong, as the finding is graded."""
    return SIZES if finding in _SIZED else LEVELS


def check_findings(findings: Sequence[str], scorer: ImageScorer) -> tuple[str, ...]:
    """Findings that can be edited and that the classifier scores, by their canonical names.

    Raises:
        InputError: none, one that is unknown, or one that the classifier has no label for; or no probabilities.
    """
    from x2x_core.language.vocabulary import find_finding

    if scorer.kind != PROBABILITY:
        raise InputError(
            f"`--classifier` must give probabilities, but {scorer.name!r} gives each label a {scorer.kind}."
        )
    if not findings:
        raise InputError("`--findings` must name at least one finding, got none.")
    found = []
    for name in findings:
        finding = find_finding(name.strip())
        if finding is None:
            raise InputError(f"`--findings` must be known ones ({', '.join(FINDINGS)}), got {name!r}.")
        if finding.name not in scorer.labels:
            raise InputError(
                f"`--findings` must be labels of {scorer.name!r} ({', '.join(scorer.labels)}), got {name!r}."
            )
        found.append(finding.name)
    return tuple(dict.fromkeys(found))


def clauses_of(finding: str, side: str | None = None) -> tuple[Clause, ...]:
    """What is asked of each image for a finding: added weak, moderate and strong; removed."""
    added = (Clause(Operation.ADD, finding, side, level=level) for level in levels_of(finding))
    return (*added, Clause(Operation.REMOVE, finding, side))


def find_images(places: Sequence[Path]) -> list[Path]:
    """The image files among files and in folders, in order.

    Raises:
        InputNotFoundError: a place that is not there.
        InputError: no images.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise InputNotFoundError(f"There is no image or folder `{place}`.")
        found += sorted(one for one in place.iterdir() if is_radiograph_file(one)) if place.is_dir() else [place]
    if not found:
        suffixes = ", ".join((*PICTURE_SUFFIXES, *DICOM_SUFFIXES))
        raise InputError(f"`IMAGES` must be image files or folders of them ({suffixes}), got none.")
    return found


def audit_images(
    pipeline,
    scorer: ImageScorer,
    images: Sequence[Path],
    settings: AuditSettings,
    out: Path,
    progress: Progress | None = None,
    **call: Any,
) -> list[dict[str, Any]]:
    """Edit and score every image, in a folder; a run that was stopped goes on where it was.

    Args:
        pipeline: an `InstructX2XPipeline`.
        scorer: the classifier.
        images: files.
        settings: what to ask.
        out: the run's folder; it is made.
        progress: called with the images done and in all.
        call: arguments of the pipeline's call.

    Returns:
        A record for each image, see the head of this module.

    Raises:
        InputError: another audit lies in `out`.
    """
    claim(out, RUN, {**asdict(settings), "images": [str(one) for one in images], "call": call}, run="audit")
    for folder in (RECORDS, PICTURES):
        (out / folder).mkdir(exist_ok=True)
    records = []
    for number, path in enumerate(images):
        place = out / RECORDS / f"{number:06d}.json"
        if not place.is_file():
            record = _audit_image(pipeline, scorer, path, number, settings, out, call)
            write_text(place, json.dumps(record))
        records.append(json.loads(place.read_text(encoding="utf-8")))
        if progress:
            progress(number + 1, len(images))
    return records


def _audit_image(pipeline, scorer, path: Path, number: int, settings: AuditSettings, out: Path, call) -> dict[str, Any]:
    before = read_image(path).pixels.mean(1, keepdim=True).float()
    write_png(out / PICTURES / f"{number:06d}.png", before, 8)
    edits = [
        edit
        for finding in settings.findings
        for edit in _edits(pipeline, scorer, before, finding, number, settings, out, call)
    ]
    return {
        "image": str(path),
        "file": f"{PICTURES}/{number:06d}.png",
        "scores": _named(scorer, before)[0],
        "edits": edits,
    }


def _edits(
    pipeline, scorer, before, finding: str, number: int, settings: AuditSettings, out: Path, call
) -> Iterator[dict]:
    """The edits of one image for one finding, scored and written."""
    clauses = clauses_of(finding, settings.side)
    prompts = [str(Instruction(clauses=(clause,))) for clause in clauses]
    generators = [torch.Generator().manual_seed(settings.seed + number) for _ in prompts]
    images = before.expand(len(prompts), -1, -1, -1)
    result = pipeline(images, prompts, generator=generators, output_type="pt", **call)
    edited = result.images.cpu().float().mean(1, keepdim=True).clamp(0, 1)
    maps = result.guidance_map.cpu()
    for clause, prompt, image, guidance, scores in zip(clauses, prompts, edited, maps, _named(scorer, edited)):
        name = f"{number:06d}-{finding.replace(' ', '-')}-{clause.operation.value}-{clause.level or 'all'}"
        notice = synthetic_metadata({"instruction": prompt, "seed": settings.seed + number})
        write_png(out / PICTURES / f"{name}.png", image, 8, notice)
        write_png(out / PICTURES / f"{name}-guidance.png", guidance, 8, notice)
        yield {
            "finding": finding,
            "operation": clause.operation.value,
            "level": clause.level,
            "instruction": prompt,
            "scores": scores,
            "changed_share": float((image != before[0]).float().mean()),
            "file": f"{PICTURES}/{name}.png",
            "guidance": f"{PICTURES}/{name}-guidance.png",
        }


def _named(scorer: ImageScorer, images: torch.Tensor) -> list[dict[str, float]]:
    return [dict(zip(scorer.labels, scores.tolist())) for scores in score_images(scorer, images)]
