"""Remarks in a list of requests: "add an effusion, edema improved" must not add the edema.

A finding that would inherit the verb of the one before it is refused if the words beside it say something else than
what and where it is: a statement ("edema has improved"), a doubt ("edema?", "possible edema"), a time ("edema last
week"), a choice ("and/or edema") or a word for its opposite ("edema off").
"""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Operation
from x2x_core.language.lexicon import ABSENT, Kind, Token, Verb
from x2x_core.language.sentences import VerbPhrase
from x2x_core.language.unknown_words import DESCRIPTORS, is_noun
from x2x_core.language.vocabulary import COURSES

_STOPS = (Kind.STOP, Kind.SOFT_STOP)
_SEPARATORS = (*_STOPS, Kind.AND, Kind.WITH)
_ENDS = (*_SEPARATORS, Kind.VERB, Kind.KEEP, Kind.NOT, Kind.FINDING, Kind.ASIDE)
_SUBJECTS = (Kind.FILLER, Kind.SIDE, Kind.ZONE, Kind.LEVEL)
_FINITE_TEXT = """
    is are was were has have had seems seem looks appears appear remains showed shows
"""
_FINITE = frozenset(_FINITE_TEXT.split())
_DOUBTS_TEXT = """
    possible possibly perhaps maybe probable probably likely suspected suspect suspicious questionable presumed
    presumably potential potentially doubtful unlikely conceivable conceivably supposedly allegedly apparent apparently
"""
_DOUBTS = frozenset(_DOUBTS_TEXT.split())
_SAID_TEXT = """
    noted seen reported described diagnosed treated watched followed monitored observed mentioned documented discussed
    excluded questioned missed wrong correct intended meant wished allowed instead rather
"""
_SAID = frozenset(_SAID_TEXT.split())
_TIMES_TEXT = """
    yesterday last ago previously formerly before later earlier past tomorrow today week month year recently once
    afterwards
"""
_TIMES = frozenset(_TIMES_TEXT.split())
_RATIOS = frozenset(("twice", "thrice", "half", "double"))
_ASKING = frozenset(("what", "how", "why", "whether", "where", "when", "who"))
_EARLIER = frozenset(("old", "previous", "prior", "former", "past", "earlier"))
_PARTICLES = frozenset(("off", "out", "away", "up", "down", "back", "aside", "over", "higher"))
_POLITE_TEXT = """
    can could would will may might please is possible
"""
_POLITE = frozenset(_POLITE_TEXT.split())


def check_no_remark(tokens: Sequence[Token]) -> None:
    """Refuse findings of a list beside which the text says something else than what and where they are.

    Raises:
        InputError: such as "add a left effusion, edema?", or "add edema and/or pneumonia".
    """
    verb: Verb | None = None
    before: int | None = None  # the finding before, which the verb is said of
    negated = False
    for position, token in enumerate(tokens):
        if isinstance(token.value, Verb) and not token.value.present:
            verb, before, negated = token.value, None, negated and tokens[position - 1].kind in (Kind.KEEP, Kind.NOT)
        elif token.kind in (Kind.KEEP, Kind.NOT):
            negated, before = True, None
        elif token.kind is Kind.STOP:
            before, negated = None, False
        elif token.text == "or" and _opens_sentence(tokens, position) and verb is not None:
            raise InputError("`prompt` must not leave a choice open, got 'or' at the start of a sentence.")
        elif token.kind is Kind.FINDING and token.text:
            if verb is not None and before is not None and not negated:
                _check(tokens, before, position, verb)
            before = position


