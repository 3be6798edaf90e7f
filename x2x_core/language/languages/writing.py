"""Sentences of other languages from clauses: one sentence for each clause."""

from __future__ import annotations

from collections.abc import Iterable

from x2x_core.language.clauses import COURSE_REVERSED, Clause, Operation
from x2x_core.language.vocabulary import COURSES

from .table import Language

_COURSE_VERBS = {"increasing": "increase", "decreasing": "decrease"}


def write_in(clauses: Iterable[Clause], language: Language) -> str:
    """Return the sentences of clauses in a language; `read_in` returns the same clauses."""
    separator = language.separator
    return separator.join(_write(clause, language) for clause in clauses)


def _write(clause: Clause, language: Language) -> str:
    changes = clause.operation is Operation.CHANGE
    course = changes and clause.level in COURSE_REVERSED
    beside = clause.level_from if course else (None if changes else clause.level)
    parts = {
        "finding": language.written("findings", clause.finding),
        "level": _level_beside(beside, language),
        "side": language.written("sides", clause.side) if clause.side else "",
        "zone": language.zone.format(language.written("zones", clause.zone)) if clause.zone else "",
        "transition": _transition(clause, language) if changes and not course else "",
    }
    verb = language.written("verbs", _COURSE_VERBS[clause.level or ""] if course else clause.operation.value)
    written = language.separator.join(parts[name] for name in language.order if parts[name])
    sentence = (language.change if changes and not course else language.sentence).format(verb=verb, parts=written)
    return sentence[0].upper() + sentence[1:]


def _level_beside(level: str | None, language: Language) -> str:
    if level is None:
        return ""
    template = language.course if level in COURSES else language.strength
    return template.format(_level(level, language))


def _transition(clause: Clause, language: Language) -> str:
    assert clause.level is not None  # a change has a level, see `Clause`
    after = _level(clause.level, language)
    if clause.level_from is None:
        return language.transition_to.format(after=after)
    return language.transition.format(before=_level(clause.level_from, language), after=after)


def _level(level: str, language: Language) -> str:
    """Return a level, or the two ends of a range with the language's joiner."""
    return language.range_joiner.join(language.written("levels", end) for end in level.split(" to "))
