"""Instructions from Medical-Diff-VQA's `difference` answers.

Sentences of its generator (Hu et al., *Medical-Diff-VQA*, PhysioNet 2023), in any order and number:

- "the main image has an additional finding of X than the reference image." and "additional findings of X, Y, and Z"
- "the main image is missing the finding of X than the reference image." and "the findings of X, and Y"
- "the level of X has changed from A to B."; A and B are one or several of its level words
- "nothing has changed."

Questions: "what has changed compared to the reference image?" or "what has changed in the <place> area?". The main
image is the later one: its additional findings are to be added to the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.lexicon import ABSENT, Kind, Token
from x2x_core.language.phrases import Spot, join_ranges, spots_of
from x2x_core.language.tokens import read

from .levels import NO_LEVELS, Levels, read_levels, read_transition
from .places import Place, read_places

_THAN = r"(?:than|compared (?:to|with)) (?:in )?the reference image"
_SENTENCES = {
    Operation.ADD: re.compile(rf"the main image has (?:an )?additional findings? of (?P<list>.+?)(?: {_THAN})?"),
    Operation.REMOVE: re.compile(rf"the main image is missing (?:the )?findings? of (?P<list>.+?)(?: {_THAN})?"),
    Operation.CHANGE: re.compile(r"the level of (?P<list>.+?) (?:has|have) changed from (?P<levels>.+)"),
}
_NOTHING = re.compile(r"nothing has changed")
_OPENINGS = re.compile(r"\b(?=(?:the main image|the level of|nothing has)\b)")
_AREA = re.compile(r"what has changed in (?P<area>.+)")
_GENERAL = re.compile(rf"what has changed(?: {_THAN})?")

_LISTED = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.AND, Kind.PREPOSITION)
_SILENT = frozenset((
    "a", "an", "the", "of", "finding", "findings", "lung", "lungs", "zone", "zones", "lobe", "lobes", "field", "fields",
    "side", "sides", "sided", "region", "regions", "area", "areas", "part", "parts", "portion", "portions",
    "hemithorax",
))  # fmt: skip
# Words that the instruction language reads as "and", but that leave open which finding of the list is meant.
_UNDECIDED = frozenset(["or", "nor", "but", "then"])
# The one word that is a finding in Medical-Diff-VQA's library but not in the instruction language.
_LIBRARY_ALONE = {"enlarged": "cardiomegaly"}


class UnreadableAnswer(InputError):  # noqa: N818 - a public name
    """An answer, or its question, is not written in the sentences of Medical-Diff-VQA's generator.

    Attributes:
        text: the answer or question.
        reason: the part that cannot be read, and why.
        name: "answer" or "question".
    """

    def __init__(self, text: object, reason: str, name: str = "answer") -> None:
        self.text, self.reason, self.name = text, reason, name
        super().__init__(f"`{name}` must be written by Medical-Diff-VQA's generator, got {text!r}: {reason}.")

    def __reduce__(self) -> tuple[Any, ...]:  # the error is passed between processes
        return type(self), (self.text, self.reason, self.name)


def instruction_from_difference(answer: str, question: str = "") -> Instruction | None:
    """Read the instruction that leads from the reference (earlier) image to the main (later) one.

    Args:
        answer: a `difference` answer; letter case, spaces and the last full stop do not matter.
        question: its question, which may name the area of a change; empty if it is not known.

    Returns:
        The instruction, whose `str` is its text and whose `unplaced` are the words of the answer that it does not
        contain; ``None`` if nothing changed, or a level changed only in its wording ("from mild to mildly").

    Raises:
        UnreadableAnswer: the answer or the question cannot be read completely; nothing is guessed.
    """
    for name, text in (("answer", answer), ("question", question)):
        if not isinstance(text, str):
            raise UnreadableAnswer(text, f"it is not a string but {type(text).__name__}", name)
    places, unplaced = _area(question)
    clauses: list[Clause] = []
    try:
        for operation, match in list(_sentences(answer)):
            sentence_clauses, rest = _read_sentence(operation, match)
            clauses += sentence_clauses
            unplaced += rest
        clauses = [placed for clause in clauses for placed in at_places(clause, places)]
        return with_text(Instruction(tuple(clauses), unplaced=tuple(unplaced))) if clauses else None
    except UnreadableAnswer:
        raise
    except ValueError as error:
        raise UnreadableAnswer(answer, str(error).rstrip(".")) from error


def with_text(instruction: Instruction) -> Instruction:
    """Return the instruction with its canonical wording as text, as parsing that wording would give it."""
    return Instruction(instruction.clauses, str(instruction), instruction.unplaced)


def at_places(clause: Clause, places: list[Place]) -> list[Clause]:
    """Return the clause at each of several places; unchanged without places, or if it has a place of its own."""
    if not places or clause.side or clause.zone:
        return [clause]
    return [replace(clause, side=place.side or None, zone=place.zone or None) for place in places]


def plain(text: str) -> str:
    """Convert to lower case with single spaces, and strip punctuation at both ends."""
    return " ".join(text.lower().replace("\ufeff", " ").split()).strip(" .?,")


def _area(question: str) -> tuple[list[Place], list[str]]:
    """Read the places of a question's area, and the words for which there is no place."""
    words = plain(question)
    if not words or _GENERAL.fullmatch(words):
        return [], []
    match = _AREA.fullmatch(words)
    if match is None:
        raise UnreadableAnswer(question, "it does not ask what has changed", "question")
    try:
        places, outside = read_places(match["area"])
    except ValueError as error:
        raise UnreadableAnswer(question, f"it asks for an unknown area: {error}", "question") from error
    return places, list(outside)


