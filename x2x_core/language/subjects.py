"""Findings that are the subject of their verb: "add edema, the effusion should be removed".

A noun phrase before "should be removed" or "must go" is a sentence of its own; without that it would be one more
object of the verb before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError

from .lexicon import Kind, Token, Verb

_MODALS_TEXT = """
    should must shall will would can could ought needs need has have is are
"""
_MODALS = frozenset(_MODALS_TEXT.split())
_NOUN_PHRASE = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.PREPOSITION, Kind.UNKNOWN, Kind.ORGAN)
_JOINTS = (Kind.AND, Kind.WITH)
_STOPS = (Kind.STOP, Kind.SOFT_STOP)
_ONES = frozenset(("one", "ones"))
_WHILE = frozenset(("while", "whilst", "whereas"))
_ACTS = (Kind.VERB, Kind.KEEP, Kind.NOT)


def split_subjects(tokens: Sequence[Token]) -> list[Token]:
    """Put a stop before each finding that is the subject of its verb, behind another request of the sentence.

    Raises:
        InputError: a list before such a verb, of which the first finding could belong to the verb before.
    """
    split = list(tokens)
    for position in range(len(tokens)):
        start = _subject_start(split, position)
        if start is None:
            continue
        joint = start - 1
        _check_list(split, joint, position)
        for place in range(_joints_start(split, joint), start):
            split[place] = Token(Kind.FILLER, "")
        split[joint] = Token(Kind.STOP, ".")
    return split


def _subject_start(tokens: Sequence[Token], position: int) -> int | None:
    """Return where the subject of the verb after a modal begins; `None` unless it stands behind another request."""
    verb = _verb_after(tokens, position)
    if verb is None or _has_object(tokens, verb):
        return None
    start = position
    while start and tokens[start - 1].kind in _NOUN_PHRASE and tokens[start - 1].text not in _WHILE:
        start -= 1
    named = any(token.kind is Kind.FINDING or token.text in _ONES for token in tokens[start:position])
    if not named or not start:
        return None
    joint = tokens[start - 1]
    joined = joint.kind in _JOINTS or joint.text in _WHILE
    sentence = next((n + 1 for n in range(start - 1, -1, -1) if tokens[n].kind in _STOPS), 0)
    requested = any(token.kind in _ACTS or token.text in ("should", "must") for token in tokens[sentence:start])
    return start if joined and requested else None


def _verb_after(tokens: Sequence[Token], position: int) -> int | None:
    """Return the position of the verb of "should be removed" or "must go" that begins at a position."""
    words = tokens[position].text.split()
    infinitive = words == ["to"] and [token.text for token in tokens[position + 1 : position + 2]] == ["be"]
    if not words or not (words[0] in _MODALS or infinitive):
        return None
    if tokens[position].kind is Kind.VERB:  # "must go"
        return position
    end = position
    while end < len(tokens) and tokens[end].kind in (Kind.FILLER, Kind.TO):
        end += 1
    found = tokens[end] if end < len(tokens) else None
    closes = end + 1 >= len(tokens) or tokens[end + 1].kind in (*_JOINTS, *_STOPS)
    if found is not None and found.kind is Kind.LEVEL and closes and words[0] in ("should", "must"):
        return end  # "the edema should be mild"
    if found is None or not isinstance(found.value, Verb) or found.value.present:
        return None
    modal = tokens[position].text in ("is", "are", "has", "have") and not any(
        token.text.split()[-1:] in (["be"], ["to"]) for token in tokens[position:end]
    )
    return None if modal else end


def _has_object(tokens: Sequence[Token], verb: int) -> bool:
    """Return True for "the left lung should show a nodule"."""
    end = verb + 1
    while end < len(tokens) and tokens[end].kind in _NOUN_PHRASE:
        if tokens[end].kind is Kind.FINDING:
            return not tokens[verb].text.endswith("ed")
        end += 1
    return False


def _joints_start(tokens: Sequence[Token], joint: int) -> int:
    """Return the first of the words that join a sentence: ", and then"."""
    while joint and tokens[joint - 1].kind in _JOINTS:
        joint -= 1
    return joint


def _check_list(tokens: Sequence[Token], joint: int, position: int) -> None:
    """Refuse "add edema, a nodule and an effusion should be removed".

    Raises:
        InputError: such a list.
    """
    if tokens[joint].text not in ("and", "or", "&", "+", "plus") or tokens[joint - 1].kind in _JOINTS:
        return
    verb = next((n for n in range(joint - 1, -1, -1) if tokens[n].kind in (*_ACTS, *_STOPS)), -1)
    between = tokens[verb + 1 : joint]
    comma = next((n for n in range(len(between) - 1, -1, -1) if between[n].text == ","), None)
    if comma is None:
        return
    before, after = between[:comma], between[comma:]
    if all(any(token.kind is Kind.FINDING for token in part) for part in (before, after)):
        words = " ".join(token.text for token in tokens[verb + 1 + comma + 1 : position] if token.text)
        raise InputError(
            f"`prompt` must say what to do with each finding, got {words!r} between two verbs. Write a sentence for "
            "each, for example: Add the finding of left pleural effusion. Remove the finding of edema."
        )
