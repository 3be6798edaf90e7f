"""An audit's edits, scored by the classifier.

Each image is edited for each finding: the finding is added weak, moderate and strong, and removed, all with one seed.
The classifier scores the image and every edit. An image gives one record::

    {"image": path, "file": its copy, "scores": {label: score},
     "edits": [{"finding", "operation", "level", "instruction", "scores", "changed_share", "file", "guidance"}]}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.run_folder import claim_folder
from x2x_core.common.storage import write_text
from x2x_core.edit.prepared import PreparedImage
from x2x_core.evaluation.progress import Progress
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.language.instruction import Instruction
from x2x_core.scorers.scorer import ImageScorer, score_images

from .plan import AuditSettings, clauses_of

RECORDS, PICTURES, RUN = "records", "pictures", "audit_run.json"


@dataclass(frozen=True)
class _Auditor:
    """Pipeline, scorer and settings shared by all images of an audit."""

    pipeline: Any
    scorer: ImageScorer
    settings: AuditSettings
    out: Path
    call: dict[str, Any]

    def audit_image(self, path: Path, number: int) -> dict[str, Any]:
        """Edit and score one image, write its pictures, and return its record."""
        before = read_image(path).pixels.mean(1, keepdim=True).float()
        write_png(self.out / PICTURES / f"{number:06d}.png", before, 8)
        prepared = self.pipeline.prepare(before, reference=self.call.get("reference", False))
        edits = [edit for finding in self.settings.findings for edit in self._edits(before, prepared, finding, number)]
        return {
            "image": str(path),
            "file": f"{PICTURES}/{number:06d}.png",
            "scores": self._scores(before)[0],
            "edits": edits,
        }

    def _edits(
        self, before: torch.Tensor, prepared: PreparedImage, finding: str, number: int
    ) -> Iterator[dict[str, Any]]:
        """Edit an image for one finding; write and score the edits."""
        clauses = clauses_of(finding, self.settings.side)
        prompts = [str(Instruction(clauses=(clause,))) for clause in clauses]
        seed = self.settings.seed + number
        generators = [torch.Generator().manual_seed(seed) for _ in prompts]
        output = self.pipeline(prepared, prompts, generator=generators, output_type="pt", **self.call)
        edited = output.images.cpu().float().mean(1, keepdim=True).clamp(0, 1)
        maps, scores = output.guidance_map.cpu(), self._scores(edited)
        for clause, prompt, image, guidance, of_edit in zip(clauses, prompts, edited, maps, scores):
            name = f"{number:06d}-{finding.replace(' ', '-')}-{clause.operation.value}-{clause.level or 'all'}"
            notice = synthetic_metadata({"instruction": prompt, "seed": seed})
            write_png(self.out / PICTURES / f"{name}.png", image, 8, notice)
            write_png(self.out / PICTURES / f"{name}-guidance.png", guidance, 8, notice)
            yield {
                "finding": finding,
                "operation": clause.operation.value,
                "level": clause.level,
                "instruction": prompt,
                "scores": of_edit,
                "changed_share": float((image != before[0]).float().mean()),
                "file": f"{PICTURES}/{name}.png",
                "guidance": f"{PICTURES}/{name}-guidance.png",
            }

    def _scores(self, images: torch.Tensor) -> list[dict[str, float]]:
        return [dict(zip(self.scorer.labels, scores.tolist())) for scores in score_images(self.scorer, images)]


def audit_images(
    pipeline,
    scorer: ImageScorer,
    images: Sequence[Path],
    settings: AuditSettings,
    out: Path,
    progress: Progress | None = None,
    **call: Any,
) -> list[dict[str, Any]]:
    """Edit and score every image in a folder, or continue a run that was stopped.

    Args:
        pipeline: an `InstructX2XPipeline`.
        scorer: the classifier.
        images: files; the n-th is edited with `settings.seed + n`.
        settings: findings, side, seed.
        out: the run's folder; it is made.
        progress: called with the images done and in all.
        call: arguments of the pipeline's call.

    Returns:
        A record for each image, see the top of this module.

    Raises:
        InputError: `out` holds another audit.
    """
    claim_folder(out, RUN, {**asdict(settings), "images": [str(path) for path in images], "call": call}, run="audit")
    for folder in (RECORDS, PICTURES):
        (out / folder).mkdir(exist_ok=True)
    auditor = _Auditor(pipeline, scorer, settings, out, call)
    records = []
    for number, path in enumerate(images):
        record_path = out / RECORDS / f"{number:06d}.json"
        if not record_path.is_file():
            write_text(record_path, json.dumps(auditor.audit_image(path, number)))
        records.append(json.loads(record_path.read_text(encoding="utf-8")))
        if progress:
            progress(number + 1, len(images))
    return records
