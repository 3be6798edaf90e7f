"""Edits for X2XCandidates: several seeds of each image, a verifier, the best with the scores of all."""

from __future__ import annotations

import json
from dataclasses import dataclass

import torch

from x2x_core.candidates import Candidates, Verifier, edit_candidates
from x2x_core.common.errors import InputError
from x2x_core.common.notes import Notes
from x2x_core.guidance.cfg import BRANCHES

from ..choices import CANDIDATE_SCORERS
from .checkpoints import LoadedPipeline
from .editing import as_asked, call_arguments, check_edit, unet_calls
from .more_settings import MoreSettings
from .progress import Watch, as_preview
from .sentences import as_page_says, explain_instruction, page_words
from .settings import EditWidgets


@dataclass(frozen=True)
class BestEdits:
    """The best edit of each of B images, and all N edits of each: pictures `(..., C, H, W)` on the CPU in [0, 1]."""

    edited: torch.Tensor  # (B, C, H, W)
    mask: torch.Tensor  # (B, 1, H, W)
    every: torch.Tensor  # (B * N, C, H, W), image by image, each image's best first
    scores: str  # JSON
    info: str


def edit_best(
    loaded: LoadedPipeline,
    image: torch.Tensor,
    text: str,
    widgets: EditWidgets,
    candidates: tuple[int, str],
    guidance_mask: torch.Tensor | None = None,
    more: MoreSettings | None = None,
) -> BestEdits:
    """Edit each image of a batch with several seeds, and choose its best edit.

    Args:
        loaded: the checkpoint.
        image: IMAGE.
        text: the instruction.
        widgets: of X2XEdit; the seed is that of the first candidate.
        candidates: number of seeds, and what judges them.
        guidance_mask: MASK where the image may change; ``None``: the pipeline finds it.
        more: settings of X2XSettings.

    Raises:
        InputError: invalid inputs; the message names the input.
    """
    count, scorer = candidates
    with Notes() as notes:
        job = check_edit(loaded, image, text, widgets, guidance_mask, more or MoreSettings())
    verifier = _verifier(scorer)
    pipe = loaded.ready(BRANCHES * count)
    calls = len(job.pixels) * unet_calls(job.settings, count, job.masked)
    found: list[Candidates] = []
    with page_words(), as_asked(pipe, widgets.solver, job.atlas), Watch(pipe, calls) as watch, notes:
        for number in range(len(job.pixels)):
            arguments = call_arguments(pipe, job, slice(number, number + 1), watch)
            found.append(edit_candidates(pipe, num_candidates=count, seed=widgets.seed, verifier=verifier, **arguments))
            watch.show(as_preview(_tensors(found[-1])[0][found[-1].best.number]))
    edits = [_tensors(own) for own in found]
    best = [own.best.number for own in found]
    return BestEdits(
        edited=torch.stack([images[number] for (images, _), number in zip(edits, best)]),
        mask=torch.stack([masks[number] for (_, masks), number in zip(edits, best)]),
        every=torch.cat([images[[one.number for one in own.ranked]] for (images, _), own in zip(edits, found)]),
        scores=json.dumps({"scorer": scorer, "images": [own.as_dict() for own in found]}, indent=1),
        info=_describe(found, loaded.name, notes.lines),
    )


def _tensors(found: Candidates) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures `(N, C, H, W)` and masks `(N, 1, H, W)` of the candidates, on the CPU."""
    images, masks = found.output.images, found.output.guidance_mask
    assert isinstance(images, torch.Tensor) and masks is not None
    return images.detach().cpu().float(), masks.cpu().float()


def _verifier(scorer: str) -> Verifier:
    if scorer not in CANDIDATE_SCORERS:
        raise InputError(f"`scorer` must be one of {', '.join(CANDIDATE_SCORERS)}, got {scorer!r}.")
    if scorer == CANDIDATE_SCORERS[0]:
        return Verifier()
    from x2x_core.scorers.bundled import finding_scorer

    return Verifier(findings=finding_scorer())


def _describe(found: list[Candidates], checkpoint: str, warnings: list[str]) -> str:
    """Return the report: for each image its candidates from the best, with what speaks against each."""
    instructions = found[0].output.instructions
    lines = [explain_instruction(instructions[0])] if instructions else []
    for number, own in enumerate(found):
        passed = sum(candidate.verdict.passed for candidate in own.all)
        lines.append(f"Image {number}: seed {own.best.seed} is the best, {passed} of {len(own.all)} passed.")
        if not passed:
            lines.append("No candidate passed: this is the one with the fewest reasons against it.")
        lines.append(own.best.change.sentence())
    lines += [f"Warning: {as_page_says(line)}" for line in warnings]
    lines.append("Synthetic, for research. Not for diagnosis.")
    for number, own in enumerate(found):
        for candidate in own.ranked:
            reasons = " ".join(candidate.verdict.reasons) or "passed"
            lines.append(f"Image {number}, seed {candidate.seed}, {candidate.verdict.scores.total:.2f}: {reasons}")
    return "\n".join([*lines, f"Checkpoint {checkpoint}."])
