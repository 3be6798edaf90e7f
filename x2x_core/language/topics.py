"""Topics: a finding named first, with what to do with it after it, as in "the left effusion, make it large".

"It" and "them" stand for the whole noun phrase, with its level and place. An adjective that follows what is added
("add an effusion on the left and make it large") is its level.
"""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError

from .clauses import Operation
from .lexicon import ABSENT, Kind, Token, Verb
from .vocabulary import COURSES

_ALL_OF_THEM = frozenset(
    ("all", "them all", "all of them", "all of these", "all of those", "these all", "all three", "all these",
     "all of the above", "both of them", "both of these", "everything listed", "the lot", "each of them", "each")
)  # fmt: skip
_PUTTING = frozenset(("put", "place", "draw", "add", "insert", "put in", "paint"))
_PRONOUNS = frozenset(("it", "them", "that", "this", "these", "those"))
_STOPS = (Kind.STOP, Kind.SOFT_STOP)
_BREAKS = (*_STOPS, Kind.AND)
_SILENT_OPENINGS = frozenset(("about", "regarding", "concerning", "see", "note", "re", "for", "as", "that", "this"))
_ACTS = (Kind.VERB, Kind.KEEP, Kind.NOT)


def join_topics(tokens: Sequence[Token]) -> list[Token]:
    """Put a noun phrase that opens a text, or what is described before, in the place of "it"."""
    return _join_levels(_join_pronoun(list(tokens)))


def read_all(tokens: Sequence[Token]) -> list[Token]:
    """Read "edema, effusion and pneumonia - add all" as "add them": all that was named before."""
    verb = next((n for n, token in enumerate(tokens) if token.kind in _ACTS), len(tokens))
    rest = [token.text for token in tokens[verb + 1 :] if token.kind not in _STOPS and token.text != "please"]
    findings = sum(token.kind is Kind.FINDING for token in tokens[:verb])
    if findings > 1 and rest and " ".join(rest) in _ALL_OF_THEM:
        return [*tokens[: verb + 1], Token(Kind.FILLER, "them")]
    return list(tokens)


def _join_pronoun(tokens: list[Token]) -> list[Token]:
    pronoun = next((place for place in range(len(tokens)) if _is_object(tokens, place)), None)
    if pronoun is None:
        return _join_bare(tokens)
    verb = next((n for n, token in enumerate(tokens) if token.kind in _ACTS), len(tokens))
    topic = _topic(tokens[:verb])
    if verb > pronoun or not topic:
        return tokens
    if any(token.kind in (Kind.FINDING, Kind.SIDE, Kind.ZONE) for token in _until_break(tokens[pronoun + 1 :])):
        return tokens  # "left effusion: move it to the right"
    findings = [token for token in topic if token.kind is Kind.FINDING]
    if len(findings) > 1 and tokens[pronoun].text in ("it", "that", "this"):
        names = " or ".join(token.text for token in findings)
        raise InputError(f"`prompt` must say which finding {tokens[pronoun].text!r} stands for: {names}. Name it.")
    levels = [token for token in topic if token.kind is Kind.LEVEL]
    if len(findings) == len(levels) == 1:  # "edema mild, make it severe"
        topic = [*levels, *(token for token in topic if token.kind not in (Kind.LEVEL, Kind.AND))]
    return [*tokens[verb:pronoun], *topic, *tokens[pronoun + 1 :]]


def _join_bare(tokens: list[Token]) -> list[Token]:
    """Read "The film shows a nodule. Please remove." as "remove a nodule"."""
    verb = next((n for n, token in enumerate(tokens) if token.kind in _ACTS and not _is_present(token)), len(tokens))
    before = [token for token in tokens[:verb] if not _is_present(token)]
    stop = next((n for n in range(len(before) - 1, -1, -1) if before[n].kind in _STOPS), None)
    silent = all(token.kind in (Kind.FILLER, *_STOPS) for token in tokens[verb + 1 :])
    opens = stop is not None and all(token.kind is Kind.FILLER for token in before[stop + 1 :])
    value = tokens[verb].value if verb < len(tokens) else None
    acts = isinstance(value, Verb) and not value.makes and not value.present
    topic = _topic(before) if silent and opens and acts else []
    return [tokens[verb], *topic] if topic else tokens


