"""Length of prompts: what a text encoder would not read is refused, never cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.language.instruction import Instruction
from x2x_core.language.writing import write_clauses


def check_lengths(tokenizer: Any, wordings: Sequence[str], instructions: Sequence[Instruction]) -> None:
    """Check that the text encoder reads each prompt as a whole.

    Args:
        tokenizer: of the checkpoint, or None.
        wordings: the texts that are encoded.
        instructions: of each text.

    Raises:
        InputError: a text with more tokens than the text encoder reads; the message names the clauses that it would
            cut.
    """
    limit = getattr(tokenizer, "model_max_length", None)
    if limit is None:
        return
    for wording, instruction in zip(wordings, instructions, strict=True):
        count = _count(tokenizer, wording)
        if count > limit:
            cut = _cut_clauses(tokenizer, wording, instruction, limit)
            raise InputError(
                f"`prompt` must have at most {limit} tokens, which this model's text encoder reads, got {count}: "
                f"{cut} would be cut. Ask for less at once, and edit the result again."
            )


def fits(tokenizer: Any, wording: str) -> bool:
    """Return True if the text encoder reads a text as a whole."""
    limit = getattr(tokenizer, "model_max_length", None)
    return limit is None or _count(tokenizer, wording) <= limit


def _count(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, truncation=False, verbose=False).input_ids)


def _cut_clauses(tokenizer: Any, wording: str, instruction: Instruction, limit: int) -> str:
    """Return the clauses behind the limit, or the end of a text that is not the canonical one."""
    clauses = instruction.clauses
    if clauses and wording == write_clauses(clauses, "v2"):
        whole = (_count(tokenizer, write_clauses(clauses[: n + 1], "v2")) <= limit for n in range(len(clauses)))
        return ", ".join(
            f"{clause.operation.value} {clause.item()}" for clause, fits in zip(clauses, whole) if not fits
        )
    ids = tokenizer(wording, truncation=False, verbose=False).input_ids
    return repr(tokenizer.decode(ids[limit - 1 : -1]).strip())
