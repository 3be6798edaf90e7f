"""Words that are not understood and could turn a request round: "refrain from" must not be left out."""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError
from x2x_core.language.lexicon import Kind, Token, Verb
from x2x_core.language.spelling import resembles_verb
from x2x_core.language.unknown_words import is_noun

# Unknown words that turn a request round, move findings, make it conditional or take it back.
_TURNING_TEXT = """
    flip flips flipped flipping mirror mirrors mirrored mirroring invert inverted reflect rotate transpose
    relocate transfer migrate switch reverse opposite unhide uncover unless otherwise sorry oops actually wait
    correction nope mean scratch if lack removal deletion nearly almost virtually stop refrain fail refuse
    decline cease prevent forget half quarter longer partial partially partly percent un non vs versus yes
    whichever whatever choose pick randomly random arbitrary clearer clarity visibility contrast brightness
    sharper crisper barely hardly scarcely conspicuity conspicuous brighter darker
"""
_TURNING = frozenset(_TURNING_TEXT.split())
_NOMINAL = frozenset(["removal", "deletion", "half", "quarter", "partial", "lack"])  # of their own sentence alone
_SUBJECTS = frozenset(("i", "you", "we", "they", "he", "she", "who"))
_ADVERBS = frozenset(("just", "already", "have", "had", "has", "also", "previously", "once", "then", "wrongly"))
_WILLING_TEXT = """
    try attempt like want wish need prefer love proceed going able help us order consider mind
"""
_WILLING = frozenset(_WILLING_TEXT.split())


def check_no_turning(tokens: Sequence[Token]) -> None:
    """Refuse unknown words that could turn a request round.

    Raises:
        InputError: such a word in a text that names a finding.
    """
    if not any(token.kind is Kind.FINDING for token in tokens):
        return
    for position, token in enumerate(tokens):
        if token.kind is not Kind.UNKNOWN:
            continue
        before = tokens[position - 1].text if position else ""
        if (before, token.text) == ("negative", "prompt"):
            raise InputError("`prompt` has no negative part. Write what to add, remove or change, and nothing else.")
        if token.text in _NOMINAL and not _names_finding(tokens, position):
            continue
        if token.text in _TURNING or resembles_verb(token.text) or _could_be_verb(tokens, position):
            raise InputError(
                f"`prompt` must say what to add, remove or change, but {token.text!r} is not understood and could turn "
                "the request round. Write for example: Remove the finding of left pleural effusion. Add the finding of "
                "right pleural effusion."
            )


def check_no_numbered_segment(tokens: Sequence[Token]) -> None:
    """Refuse "segment 6 of the left lung" and "ipsilateral to the left consolidation": places that are not known.

    Raises:
        InputError: such a place, without which the edit would be elsewhere.
    """
    for position, token in enumerate(tokens[:-1]):
        following = tokens[position + 1].text
        numbered = token.text in ("segment", "segments") and _is_number(following)
        beside = token.text in ("ipsilateral", "contralateral") and following == "to"
        if numbered or beside:
            raise InputError(
                f"`prompt` must name the place of the finding, but '{token.text} {following}' is not understood. Write "
                "a side and a zone, for example: Add the finding of consolidation in the left lower lung zone."
            )


def _is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word) or word in (
        "i",
        "ii",
        "iii",
        "iv",
        "v",
        "vi",
        "vii",
        "viii",
        "ix",
        "x",
    )


def check_no_late_participle(tokens: Sequence[Token]) -> None:
    """Refuse "remove the left effusion added on the right": a participle behind another request.

    Raises:
        InputError: such a participle, which could describe or request.
    """
    requested = False
    for position, token in enumerate(tokens):
        before = tokens[position - 1] if position else None
        if token.kind in (Kind.STOP, Kind.SOFT_STOP, Kind.AND, Kind.WITH):
            requested = False
        elif isinstance(token.value, Verb):
            passive = before is not None and (before.text.split() or [""])[-1] in ("be", "get", "gets", "have", "want")
            if requested and token.text.endswith("ed") and not passive:
                raise InputError(
                    f"`prompt` must separate its requests, got {token.text!r} behind another one. Write a sentence for "
                    "each, for example: Add the finding of left pleural effusion. Remove the finding of edema."
                )
            requested = requested or not (token.value.makes or token.value.present)


def check_no_past(tokens: Sequence[Token]) -> None:
    """Refuse "I removed the effusion, now add edema": what was done is no request.

    Raises:
        InputError: a verb in the past behind its subject.
    """
    for position, token in enumerate(tokens[1:], 1):
        past = isinstance(token.value, Verb) and token.text.endswith("ed") and " " not in token.text
        before = position - 1
        while before > 0 and tokens[before].text in _ADVERBS:
            before -= 1
        if past and not (isinstance(token.value, Verb) and token.value.present) and tokens[before].text in _SUBJECTS:
            raise InputError(
                f"`prompt` must say what to edit, not what was done, got '{tokens[before].text} {token.text}'. Write "
                "for example: Remove the finding of left pleural effusion."
            )


def _names_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True if the sentence around a position names a finding."""
    start, end = position, position
    while start and tokens[start - 1].kind is not Kind.STOP:
        start -= 1
    while end < len(tokens) and tokens[end].kind is not Kind.STOP:
        end += 1
    return any(token.kind is Kind.FINDING for token in tokens[start:end])


def _could_be_verb(tokens: Sequence[Token], position: int) -> bool:
    return _governs_verb(tokens, position) or _opens_item(tokens, position)


def _opens_item(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "zap" in "add edema and zap pneumonia"."""
    if not 0 < position < len(tokens) - 1 or not is_noun(tokens[position].text):
        return False
    verb_before = any(token.kind is Kind.VERB for token in tokens[:position])
    follows = tokens[position - 1].kind in (Kind.AND, Kind.SOFT_STOP)
    return verb_before and follows and tokens[position + 1].kind is Kind.FINDING


def _governs_verb(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "fail" in "fail to add" and "risk" in "risk adding"."""
    word, following = tokens[position].text, tokens[position + 1 : position + 3]
    if word in _WILLING or not following:
        return False
    if following[0].kind in (Kind.TO, Kind.FROM):
        return len(following) > 1 and following[1].kind is Kind.VERB
    return following[0].kind is Kind.VERB and following[0].text.endswith("ing") and is_noun(word)
