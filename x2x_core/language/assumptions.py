"""Assumptions: readings of what a text leaves open, each told in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from x2x_core.common.errors import InputError

from .clauses import Operation
from .lexicon import ABSENT, Kind, Token, Verb
from .scope import DIFFUSE
from .sentences import VerbPhrase
from .vocabulary import FINDINGS

_ABSENCES = frozenset(
    ("negative for", "neg for", "free of", "no evidence of", "no sign of", "no signs of", "absence of")
)

_HEALING = frozenset(("treat", "correct", "heal", "cure", "rectify", "remedy", "repair", "mend"))


def assumptions(phrases: Sequence[VerbPhrase]) -> tuple[str, ...]:
    """Return sentences about places that were said once and read for several findings.

    Raises:
        InputError: a place said before another verb for a finding that is usually in both lungs.
    """
    return tuple(dict.fromkeys(sentence for phrase in phrases for sentence in _of_phrase(phrase)))


def removed_absences(phrases: Sequence[VerbPhrase]) -> tuple[str, ...]:
    """Return sentences about findings that are said to be absent, or are to be healed, and are removed."""
    return (*_absences(phrases), *dict.fromkeys(_of_healing(phrases)))


def _absences(phrases: Sequence[VerbPhrase]) -> tuple[str, ...]:
    added = tuple(
        sentence
        for before, phrase in pairwise(phrases)
        if phrase.negated and _adds_nothing(before)
        for sentence in _of_absence(phrase)
    )
    if added:  # "add no effusion"
        return tuple(dict.fromkeys(added))
    if sum(token.kind is Kind.FINDING for phrase in phrases if not phrase.keep for token in phrase.tokens) < 2:
        return ()
    return tuple(dict.fromkeys(sentence for phrase in phrases for sentence in _of_absence(phrase)))


def _adds_nothing(phrase: VerbPhrase) -> bool:
    """Return True for "add" before "no effusion"."""
    return phrase.verb is not None and phrase.verb == Verb(Operation.ADD) and phrase.bare and not phrase.keep


def _of_absence(phrase: VerbPhrase) -> Iterator[str]:
    """Yield what was removed since it is said to be absent: "add edema, no effusion" could describe the patient."""
    findings = [token.name for token in phrase.tokens if token.kind is Kind.FINDING]
    stated = phrase.verb is None and any(token.value == ABSENT for token in phrase.tokens)
    if phrase.verb == Verb(Operation.ADD):
        findings = [*_absent_in_list(phrase.tokens)]
        stated = True
    if findings and not phrase.keep and (phrase.negated or stated or phrase.word in _ABSENCES):
        yield f"{' and '.join(dict.fromkeys(findings))}, said to be absent, was taken for something to remove."


def _absent_in_list(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the findings of "edema, effusion: none" that are said to be absent."""
    last = None
    for token in tokens:
        if token.kind is Kind.FINDING:
            last = token.name
        elif token.value == ABSENT and last:
            yield last


def _of_healing(phrases: Sequence[VerbPhrase]) -> Iterator[str]:
    """Yield what was removed beside another request since it is to be healed, or replaced by something else."""
    requested = [phrase for phrase in phrases if phrase.verb and not phrase.keep and phrase.names(Kind.FINDING)]
    for phrase in requested if len(requested) > 1 else ():
        finding = next(token.name for token in phrase.tokens if token.kind is Kind.FINDING)
        wished = any(token.text.endswith("be") for token in phrase.tokens)
        told = phrase.word.endswith("ed") and phrase.verb == Verb(Operation.REMOVE) and not wished
        if phrase.word in _HEALING or phrase.instead or told:
            yield f"{phrase.word or 'instead of'!r} was taken for removing {finding}."


def _of_phrase(phrase: VerbPhrase) -> Iterator[str]:
    findings = [token.name for token in phrase.tokens if token.kind is Kind.FINDING]
    lateral = [name for name in findings if FINDINGS[name].lateral]
    if phrase.shares and lateral and not phrase.keep:
        place = " ".join(token.text for token in phrase.place if token.kind in (Kind.SIDE, Kind.ZONE) and token.text)
        diffuse = next((name for name in lateral if name in DIFFUSE), None)
        if diffuse:
            raise InputError(
                f"`prompt` must say where {diffuse} is, got {place!r} before another request. Write its side, or "
                "bilateral, beside it."
            )
        yield f"{place!r}, said before the first request, was taken for {' and '.join(lateral)} too."
    yield from _of_lists(phrase.tokens)
    yield from _of_choice(phrase)
    yield from _of_last_place(phrase)


def _of_choice(phrase: VerbPhrase) -> Iterator[str]:
    """Yield findings joined by "or", all of which are edited."""
    findings = [n for n, token in enumerate(phrase.tokens) if token.kind is Kind.FINDING]
    listed = phrase.tokens[findings[0] :] if len(findings) > 1 else []
    if not (phrase.keep or phrase.negated) and any(token.text == "or" for token in listed):
        yield "'or' between findings was taken for 'and'."


def _of_last_place(phrase: VerbPhrase) -> Iterator[str]:
    """Yield a place after a list and a comma, which is the last finding's."""
    tokens = [token for token in phrase.tokens if token.kind is not Kind.FILLER]
    last = max((n for n, token in enumerate(tokens) if token.kind is Kind.FINDING), default=0)
    kinds = [token.kind for token in tokens[last + 1 :]]
    placed = {Kind.SIDE, Kind.ZONE}
    listed = [token for token in tokens[:last] if token.kind is Kind.FINDING and FINDINGS[token.name].lateral]
    if (
        listed
        and tokens[last + 1 : last + 2]
        and tokens[last + 1].text == ","
        and placed & set(kinds)
        and not placed & {token.kind for token in tokens[:last]}
    ):
        yield f"the place after the list was taken for {tokens[last].name} alone."


def _of_lists(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield sides of one finding that were read for another one of the list."""
    for position, token in enumerate(tokens):
        if token.kind is Kind.SIDE and not token.text:
            finding = next((other.name for other in tokens[position:] if other.kind is Kind.FINDING), None)
            if finding:
                yield f"{token.name!r} was taken for {finding} too."
