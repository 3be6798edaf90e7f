"""Scope of a side in a list of findings.

"Effusion and consolidation on the right" and "right effusion and consolidation" put both on the right. An article or an
attribute begins a new item, so that in "edema and an effusion on the right" the side is the effusion's alone. So does
the published wording ("the findings of right pleural effusion and consolidation"), in which each finding has its own
place, and a finding that usually has no side, such as edema. "Adjacent atelectasis" is on the side of the finding
before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from x2x_core.common.errors import InputError

from .lexicon import Kind, Token
from .vocabulary import FINDINGS, OTHER_SIDE

_ENDS = (Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)
_ARTICLES = frozenset(("a", "an", "the"))
_EACH = frozenset(("all", "both", "each", "of", "them"))
_CONTEXT = frozenset(("patient", "patients", "pt", "man", "woman", "case", "known", "who", "history", "setting", "due",
                      "because", "despite", "given"))  # fmt: skip
_PLACES = (Kind.SIDE, Kind.ZONE)
#: Findings that are usually in both lungs.
DIFFUSE = frozenset(["edema", "emphysema", "vascular congestion", "hilar congestion", "heart failure", "hypoxemia"])
_SAME_SIDE = frozenset(["adjacent", "underlying", "overlying", "neighbouring", "neighboring", "ipsilateral"])
_LUNGS = frozenset(["lung", "lungs", "lobe", "parenchyma", "base"])
_BESIDE_FINDING = (Kind.FILLER, Kind.LEVEL, Kind.UNKNOWN)


def share_sides(tokens: Sequence[Token]) -> list[Token]:
    """Repeat a side that begins or ends a list before each of its findings."""
    shared: list[Token] = []
    for phrase in _phrases(_without_correlatives(tokens)):
        phrase = _with_shared_place(_with_shared_level(phrase))
        phrase = _with_leading_side(_with_neighbours(phrase))
        tail = _tail(phrase)
        if tail is None:
            shared += phrase
            continue
        side = phrase[-1] if phrase[-1].kind is Kind.SIDE else phrase[-2]
        for token in phrase[:tail]:
            if token.kind is Kind.FINDING and FINDINGS[token.name].lateral:
                shared.append(Token(Kind.SIDE, "", side.value))
            shared.append(token)
        shared += [Token(Kind.FILLER, token.text) for token in phrase[tail:]]
    return shared


def _with_shared_level(phrase: list[Token]) -> list[Token]:
    """Repeat the level of "nodule, effusion and edema, all mild" before each finding.

    Raises:
        InputError: a finding of the list has a level of its own.
    """
    last = max((n for n, token in enumerate(phrase) if token.kind is Kind.FINDING), default=len(phrase))
    rest = [token for token in phrase[last + 1 :] if token.kind is not Kind.AND]
    levels = [token for token in rest if token.kind is Kind.LEVEL]
    opens = bool(rest) and rest[0].text in ("all", "both", "each")
    listed = sum(token.kind is Kind.FINDING for token in phrase) > 1
    if not (listed and opens and len(levels) == 1) or any(
        token.kind not in (Kind.FILLER, Kind.LEVEL) and token.text not in _EACH for token in rest
    ):
        return phrase
    if any(token.kind is Kind.LEVEL for token in phrase[: last + 1]):
        raise InputError(
            f"`prompt` must give each finding one level, got {levels[0].text!r} for all of a list. Write the level "
            "before each finding."
        )
    shared: list[Token] = []
    for token in phrase[: last + 1]:
        shared += [levels[0], token] if token.kind is Kind.FINDING else [token]
    return shared


def _with_shared_place(phrase: list[Token]) -> list[Token]:
    """Repeat the place of "nodule, effusion and consolidation, all in the left lung" before each finding.

    Raises:
        InputError: a finding of the list has a side of its own.
    """
    last = max((n for n, token in enumerate(phrase) if token.kind is Kind.FINDING), default=len(phrase))
    rest = [token for token in phrase[last + 1 :] if token.kind is not Kind.AND]
    places = [token for token in rest if token.kind in _PLACES]
    listed = sum(token.kind is Kind.FINDING for token in phrase) > 1
    silent = (Kind.FILLER, Kind.PREPOSITION, *_PLACES)
    opens = bool(rest) and (rest[0].text in ("all", "each") or (rest[0].text, len(rest) > 1) == ("both", True))
    if not (listed and opens and places) or any(token.kind not in silent for token in rest[1:]):
        return phrase
    if rest[0].kind is Kind.SIDE:  # "both on the left", but not "both sides"
        if len(rest) < 3 or rest[1].kind is not Kind.PREPOSITION or len(places) < 2:
            return phrase
        places = places[1:]
    if any(token.kind is Kind.SIDE for token in phrase[: last + 1]):
        raise InputError(
            f"`prompt` must give each finding one side, got {places[0].text!r} for all of a list. Write the side "
            "before each finding."
        )
    shared: list[Token] = []
    for token in phrase[: last + 1]:
        if token.kind is Kind.FINDING and FINDINGS[token.name].lateral:
            shared += [Token(place.kind, "", place.value) for place in places]
        shared.append(token)
    return shared


def _with_leading_side(phrase: list[Token]) -> list[Token]:
    """Repeat the side of "right effusion and consolidation" before the second finding."""
    content = [token for token in phrase if token.kind is not Kind.FILLER and token.text]
    kinds = [token.kind for token in content if token.kind is not Kind.LEVEL]
    published = any(token.text in ("finding", "findings", "level") for token in phrase)
    if kinds != [Kind.SIDE, Kind.FINDING, Kind.AND, Kind.FINDING] or published or phrase[-1] is not content[-1]:
        return phrase
    side, first, joint, second = (token for token in content if token.kind is not Kind.LEVEL)
    between = phrase[phrase.index(first) + 1 : -1]
    if between != [joint] or joint.text not in ("and", "&", "+", "plus") or side.value == "bilateral":
        return phrase
    if not all(FINDINGS[finding.name].lateral for finding in (first, second)) or second.value in DIFFUSE:
        return phrase
    return [*phrase[:-1], Token(Kind.SIDE, "", side.value), second]


def _with_neighbours(phrase: list[Token]) -> list[Token]:
    """Replace "adjacent" and "contralateral" before a finding by the side of the finding before, or the other side."""
    return [_as_side(phrase, position) or token for position, token in enumerate(phrase)]


def _as_side(phrase: Sequence[Token], position: int) -> Token | None:
    text = phrase[position].text
    following = next((token for token in phrase[position + 1 :] if token.kind not in _BESIDE_FINDING), None)
    if text not in (*_SAME_SIDE, "contralateral") or (following is not None and following.kind is not Kind.FINDING):
        return None
    if following is None and not any(token.text in _LUNGS for token in phrase[position + 1 : position + 3]):
        return None
    before = [token for token in phrase[:position] if token.kind in (Kind.FINDING, Kind.SIDE)]
    if not any(token.kind is Kind.FINDING for token in before):
        return None
    side = next((token.name for token in reversed(before) if token.kind is Kind.SIDE), None)
    if text == "contralateral":
        return Token(Kind.SIDE, text, OTHER_SIDE[side]) if side in OTHER_SIDE else None
    if following is None:  # "atelectasis of the adjacent lung"
        return Token(Kind.SIDE, text, side) if side else Token(Kind.FILLER, text)
    if side is None or not FINDINGS[following.name].lateral:
        return Token(Kind.FILLER, text)
    return Token(Kind.SIDE, text, side)


def _without_correlatives(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with "both" of "both effusion and edema" as a function word."""
    return [
        Token(Kind.FILLER, token.text) if token.text == "both" and _is_correlative(tokens[position + 1 :]) else token
        for position, token in enumerate(tokens)
    ]