def _check(tokens: Sequence[Token], before: int, position: int, verb: Verb) -> None:
    """Refuse a finding that inherits a verb, for the words between the finding before and the end of its part."""
    head, tail = _words_before(tokens, before, position), _words_after(tokens, position)
    own = next((n for n, token in enumerate(tail) if token.kind in (Kind.VERB, Kind.KEEP)), None)
    if own is not None and not tail[own].text.startswith(("present", "= 1")):
        return  # a request of its own
    adds = verb.operation is Operation.ADD
    if _is_choice(tokens, before, position) and adds:
        _refuse(tokens[position], "a choice")
    texts = [token.text for token in head]
    adjoins = tokens[before + 1 : position] == head  # nothing separates the two findings
    if _opens_with_verb(tokens, before, head):
        _refuse(tokens[position], f"{next(t.text for t in head if t.kind is Kind.UNKNOWN)!r}")
    states = any(token.value == ABSENT or token.kind is Kind.STATE for token in tail)
    if states:
        if adjoins and any(token.kind is Kind.STATE for token in tail):
            _refuse(tokens[position], "a statement")
        return
    if _is_statement(head, tail, makes=verb.makes):
        _refuse(tokens[position], "a statement")
    if {*texts} & (_DOUBTS | _ASKING) or {word.text for word in tail} & _DOUBTS or _is_asked(tokens, position):
        _refuse(tokens[position], "a doubt")
    earlier = {*texts} | {word.text for word in tail}
    if (adds and earlier & _EARLIER) or _says_something_else(tail):
        _refuse(tokens[position], "a remark")


def _opens_sentence(tokens: Sequence[Token], position: int) -> bool:
    while position and tokens[position - 1].text in ("and", "/"):
        position -= 1
    return position > 0 and tokens[position - 1].kind in _STOPS


def _refuse(finding: Token, what: str) -> None:
    raise InputError(
        f"`prompt` must say what to do with each finding, got {what} about {finding.text!r} in a list. Write a "
        f"sentence for each, for example: Add the finding of left pleural effusion. Remove the finding of edema."
    )


def _words_before(tokens: Sequence[Token], before: int, position: int) -> list[Token]:
    """Return the words of a finding's part that stand before it."""
    start = position
    while start > before + 1 and tokens[start - 1].kind not in _SEPARATORS:
        start -= 1
    return list(tokens[start:position])


def _words_after(tokens: Sequence[Token], position: int) -> list[Token]:
    """Return the words of a finding's part behind it, up to its own verb."""
    end = position + 1
    while end < len(tokens) and tokens[end].kind not in (*_SEPARATORS, Kind.FINDING):
        end += 1
    return list(tokens[position + 1 : end])


def _opens_with_verb(tokens: Sequence[Token], before: int, head: list[Token]) -> bool:
    """Return True for "check the" in "add a left effusion check the edema", which nothing separates."""
    place = next((n for n, token in enumerate(head) if token.kind is Kind.UNKNOWN), None)
    if place is None or tokens[before + 1 : before + 2] != head[:1] or not is_noun(head[place].text):
        return False
    article = [token.text for token in head[place + 1 : place + 2]]
    return head[place].text not in DESCRIPTORS | _RATIOS and article in (["the"], ["this"], ["that"])


def _is_choice(tokens: Sequence[Token], before: int, position: int) -> bool:
    return any(token.text == "or" for token in tokens[before + 1 : position])


def _is_statement(head: Sequence[Token], tail: Sequence[Token], makes: bool) -> bool:
    """Return True for "there is edema", "edema is increasing", "edema improved" and "the edema is present"."""
    opens = [token.text for token in head[:2]]
    if opens[:1] == ["there"] and opens[1:] and opens[1] in _FINITE:
        return True
    first = next((n for n, token in enumerate(tail) if token.kind is not Kind.SIDE), len(tail))
    if first < len(tail) and tail[first].text.split(" ")[0] in _FINITE:
        return True
    if makes and first + 1 == len(tail) and not tail[first].text.endswith("ing"):
        return False  # "make the left effusion bigger and the right one smaller"
    return any(token.kind is Kind.LEVEL and token.value in COURSES and token.value != "acute" for token in tail)


