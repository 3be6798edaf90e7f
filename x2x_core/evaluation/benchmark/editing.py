"""Edits of a batch of pairs in one way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from x2x_core.language.instruction import Instruction

from . import diffedit
from .measures import Scores, score_row
from .pairs import EditedPair, TruePair
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
        The edits, and for each its scores by key (see `x2x_core.evaluation.benchmark.measures`) with "seconds", the
        processor time of an edit, 0 for references.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: an instruction names no known finding.
    """
    started = time.process_time()
    edits = edit_row(pipeline, row, [one.pair for one in planned], [one.seed for one in planned])
    seconds = 0.0 if row.reference else (time.process_time() - started) / len(planned)
    scores: list[Scores] = score_row(row, planned, edits)
    return edits, [{**score, "seconds": seconds} for score in scores]


def edit_row(pipeline, row: Row, pairs: Sequence[TruePair], seeds: Sequence[int]) -> list[EditedPair]:
    """Edit a batch of pairs in one way, each with its seed."""
    if row.reference is not None:
        return [_reference_edit(pair, row.reference) for pair in pairs]
    height, width = pairs[0].before.shape[-2:]
    call = row.call([Instruction.parse(pair.instruction) for pair in pairs], (height, width))
    if not row.diffedit:
        return edit_pairs(pipeline, pairs, seeds, **call)
    images = torch.stack([pair.before for pair in pairs])
    maps, masks = diffedit.find_mask(pipeline, images, [pair.instruction for pair in pairs], seeds)
    edits = edit_pairs(pipeline, pairs, seeds, **call, guidance_mask=masks)
    return [replace(edit, guidance_map=found) for edit, found in zip(edits, maps)]


def _reference_edit(pair: TruePair, name: str) -> EditedPair:
    """Return one of the pair's own images as an edit with an empty mask and map."""
    empty = torch.zeros_like(pair.before)
    return EditedPair(getattr(pair, name), empty.bool(), empty)


def edit_pairs(pipeline, pairs: Sequence[TruePair], seed: int | Sequence[int], **call: Any) -> list[EditedPair]:
    """Edit pairs as one batch.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: pairs of one size.
        seed: the n-th pair is edited with `seed + n`, or with the n-th of several seeds.
        call: arguments of the pipeline's call.
    """
    seeds = [seed + n for n in range(len(pairs))] if isinstance(seed, int) else seed
    generators = [torch.Generator().manual_seed(number) for number in seeds]
    images, prompts = torch.stack([pair.before for pair in pairs]), [pair.instruction for pair in pairs]
    output = pipeline(images, prompts, generator=generators, output_type="pt", **call)
    edited = _to_grey(output.images.cpu().float())
    return [EditedPair(*parts) for parts in zip(edited, output.guidance_mask.cpu(), output.guidance_map.cpu())]


def _to_grey(images: torch.Tensor) -> torch.Tensor:
    """Average the channels of `(B, C, H, W)` to `(B, 1, H, W)`; pixels with equal channels keep their exact value."""
    first, mean = images[:, :1], images.mean(1, keepdim=True)
    return torch.where((images == first).all(dim=1, keepdim=True), first, mean)