def _is_correlative(following: Sequence[Token]) -> bool:
    content = [token for token in following if token.kind not in (Kind.FILLER, Kind.LEVEL)][:3]
    kinds = [token.kind for token in content]
    return kinds == [Kind.FINDING, Kind.AND, Kind.FINDING] and not content[0].text.endswith("s")


def _phrases(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    phrase: list[Token] = []
    for token in tokens:
        if token.kind in _ENDS:
            yield phrase
            phrase = []
            yield [token]
        else:
            phrase.append(token)
    yield phrase


def _tail(phrase: Sequence[Token]) -> int | None:
    """Return where "on the right" or ", both on the right" begins at the end of a list of findings without places."""
    texts = [token.text for token in phrase]
    end = len(phrase) - (1 if texts[-1:] == ["side"] else 0)
    if end < 4 or phrase[end - 1].kind is not Kind.SIDE or texts[end - 2] != "the" or texts[end - 3] != "on":
        return None
    start = end - 3
    both = texts[start - 1] == "both"
    start -= both
    start -= both and texts[start - 1] == ","
    before = phrase[:start]
    findings = [position for position, token in enumerate(before) if token.kind is Kind.FINDING]
    if len(findings) < 2 or any(token.kind in _PLACES for token in before) or findings[-1] != len(before) - 1:
        return None
    between = texts[findings[-2] + 1 : findings[-1]]
    if _CONTEXT & set(texts[findings[0] : findings[-1]]):
        return None  # "remove the effusion in a patient with edema on the left"
    return start if both or not _ARTICLES & set(between) else None
