"""Requests about an organ: "make the heart bigger" adds cardiomegaly, "blunt the costophrenic angle" its blunting.

An organ names no finding alone ("keep the heart"). Together with a request to enlarge or to normalise it, it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .clauses import Operation
from .lexicon import ABSENT, Kind, Reason, Token, Verb
from .vocabulary import COURSES

_ENDS = (Kind.AND, Kind.STOP, Kind.SOFT_STOP, Kind.NOT)
_BIG = frozenset(("increasing", "large", "severe", "massive"))
_SMALL = frozenset(("decreasing", "small", "minimal", ABSENT))
_ENLARGED = frozenset(("enlarged", "wider", "wide", "dilated", "dilate", "widen", "broaden", "broader", "widened"))
_NORMALISED = frozenset(("normalize", "normalise", "normalized", "normalised", "normalisation", "normalization"))
_MODALS = frozenset(("should", "must", "can", "could", "please", "must be", "needs to be", "need to be", "has to be",
                     "have to be", "ought to be", "got to be", "would", "shall", "want", "get"))  # fmt: skip
_ASKED = frozenset(("bring", "return", "turn", "set", "get", "take", "restore", "put", "give", "show", "change"))
_BLUNT = frozenset(("blunt", "obscure", "round off"))
_SHARPEN = frozenset(("sharpen", "unblunt"))
_AMOUNTS = frozenset(("bit", "lot", "little", "much", "way", "far", "somewhat", "a bit", "a lot"))


def read_organs(tokens: Sequence[Token]) -> list[Token]:
    """Replace requests about the size of the heart and about the costophrenic angles by findings with operations."""
    tokens = _with_pronoun(list(tokens))
    read: list[Token] = []
    start = 0
    for position, token in enumerate((*tokens, Token(Kind.STOP, ""))):
        if token.kind in _ENDS:
            piece = list(tokens[start:position])
            rewritten = _read_piece(piece)
            read += rewritten
            read += tokens[position : position + 1]
            if token.kind is Kind.AND and rewritten is not piece and (verb := _verb_of(piece)):
                read.append(verb)  # "decrease the heart size and the effusion"
            start = position + 1
    return [replace(token, kind=Kind.UNKNOWN, value=None) if token.kind is Kind.ORGAN else token for token in read]


def _verb_of(piece: Sequence[Token]) -> Token | None:
    """Return the verb of a piece, for the rest of its list."""
    verb = next((token for token in piece if isinstance(token.value, Verb)), None)
    shared = verb is not None and isinstance(verb.value, Verb) and (verb.value.course or verb.value.makes)
    return replace(verb, text="") if verb is not None and shared else None


def _with_pronoun(tokens: list[Token]) -> list[Token]:
    """Put the organ in the place of "it" in "the heart is enlarged, make it normal"."""
    organ = next((n for n, token in enumerate(tokens) if token.kind is Kind.ORGAN), None)
    stated = {token.value for token in tokens[organ:] if token.kind is Kind.LEVEL} if organ is not None else set()
    if (
        organ is None
        or stated & {"small", "decreasing", "minimal"}
        or any(token.kind is Kind.VERB for token in tokens[:organ])
    ):
        return tokens
    for position in range(organ + 2, len(tokens)):
        if tokens[position].kind is Kind.FINDING:
            break
        if tokens[position].text == "it" and tokens[position - 1].kind is Kind.VERB:
            aside = replace(tokens[organ], kind=Kind.UNKNOWN, value=None)
            return [*tokens[:organ], aside, *tokens[organ + 1 : position], tokens[organ], *tokens[position + 1 :]]
    return tokens


def _read_piece(piece: list[Token]) -> list[Token]:
    if any(token.kind is Kind.FINDING for token in piece):
        return piece
    organs = [position for position, token in enumerate(piece) if token.kind is Kind.ORGAN]
    if len(organs) == 1:
        return _read_size(piece, organs[0])
    if any(token.value == "costophrenic" for token in piece):
        return _read_angle(piece)
    return piece


def _read_size(piece: list[Token], organ: int) -> list[Token]:
    operation = _operation(piece)
    if operation is None or not _is_request(piece):
        return piece
    finding = Token(Kind.FINDING, piece[organ].text, piece[organ].value)
    if operation is Operation.ADD and any(token.kind is Kind.KEEP for token in piece):
        kept = next(token for token in piece if token.kind is Kind.KEEP)
        return [kept, Token(Kind.VERB, "", Verb(operation)), finding]
    used = [n for n, token in enumerate(piece) if _says_size(token) or token.kind is Kind.VERB]
    levels = [token for token in piece if operation is Operation.ADD and _is_degree(token)]
    unknown = [
        replace(token, reason=Reason.AMOUNT) if token.text in _AMOUNTS else token
        for n, token in enumerate(piece)
        if token.kind is Kind.UNKNOWN and n != organ and n not in used
    ]
    aside = [replace(token, kind=Kind.ASIDE) for token in unknown if token.text != "back"]
    opening = [token for token in piece if token.kind is Kind.WITH][:1]
    return [*opening, Token(Kind.VERB, "", Verb(operation)), *levels[:1], finding, *aside]


def _operation(piece: Sequence[Token]) -> Operation | None:
    """Return the operation that the words of size ask for; `None` without any, or if they contradict each other."""
    asked = set()
    for token in piece:
        course = token.value.course if isinstance(token.value, Verb) else token.value
        if token.text in _NORMALISED or (course in _SMALL and token.kind in (Kind.LEVEL, Kind.VERB)):
            asked.add(Operation.REMOVE)
        elif not _is_degree(token) and (
            token.text in _ENLARGED or (course in _BIG and token.kind in (Kind.LEVEL, Kind.VERB))
        ):
            asked.add(Operation.ADD)
    return asked.pop() if len(asked) == 1 else None


def _is_degree(token: Token) -> bool:
    """Return True for "mildly" in "mildly enlarged"."""
    return token.kind is Kind.LEVEL and (token.text.endswith("ly") or token.value in ("mild", "moderate", "minor"))


def _says_size(token: Token) -> bool:
    return token.text in _ENLARGED | _NORMALISED or token.kind is Kind.LEVEL


def _is_request(piece: Sequence[Token]) -> bool:
    kinds = [token.kind for token in piece if token.kind is not Kind.FILLER]
    if sorted(kinds, key=str) == [Kind.LEVEL, Kind.ORGAN] and any(token.value in COURSES for token in piece):
        return True  # "smaller heart"
    asking = _MODALS | _ASKED | _NORMALISED | {"dilate", "widen", "broaden"}
    return any(token.kind is Kind.VERB or token.text in asking for token in piece)


def _read_angle(piece: list[Token]) -> list[Token]:
    """Read "blunt the left costophrenic angle" and "sharpen both costophrenic angles"."""
    operation = None
    made = any(isinstance(token.value, Verb) and token.value.makes for token in piece)
    if made and any(token.text == "blunted" for token in piece):
        piece = [Token(Kind.FILLER, token.text) if token.text == "blunted" or token.kind is Kind.VERB else token
                 for token in piece]  # fmt: skip
        piece, operation = [Token(Kind.VERB, "", Verb(Operation.ADD)), *piece], Operation.ADD
    for position, token in enumerate(piece):
        if token.text in _BLUNT | _SHARPEN and position == len([t for t in piece[:position] if t.kind is Kind.FILLER]):
            operation = Operation.ADD if token.text in _BLUNT else Operation.REMOVE
            piece = [*piece[:position], Token(Kind.VERB, token.text, Verb(operation)), *piece[position + 1 :]]
    if operation is None:
        return piece
    return [
        Token(Kind.FINDING, token.text, "blunting of the costophrenic angle")
        if token.value == "costophrenic" else token
        for token in piece
    ]  # fmt: skip