def _sentences(answer: str) -> Iterator[tuple[Operation, re.Match[str]]]:
    """Yield the sentences of an answer that state a change, each as the match of its pattern."""
    words = plain(answer)
    if not words:
        raise InputError("it is empty")
    sentences = [sentence for sentence in map(plain, _OPENINGS.split(words)) if sentence]
    for sentence in sentences:
        if _NOTHING.fullmatch(sentence):
            if set(sentences) != {sentence}:
                raise InputError("it says both that nothing has changed and that something has")
            return
        matches = ((operation, pattern.fullmatch(sentence)) for operation, pattern in _SENTENCES.items())
        operation, match = next(((op, match) for op, match in matches if match), (None, None))
        if operation is None or match is None:
            raise InputError(f"{sentence!r} is not one of its sentences")
        yield operation, match


def _read_sentence(operation: Operation, sentence: re.Match[str]) -> tuple[list[Clause], list[str]]:
    """Read the clauses of a sentence, and the words that they do not contain."""
    spots = _spots(sentence["list"])
    if operation is Operation.CHANGE:
        return _changes(spots, *read_transition(sentence["levels"]))
    clauses: list[Clause] = []
    unplaced: list[str] = []
    for spot in spots:
        words = " ".join(token.text for token in spot.before + spot.after)
        levels = read_levels(words) if words else NO_LEVELS
        clauses.append(Clause(operation, _finding(spot), spot.side, spot.zone, levels.level))
        unplaced += levels.unplaced
    return clauses, unplaced


def _spots(text: str) -> list[Spot]:
    """Read the findings of a list, separated by commas, "and" or nothing."""
    tokens = join_ranges([_library_name(token) for token in read(text)])
    for token in tokens:
        silent = token.kind is Kind.FILLER and token.text in _SILENT
        if not (silent or token.kind in _LISTED) or token.value == ABSENT or token.text in _UNDECIDED:
            raise InputError(f"{token.text!r} is not a known finding")
    if tokens and tokens[-1].kind is Kind.AND and tokens[-1].text != ",":
        raise InputError(f"the list {text!r} ends too early")
    spots, unplaced = spots_of(tokens)
    if unplaced or not spots or not all(spot.finding for spot in spots):
        raise InputError(f"{text!r} does not say which finding it is about")
    return spots


def _finding(spot: Spot) -> str:
    assert spot.finding is not None  # `_spots` checks it
    return spot.finding


def _library_name(token: Token) -> Token:
    """Read a word as Medical-Diff-VQA's library of findings does."""
    name = _LIBRARY_ALONE.get(token.text)
    return token if name is None else Token(Kind.FINDING, token.text, name)


def _changes(spots: list[Spot], before: Levels, after: Levels) -> tuple[list[Clause], list[str]]:
    """Read a change of level: no clauses if only the wording of the level changes."""
    level, level_from = after.level, before.level
    unplaced = [*before.unplaced, *after.unplaced]
    if level == level_from and after.course in ("increasing", "decreasing") and after.course != before.course:
        level = after.course  # "from small to increasing small"
        unplaced.remove(level)
    if level == level_from:
        return [], []
    clauses = [Clause(Operation.CHANGE, _finding(spot), spot.side, spot.zone, level, level_from) for spot in spots]
    if any(spot.before or spot.after for spot in spots):
        raise InputError("it states a third level beside the two of the change")
    return clauses, unplaced
