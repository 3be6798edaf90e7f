"""Instructions in words: written from menus, and explained as they are understood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

from ..instruction import OPEN

# The library's words, and what the page calls the same.
PAGE_WORDS = {
    "`prompt`": "`instruction`",
    "`num_inference_steps`": "`steps`",
    "`mask_threshold`": "`threshold`",
    "`relevance_noise_level`": "`noise_level`",
    "`relevance_samples`": "`draws`",
    "`x2x masks show`": "them with Pseudomask and Guidance Preview",
}


def as_page_says(text: str) -> str:
    """A message of the library in the words of the nodes' sockets."""
    for word, shown in PAGE_WORDS.items():
        text = text.replace(word, shown)
    return text


@contextmanager
def page_words() -> Iterator[None]:
    """Refusals of the library inside of it name the nodes' inputs.

    Raises:
        InputError: the library's, in the page's words.
    """
    try:
        yield
    except ValueError as error:
        told = as_page_says(str(error))
        if told == str(error):
            raise
        raise InputError(told) from error


def make_clause(operation: str, finding: str, level: str, level_to: str, side: str, zone: str) -> str:
    """One sentence of the instruction language from the menus' choices.

    Raises:
        InputError: a change that does not say to what, or a word that the language lacks.
    """
    start, end, side, zone = (None if choice == OPEN else choice for choice in (level, level_to, side, zone))
    if finding in FINDINGS and not FINDINGS[finding].lateral:
        side = None
    if operation != Operation.CHANGE:
        return str(Instruction((Clause(operation, finding, side, zone, level=start),)))
    if end in (None, start):
        raise InputError(f"`level_to` must be chosen for a change, another one than `level`, got {level_to!r}.")
    return str(Instruction((Clause(operation, finding, side, zone, level=end, level_from=start),)))


def unused(operation: str, finding: str, level_to: str, side: str) -> list[str]:
    """A sentence for each choice that the clause has no place for."""
    notes = []
    if operation != Operation.CHANGE and level_to != OPEN:
        notes.append(f"`level_to` is left out: {operation} has no second level.")
    if finding in FINDINGS and not FINDINGS[finding].lateral and side != OPEN:
        notes.append(f"`side` is left out: {finding} has none.")
    return notes


def explain(text: str) -> str:
    """What an instruction is read as, a line for each clause.

    Raises:
        InputError: an empty or contradictory instruction.
    """
    with page_words():
        instruction = Instruction.parse(text)
    lines = [_explain_clause(clause) for clause in instruction.clauses]
    if not lines:
        lines = [f"Free text that names no finding to edit: the whole {instruction.region} is the region."]
    if instruction.unplaced:
        lines.append(f"Not understood: {', '.join(instruction.unplaced)}.")
    return "\n".join(lines)


def _explain_clause(clause: Clause) -> str:
    level = clause.level
    if clause.operation is Operation.CHANGE:
        level = f"from {clause.level_from} to {clause.level}" if clause.level_from else f"to {clause.level}"
    zone = f"{clause.zone} zone" if clause.zone else None
    parts = [part for part in (clause.finding, level, clause.side, zone) if part]
    return f"{clause.operation.value}: {', '.join(parts)}"
