"""Instructions in words: written from menus, and explained as they are interpreted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

from ..choices import ANY

# Names in the library's messages, and the names of the same inputs on the page.
PAGE_WORDS = {
    "`prompt`": "`instruction`",
    "`num_inference_steps`": "`steps`",
    "`mask_threshold`": "`threshold`",
    "`relevance_noise_level`": "`noise_level`",
    "`relevance_samples`": "`draws`",
    "`x2x masks show`": "them with Pseudomask and Guidance Preview",
}


def as_page_says(text: str) -> str:
    """Return a message of the library with the names of the nodes' inputs."""
    for word, shown in PAGE_WORDS.items():
        text = text.replace(word, shown)
    return text


@contextmanager
def page_words() -> Iterator[None]:
    """Translate the library's errors to the names of the nodes' inputs.

    Raises:
        InputError: the library's, with the names on the page.
    """
    try:
        yield
    except ValueError as error:
        message = as_page_says(str(error))
        if message == str(error):
            raise
        raise InputError(message) from error


def make_clause(operation: str, finding: str, level: str, level_to: str, side: str, zone: str) -> str:
    """Write a sentence from the choices in the menus.

    Raises:
        InputError: a change without a new level, or a word that the vocabulary lacks.
    """
    start, end, place, part = (None if choice == ANY else choice for choice in (level, level_to, side, zone))
    if finding in FINDINGS and not FINDINGS[finding].lateral:
        place = None
    if operation != Operation.CHANGE:
        clause = Clause(Operation(operation), finding, place, part, level=start)
    elif end in (None, start):
        raise InputError(f"`level_to` must be set for a change and differ from `level`, got {level_to!r}.")
    else:
        clause = Clause(Operation.CHANGE, finding, place, part, level=end, level_from=start)
    return str(Instruction((clause,)))


def unused(operation: str, finding: str, level_to: str, side: str) -> list[str]:
    """Return a message for each choice that the clause does not use."""
    notes = []
    if operation != Operation.CHANGE and level_to != ANY:
        notes.append(f"`level_to` is not used: {operation} has no second level.")
    if finding in FINDINGS and not FINDINGS[finding].lateral and side != ANY:
        notes.append(f"`side` is not used: {finding} has no side.")
    return notes


def explain(text: str) -> str:
    """Return the interpretation of a text, one fact per line.

    Words that were not understood are listed. Whether they stop an edit depends on where it is made: a connected
    guidance mask needs no vocabulary.

    Raises:
        InputError: an empty or contradictory text.
    """
    with page_words():
        return explain_instruction(Instruction.parse(text, strict=False))


def explain_instruction(instruction: Instruction) -> str:
    """Return what was understood, one fact per line, without the text itself: the page shows it."""
    return str(replace(instruction.explain(), text=""))
