"""Edits of a batch of pairs in one way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from x2x_core.edit.outputs import InstructX2XPipelineOutput
from x2x_core.evaluation.metrics.undo import undo
from x2x_core.imaging.changed import grown
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction

from . import diffedit, radedit
from .measures import Scores, score_row
from .pairs import EditedPair, TruePair, true_region
from .plan import PlannedPair
from .rows import Row


def edit_and_score(
    pipeline, row: Row, planned: Sequence[PlannedPair]
) -> tuple[list[EditedPair], list[dict[str, float | None]]]:
    """Edit pairs in one way and measure the edits.

    Args:
        pipeline: an `InstructX2XPipeline`.
        row: the way to edit.
        planned: pairs of one size; those of a triple must be complete and in order.

    Returns:
        The edits, and for each its scores by key (see `x2x_core.evaluation.benchmark.measures`) with "undo" (see
        `undo_edits`), "seconds" and "waited", the processor time and the time of an edit, 0 for references.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: an instruction names no known finding.
    """
    pairs, seeds = [item.pair for item in planned], [item.seed for item in planned]
    started, began = time.process_time(), time.perf_counter()
    edits = edit_row(pipeline, row, pairs, seeds)
    seconds = 0.0 if row.reference else (time.process_time() - started) / len(planned)
    waited = 0.0 if row.reference else (time.perf_counter() - began) / len(planned)
    scores: list[Scores] = score_row(row, planned, edits)
    left = undo_edits(pipeline, row, pairs, seeds, edits) if row.undo else [None] * len(pairs)
    return edits, [{**score, "undo": rest, "seconds": seconds, "waited": waited} for score, rest in zip(scores, left)]


def edit_row(pipeline, row: Row, pairs: Sequence[TruePair], seeds: Sequence[int]) -> list[EditedPair]:
    """Edit a batch of pairs in one way, each with its seed."""
    if row.reference is not None:
        return [_reference_edit(pair, row.reference) for pair in pairs]
    height, width = pairs[0].before.shape[-2:]
    call = row.call([Instruction.parse(pair.instruction) for pair in pairs], (height, width))
    if row.given_truth:
        truths = torch.stack([true_region(pair.after - pair.before) for pair in pairs])
        return edit_pairs(pipeline, pairs, seeds, **call, guidance_mask=truths)
    if row.radedit:
        return _radedit_pairs(pipeline, pairs, seeds, **call)
    if not row.diffedit:
        return edit_pairs(pipeline, pairs, seeds, **call)
    images = torch.stack([pair.before for pair in pairs])
    maps, masks = diffedit.find_mask(pipeline, images, [pair.instruction for pair in pairs], seeds)
    edits = edit_pairs(pipeline, pairs, seeds, **call, guidance_mask=masks)
    return [replace(edit, guidance_map=found) for edit, found in zip(edits, maps)]


def undo_edits(
    pipeline, row: Row, pairs: Sequence[TruePair], seeds: Sequence[int], edits: Sequence[EditedPair]
) -> list[float | None]:
    """Take additions back, each with the seed that it was made with, and measure what is left of them.

    Returns:
        `undo` inside the first edit's mask for each pair whose instruction only adds; ``None`` for the others.
    """
    removals = {number: text for number, pair in enumerate(pairs) if (text := _removal(pair.instruction))}
    again = [TruePair(edits[number].image, pairs[number].before, text) for number, text in removals.items()]
    left: list[float | None] = [None] * len(pairs)
    if not again:
        return left
    undone = edit_row(pipeline, row, again, [seeds[number] for number in removals])
    for number, edit in zip(removals, undone):
        left[number] = undo(pairs[number].before, edits[number].image, edit.image, edits[number].mask)
    return left


def _removal(text: str) -> str | None:
    """Return the instruction that takes an addition back; ``None`` for other instructions."""
    clauses = Instruction.parse(text).clauses
    if not clauses or any(clause.operation is not Operation.ADD for clause in clauses):
        return None
    return str(Instruction(clauses=tuple(replace(clause, operation=Operation.REMOVE) for clause in clauses)))


def _reference_edit(pair: TruePair, name: str) -> EditedPair:
    """Return one of the pair's own images as an edit with an empty mask and map."""
    empty = torch.zeros_like(pair.before)
    return EditedPair(getattr(pair, name), empty.bool(), empty)


def edit_pairs(pipeline, pairs: Sequence[TruePair], seed: int | Sequence[int], **call: Any) -> list[EditedPair]:
    """Edit pairs as one batch.

    A place that an instruction leaves open is not drawn unless `call` says so: a sharp lesion in another plausible
    place is further from the truth of the pair than a faint one over all places, and none of the two is wrong.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: pairs of one size.
        seed: the n-th pair is edited with `seed + n`, or with the n-th of several seeds.
        call: arguments of the pipeline's call.
    """
    seeds = [seed + n for n in range(len(pairs))] if isinstance(seed, int) else seed
    return _edited_pairs(pipeline(*_pictures(pairs), **_drawn(seeds), **{"draw_place": False, **call}))


def _radedit_pairs(
    pipeline, pairs: Sequence[TruePair], seeds: Sequence[int], edit_mask: torch.Tensor, **call: Any
) -> list[EditedPair]:
    """Edit pairs in RadEdit's way, kept beyond a band around the edit masks `(B, 1, H, W)` bool."""
    keep = ~grown(edit_mask, radedit.BAND)
    images, prompts = _pictures(pairs)
    output = radedit.radedit(pipeline, images, prompts, **_drawn(seeds), edit_mask=edit_mask, keep_mask=keep, **call)
    return _edited_pairs(output)


def _pictures(pairs: Sequence[TruePair]) -> tuple[torch.Tensor, list[str]]:
    """Return the images of pairs, `(B, C, H, W)`, and their instructions."""
    return torch.stack([pair.before for pair in pairs]), [pair.instruction for pair in pairs]


def _drawn(seeds: Sequence[int]) -> dict[str, Any]:
    """Return the arguments of a call whose edits have these seeds and are returned as tensors."""
    return {"generator": [torch.Generator().manual_seed(seed) for seed in seeds], "output_type": "pt"}


def _edited_pairs(output: InstructX2XPipelineOutput) -> list[EditedPair]:
    """Return the edits of a call whose pictures are tensors."""
    assert isinstance(output.images, torch.Tensor)
    assert output.guidance_mask is not None and output.guidance_map is not None
    edited = _to_grey(output.images.cpu().float())
    return [EditedPair(*parts) for parts in zip(edited, output.guidance_mask.cpu(), output.guidance_map.cpu())]


def _to_grey(images: torch.Tensor) -> torch.Tensor:
    """Average the channels of `(B, C, H, W)` to `(B, 1, H, W)`; pixels with equal channels keep their exact value."""
    first, mean = images[:, :1], images.mean(1, keepdim=True)
    return torch.where((images == first).all(dim=1, keepdim=True), first, mean)
