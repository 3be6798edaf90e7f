"""From Medical-Diff-VQA's `difference` answers to instructions.

Sentences that its generator writes (Hu et al., *Medical-Diff-VQA*, PhysioNet 2023), in any order and number:

- "the main image has an additional finding of X than the reference image." and "additional findings of X, Y, and Z"
- "the main image is missing the finding of X than the reference image." and "the findings of X, and Y"
- "the level of X has changed from A to B."; A and B are one or several of its level words
- "nothing has changed."

and questions, "what has changed compared to the reference image?" or "what has changed in the <place> area?". The main
image is the later one: what it has in addition is to be added to the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

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
_SILENT = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "finding",
        "findings",
        "lung",
        "lungs",
        "zone",
        "zones",
        "lobe",
        "lobes",
        "field",
        "fields",
        "side",
        "sides",
        "sided",
        "region",
        "regions",
        "area",
        "areas",
        "part",
        "parts",
        "portion",
        "portions",
        "hemithorax",
    ]
)
# Words that the instruction language takes for "and", and that leave open what a finding of a report's list is.
_UNDECIDED = frozenset(["or", "nor", "but", "then"])
# The one word that Medical-Diff-VQA's library of findings takes for a finding and the instruction language does not.
_LIBRARY_ALONE = {"enlarged": "cardiomegaly"}


class UnreadableAnswer(ValueError):
    """An answer, or its question, that is not written in the sentences of Medical-Diff-VQA's generator."""

    def __init__(self, text: object, reason: str, name: str = "answer") -> None:
        self.text, self.reason, self.name = text, reason, name
        super().__init__(f"`{name}` must be one that Medical-Diff-VQA's generator writes, got {text!r}: {reason}.")

    def __reduce__(self):  # it travels between processes
        return type(self), (self.text, self.reason, self.name)


def instruction_from_difference(answer: str, question: str = "") -> Instruction | None:
    """The instruction that leads from the reference (earlier) image to the main (later) one.

    Args:
        answer: a `difference` answer; letter case, spaces and the last full stop do not matter.
        question: its question, which may name the area of a change; empty: none is known.

    Returns:
        The instruction, whose `str` is its text and whose `unplaced` are the answer's words that it has no place for;
        ``None`` where nothing changed, or a level changed only in its wording ("from mild to mildly").

    Raises:
        UnreadableAnswer: what can not be read is never guessed.
    """
    for name, text in (("answer", answer), ("question", question)):
        if not isinstance(text, str):
            raise UnreadableAnswer(text, f"it is no text but {type(text).__name__}", name)
    places, unplaced = _area(question)
    clauses: list[Clause] = []
    try:
        sentences = list(_sentences(answer))
        for operation, found in sentences:
            read_clauses, rest = _read_sentence(operation, found)
            clauses += read_clauses
            unplaced += rest
        clauses = [placed for clause in clauses for placed in at_places(clause, places)]
        return with_text(Instruction(tuple(clauses), unplaced=tuple(unplaced))) if clauses else None
    except UnreadableAnswer:
        raise
    except ValueError as error:
        raise UnreadableAnswer(answer, str(error).rstrip(".")) from error


def with_text(instruction: Instruction) -> Instruction:
    """The instruction with its canonical words as its text, as reading them would give it."""
    return Instruction(instruction.clauses, str(instruction), instruction.unplaced)


def at_places(clause: Clause, places: list[Place]) -> list[Clause]:
    """The clause at each of several places; as it is where there are none or it has a place of its own."""
    if not places or clause.side or clause.zone:
        return [clause]
    return [replace(clause, side=place.side or None, zone=place.zone or None) for place in places]


def plain(text: str) -> str:
    """In lower case, with single spaces and without stops at the ends."""
    return " ".join(text.lower().replace("\ufeff", " ").split()).strip(" .?,")


def _area(question: str) -> tuple[list[Place], list[str]]:
    words = plain(question)
    if not words or _GENERAL.fullmatch(words):
        return [], []
    match = _AREA.fullmatch(words)
    if match is None:
        raise UnreadableAnswer(question, "it does not ask what has changed", "question")
    try:
        places, outside = read_places(match["area"])
    except ValueError as error:
        raise UnreadableAnswer(question, f"it asks for an unknown area, {error}", "question") from error
    return places, list(outside)


def _sentences(answer: str) -> Iterator[tuple[Operation, re.Match[str]]]:
    """The sentences of an answer that tell a change, each with what it is about."""
    words = plain(answer)
    if not words:
        raise InputError("it is empty")
    sentences = [sentence for sentence in map(plain, _OPENINGS.split(words)) if sentence]
    for sentence in sentences:
        if _NOTHING.fullmatch(sentence):
            if set(sentences) != {sentence}:
                raise InputError("nothing has changed, and yet something has")
            return
        found = next(((op, m) for op, pattern in _SENTENCES.items() if (m := pattern.fullmatch(sentence))), None)
        if found is None:
            raise InputError(f"{sentence!r} is no sentence of it")
        yield found


def _read_sentence(operation: Operation, sentence: re.Match[str]) -> tuple[list[Clause], list[str]]:
    spots = _spots(sentence["list"])
    if operation is Operation.CHANGE:
        return _changes(spots, *read_transition(sentence["levels"]))
    clauses, unplaced = [], []
    for spot in spots:
        words = " ".join(token.text for token in spot.before + spot.after)
        levels = read_levels(words) if words else NO_LEVELS
        clauses.append(Clause(operation, spot.finding, spot.side, spot.zone, levels.level))
        unplaced += levels.unplaced
    return clauses, unplaced


def _spots(text: str) -> list[Spot]:
    """The findings of a list, with commas, "and" or nothing between them."""
    tokens = join_ranges([_library_name(token) for token in read(text)])
    for token in tokens:
        silent = token.kind is Kind.FILLER and token.text in _SILENT
        if not (silent or token.kind in _LISTED) or token.value == ABSENT or token.text in _UNDECIDED:
            raise InputError(f"{token.text!r} is no finding of the vocabulary")
    if tokens and tokens[-1].kind is Kind.AND and tokens[-1].text != ",":
        raise InputError(f"the list {text!r} breaks off")
    spots, unplaced = spots_of(tokens)
    if unplaced or not spots or not all(spot.finding for spot in spots):
        raise InputError(f"{text!r} does not say which finding it is about")
    return spots


def _library_name(token: Token) -> Token:
    name = _LIBRARY_ALONE.get(token.text)
    return token if name is None else Token(Kind.FINDING, token.text, name)


def _changes(spots: list[Spot], before: Levels, after: Levels) -> tuple[list[Clause], list[str]]:
    """The change of level; none where it is but another wording of the same level."""
    level, level_from = after.level, before.level
    unplaced = [*before.unplaced, *after.unplaced]
    if level == level_from and after.course in ("increasing", "decreasing") and after.course != before.course:
        level = after.course  # "from small to increasing small"
        unplaced.remove(level)
    if level == level_from:
        return [], []
    clauses = [Clause(Operation.CHANGE, spot.finding, spot.side, spot.zone, level, level_from) for spot in spots]
    if any(spot.before or spot.after for spot in spots):
        raise InputError("it gives the finding a level besides the two that it changes between")
    return clauses, unplaced