def _is_asked(tokens: Sequence[Token], position: int) -> bool:
    """Return True for ", edema?", but not for "and edema?" and for "could you add an effusion, edema?"."""
    end = position + 1
    while end < len(tokens) and tokens[end].kind in (*_SUBJECTS, Kind.PREPOSITION, Kind.UNKNOWN):
        end += 1
    if end >= len(tokens) or tokens[end].text != "?":
        return False
    start = position
    while start and tokens[start - 1].kind in (*_SUBJECTS, Kind.UNKNOWN):
        start -= 1
    joined = start > 0 and tokens[start - 1].text in ("and", "&", "plus", "+", "with")
    return not joined and not any(token.text.split(" ")[0] in _POLITE for token in tokens[:start])


def _says_something_else(tail: Sequence[Token]) -> bool:
    """Return True for "noted" and "last week" at the end of a part, and for "off"; not for "seen on the left"."""
    words = [token for token in tail if token.kind is not Kind.FILLER or token.text in _PARTICLES]
    if not words:
        return False
    placed = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in words)
    said = {token.text for token in words}
    return bool(said & (_TIMES | {"wrong", "instead", "rather"})) or (
        not placed and (bool(said & _SAID) or words[-1].text in _PARTICLES)
    )


def check_no_statement(tokens: Sequence[Token]) -> None:
    """Refuse "add an effusion. Edema has cleared." and "Edema is present." beside a request.

    Raises:
        InputError: a statement of what has happened to a finding, or of its presence, which could be a request.
    """
    told = [n for n in range(len(tokens)) if _is_told(tokens, n)]
    for position in told:
        others = [
            n for n, token in enumerate(tokens)
            if isinstance(token.value, Verb) and not token.value.present and not _is_of(tokens, n, told)
        ]  # fmt: skip
        if others:
            finding = next(token for token in reversed(tokens[:position]) if token.kind is Kind.FINDING)
            _refuse(finding, "a statement")


def _is_told(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "has" in "edema has cleared" and for "is present" in "edema is present"."""
    start = position - 1
    while start >= 0 and tokens[start].kind in (Kind.SIDE, Kind.ZONE, Kind.PREPOSITION, Kind.LEVEL):
        start -= 1
    if start < 0 or tokens[start].kind is not Kind.FINDING:
        return False
    token, following = tokens[position], tokens[position + 1 : position + 2]
    if isinstance(token.value, Verb) and token.value.present:
        return token.text == "is present"
    if token.text not in ("has", "have", "had") or not following:
        return False
    verb = following[0].value if following[0].kind in (Kind.VERB, Kind.LEVEL) else None
    changed = isinstance(verb, Verb) or verb in (ABSENT, *COURSES)
    return changed or following[0].text in ("been", "become")


def _is_of(tokens: Sequence[Token], position: int, told: Sequence[int]) -> bool:
    """Return True for a verb that is part of a statement, such as "cleared" in "edema has cleared"."""
    return any(start < position <= start + 2 for start in told)


def check_instead(phrases: Sequence[VerbPhrase]) -> None:
    """Refuse "remove the effusion. Instead of the edema." and "fix the edema" beside another request.

    Raises:
        InputError: an exchange without what is to be there instead, or a verb that can mean remove or keep.
    """
    phrases = [phrase for phrase in phrases if phrase.names(Kind.FINDING, Kind.UNKNOWN) or phrase.keep]
    for number, phrase in enumerate(phrases):
        before = phrases[number - 1] if number else None
        following = phrases[number + 1] if number + 1 < len(phrases) else None
        others = any(
            other.verb and not other.keep and other.names(Kind.FINDING) for other in (before, following) if other
        )
        if phrase.word == "fix" and others and phrase.names(Kind.FINDING):
            raise InputError(
                "`prompt` must say remove or keep, got 'fix', which can mean either. Write for example: Remove the "
                "finding of edema."
            )
        if not phrase.instead or before is None or not before.names(Kind.FINDING):
            continue
        adds = before.verb is not None and before.verb.operation is Operation.ADD
        opens = following is not None and following.verb is not None and following.verb.operation is Operation.ADD
        if not adds and not opens:
            raise InputError(
                "`prompt` must say what to remove, got 'instead of' without what is to be there. Write for example: "
                "Remove the finding of edema. Add the finding of left pleural effusion."
            )
