"""Reading of other languages by their tables.

A sentence holds one operation on one finding or on a list of findings, or several with a verb for each. Nothing is
guessed: a word that is not in the table, two sides in one place, a level or a side that could belong to two findings,
and a sentence without a verb are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.vocabulary import FINDINGS, level_range

from .table import Language
from .words import Role, UnknownPhraseError, Word, words_of

_COURSES = {"increase": "increasing", "decrease": "decreasing"}


class UnreadError(InputError):
    """A text that the table of a language does not read; the message says why."""


@dataclass
class _Part:
    """A finding with its attributes."""

    words: list[Word] = field(default_factory=list)

    def values(self, role: Role) -> list[str]:
        return list(dict.fromkeys(word.value for word in self.words if word.role is role))

    def single(self, role: Role) -> str | None:
        """Return the only value of a role.

        Raises:
            UnreadError: several values.
        """
        values = self.values(role)
        if len(values) > 1:
            raise UnreadError(f"{' and '.join(values)} stand in one place")
        return values[0] if values else None


def read_in(text: str, language: Language) -> tuple[Clause, ...]:
    """Return the clauses of a text that its language's table reads wholly.

    Raises:
        UnreadError: a text that the table does not read.
        InputError: a change without a new level.
    """
    try:
        words = words_of(text, language)
    except UnknownPhraseError as error:
        raise UnreadError(f"{error.word!r} is not in its vocabulary") from error
    words = [word for word in _join_ranges(words) if word.role is not Role.FILLER]
    clauses = [clause for phrase in _verb_phrases(words) for clause in _read_phrase(phrase, language)]
    if not clauses:
        raise UnreadError("it names no operation")
    return tuple(clauses)


def _join_ranges(words: Sequence[Word]) -> list[Word]:
    """Join two levels with a joiner between them to a range."""
    joined: list[Word] = []
    for word in words:
        joined.append(word)
        if [other.role for other in joined[-3:]] == [Role.LEVEL, Role.JOINER, Role.LEVEL]:
            first, _, second = joined[-3:]
            joined[-3:] = [_range(first, second)]
    if any(word.role is Role.JOINER for word in joined):
        raise UnreadError("a dash stands outside a range of levels")
    return joined


def _range(first: Word, second: Word) -> Word:
    value = level_range(first.value, second.value)
    if value is None:
        raise UnreadError(f"{first.value} to {second.value} is not a range")
    return Word(Role.LEVEL, f"{first.text} {second.text}", value)


def _verb_phrases(words: Sequence[Word]) -> list[list[Word]]:
    """Cut sentences at stops, and those with several verbs before each verb, or after each if the verb comes last."""
    sentences: list[list[Word]] = [[]]
    for word in words:
        if word.role is Role.STOP:
            sentences.append([])
        else:
            sentences[-1].append(word)
    return [phrase for sentence in sentences if sentence for phrase in _cut(sentence)]


def _cut(sentence: list[Word]) -> list[list[Word]]:
    verbs = [position for position, word in enumerate(sentence) if word.role is Role.VERB]
    if len(verbs) == 1:
        return [sentence]
    if len(verbs) == 2 and verbs == [0, len(sentence) - 1] and sentence[0].value == sentence[-1].value:
        return [sentence]  # "füge ... dazu"
    first, last = verbs[:1] == [0], verbs[-1:] == [len(sentence) - 1]
    if first == last:  # no verb, or a verb that could belong to either side
        raise UnreadError("each finding needs a verb of its own" if verbs else "a sentence has no verb")
    cuts = [*verbs, len(sentence)] if first else [0, *(position + 1 for position in verbs)]
    return [sentence[start:end] for start, end in pairwise(cuts)]


def _read_phrase(words: list[Word], language: Language) -> list[Clause]:
    verb = next(word.value for word in words if word.role is Role.VERB)
    parts = _parts([word for word in words if word.role is not Role.VERB])
    _check_places(parts)
    if any(word.role is Role.ARROW for part in parts for word in part.words) and len(parts) > 1:
        raise UnreadError("a change of several findings needs a sentence for each")
    return [_clause(verb, part, language) for part in parts]


def _parts(words: Sequence[Word]) -> list[_Part]:
    """Cut a list at conjunctions and commas; attributes after a comma belong to the finding before it."""
    parts = [_Part()]
    for position, word in enumerate(words):
        if word.role not in (Role.AND, Role.COMMA):
            parts[-1].words.append(word)
            continue
        following = _until_boundary(words[position + 1 :])
        named = any(other.role is Role.FINDING for other in following)
        if named and parts[-1].values(Role.FINDING):
            parts.append(_Part())
        elif word.role is Role.AND and following and parts[-1].words:
            raise UnreadError("a side, level or zone after a conjunction could belong to two findings")
    parts = [part for part in parts if part.words]
    if not parts or any([word.role for word in part.words].count(Role.FINDING) != 1 for part in parts):
        raise UnreadError("each part of a list must name one finding")
    return parts


def _until_boundary(words: Sequence[Word]) -> list[Word]:
    for position, word in enumerate(words):
        if word.role in (Role.AND, Role.COMMA):
            return list(words[:position])
    return list(words)


def _check_places(parts: Sequence[_Part]) -> None:
    """Refuse lists in which a place could be that of one finding or of all.

    Raises:
        UnreadError: some findings with a place and others without.
    """
    placed = [
        bool(part.values(Role.SIDE) or part.values(Role.ZONE))
        for part in parts
        if FINDINGS[part.values(Role.FINDING)[0]].lateral
    ]
    if len(set(placed)) > 1:
        raise UnreadError("a place could belong to one finding or to all; name the place of each finding")


def _clause(verb: str, part: _Part, language: Language) -> Clause:
    finding, side, zone = (part.single(role) for role in (Role.FINDING, Role.SIDE, Role.ZONE))
    assert finding is not None  # see `_parts`
    before, after = _levels(verb, part, language)
    if verb in ("add", "remove"):
        return Clause(Operation(verb), finding, side, zone, before)
    if after is None and verb in _COURSES:
        return Clause(Operation.CHANGE, finding, side, zone, _COURSES[verb], before)
    return Clause(Operation.CHANGE, finding, side, zone, after, before)


def _levels(verb: str, part: _Part, language: Language) -> tuple[str | None, str | None]:
    """Return the levels before and after the edit."""
    words = [word for word in part.words if word.role in (Role.LEVEL, Role.ARROW)]
    targets = _targets(part.words, language)
    levels = [word for word in words if word.role is Role.LEVEL]
    if len(targets) > 1 or len(levels) > len(targets) + 1:
        raise UnreadError(f"{' and '.join(level.value for level in levels)} stand in one place")
    target = targets[0] if targets else None
    before = next((level for level in levels if level is not target), None)
    if verb in ("add", "remove") and target:
        if before is None:
            raise UnreadError(f"{target.text!r} is a new level, but nothing is changed")
        return _range(before, target).value, None
    return before.value if before else None, target.value if target else None


def _targets(words: Sequence[Word], language: Language) -> list[Word]:
    """Return the levels beside an arrow; an arrow beside none is refused unless it is a function word too."""
    targets = []
    step = -1 if language.arrow_after else 1
    for position, word in enumerate(words):
        if word.role is not Role.ARROW:
            continue
        beside = position + step
        if 0 <= beside < len(words) and words[beside].role is Role.LEVEL:
            targets.append(words[beside])
        elif not word.filler:
            raise UnreadError(f"{word.text!r} does not stand beside a level")
    return targets