def _is_present(token: Token) -> bool:
    return isinstance(token.value, Verb) and token.value.present


def _is_object(tokens: Sequence[Token], place: int) -> bool:
    """Return True for "it" after a verb, with nothing between them but function words."""
    if not place:
        return False
    before, after = tokens[place - 1], tokens[place + 1 : place + 2]
    if tokens[place].text == "both":
        return before.kind is Kind.VERB and (not after or after[0].kind in _BREAKS)
    pronoun = tokens[place].kind is Kind.FILLER or (tokens[place].text == "them" and tokens[place].kind is Kind.UNKNOWN)
    if tokens[place].text not in _PRONOUNS or not pronoun:
        return False
    if tokens[place].text not in ("it", "them") and _names_more(tokens, place):
        return False
    return before.kind is Kind.VERB or before.kind is Kind.KEEP


def _names_more(tokens: Sequence[Token], place: int) -> bool:
    """Return True for "this effusion" and "this patient"."""
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    return following is not None and following.kind not in (*_BREAKS, Kind.TO, Kind.LEVEL, Kind.WITH)


def _until_break(tokens: Sequence[Token]) -> list[Token]:
    end = next((n for n, token in enumerate(tokens) if token.kind in _BREAKS), len(tokens))
    return list(tokens[:end])


def _topic(tokens: list[Token]) -> list[Token]:
    """Return the noun phrase that the tokens before the first verb are; empty if they are anything else.

    Of several sentences the last one that names a finding is taken.
    """
    while tokens and (tokens[-1].kind in _BREAKS or tokens[-1].kind is Kind.FILLER):
        tokens = tokens[:-1]
    start = max((n + 1 for n, token in enumerate(tokens) if token.kind in _STOPS), default=0)
    topic = tokens[start:]
    while topic and (topic[0].text in _SILENT_OPENINGS or topic[0].kind is Kind.FILLER):
        topic = topic[1:]
    named = any(token.kind is Kind.FINDING for token in topic)
    states = any(token.value == ABSENT or token.kind in (Kind.STATE, Kind.TO, Kind.FROM) for token in topic)
    told = any(token.kind is Kind.FINDING for token in tokens[:start])
    return topic if named and not states and not told and not _is_sentence(topic) else []


def _is_sentence(topic: Sequence[Token]) -> bool:
    """Return True for "effusion is larger": more than a noun phrase."""
    return any(token.kind is Kind.LEVEL and token.value in COURSES for token in topic)


def _join_levels(tokens: list[Token]) -> list[Token]:
    """Read "add an effusion and make it large" as "add an effusion, large", and "put it on the left" likewise."""
    for place, token in enumerate(tokens):
        makes = isinstance(token.value, Verb) and token.value.makes
        puts = token.kind is Kind.VERB and token.text in _PUTTING
        if not (makes or puts) or not place or not _adds(tokens[:place]):
            continue
        end = place + 1
        if end >= len(tokens) or tokens[end].text not in ("it", "them"):
            continue
        rest = _until_break(tokens[end + 1 :])
        kinds = [other.kind for other in rest if other.kind is not Kind.FILLER]
        placed = puts and {*kinds} & {Kind.SIDE, Kind.ZONE} and {*kinds} <= {Kind.SIDE, Kind.ZONE, Kind.PREPOSITION}
        if (not placed and kinds != [Kind.LEVEL]) or any(other.value in (*COURSES, ABSENT) for other in rest):
            continue
        start = place
        while start and tokens[start - 1].kind in (*_BREAKS, Kind.FILLER):
            start -= 1
        joint = [] if placed else [Token(Kind.AND, ",")]
        return [*tokens[:start], *joint, *tokens[end + 1 :]]
    return tokens


def _adds(tokens: Sequence[Token]) -> bool:
    """Return True if the last request adds one finding without a level."""
    verb = next((n for n in range(len(tokens) - 1, -1, -1) if tokens[n].kind in _ACTS), None)
    if verb is None:
        return False
    value = tokens[verb].value
    findings = sum(token.kind is Kind.FINDING for token in tokens[verb:])
    levels = any(token.kind is Kind.LEVEL for token in tokens[verb:])
    return isinstance(value, Verb) and value.operation is Operation.ADD and findings == 1 and not levels
