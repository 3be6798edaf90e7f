"""Sides of the picture: "on the left side of the image" is the patient's right.

On a frontal radiograph the patient's right is on the picture's left. A side counts as the picture's if a word for the
picture or its viewer stands directly before it ("image left", "the viewer's left", "your left") or follows it with "of"
("left side of the film", "top left corner of the image"), or if the words say how it is seen ("left as seen"). Any
other side is the patient's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from x2x_core.common.errors import InputError

from .lexicon import Kind, Token
from .vocabulary import OTHER_SIDE, SIDE_NAMES

_PICTURE = frozenset(
    [
        "image",
        "picture",
        "film",
        "screen",
        "radiograph",
        "scan",
        "xray",
        "photo",
        "photograph",
        "display",
        "monitor",
        "frame",
        "view",
    ]
) | {"x ray"}
_VIEWER = frozenset(
    ["viewer", "viewers", "viewer's", "observer's", "reader's", "radiologist's", "beholder's", "your", "my", "our"]
)
_POSSESSIVE = frozenset(f"{word}'s" for word in _PICTURE)
PICTURE_WORDS = _PICTURE | _VIEWER | _POSSESSIVE  # words that say whose side is meant
_PART = frozenset(
    [
        "side",
        "sides",
        "sided",
        "hand",
        "corner",
        "half",
        "edge",
        "part",
        "portion",
        "third",
        "border",
        "margin",
        "quadrant",
        "third",
    ]
)
_ARTICLES = frozenset(["the", "this", "that", "a", "an"])
_SEEN = frozenset(["seen", "viewed", "displayed", "shown", "visible"])
_LOOKING = frozenset(["look", "looking", "see", "view", "viewing", "facing", "viewpoint", "perspective"])
_SEEN_BY = frozenset(["as", "when", "if", "from", "while"])  # open "as I look at it"
_LOOKERS = frozenset(["i", "you", "we", "one", "viewer", "viewer's", "observer", "observer's", "reader", "reader's"])
_LOOKERS_WORDS = (
    _LOOKERS
    | _LOOKING
    | _SEEN
    | {
        "at",
        "it",
        "is",
        "are",
        "my",
        "your",
        "our",
        "the",
        "point",
        "of",
        "to",
        "screen",
        "image",
        "film",
        "picture",
        "radiograph",
    }
)
_STANDPOINTS = frozenset(["perspective", "viewpoint", "standpoint", "view", "point"])
_BODY = frozenset(["chest", "thorax", "ribcage", "body", "lungs"])
_WITHIN = frozenset(["in", "on", "within"])


def patients_sides(tokens: Sequence[Token]) -> list[Token]:
    """Replace every side of the picture by the patient's side; the text of the token keeps the word.

    Raises:
        InputError: a side that can be the picture's or the patient's, such as "left in the image".
    """
    flipped = {position for position, token in enumerate(tokens) if _is_plain(token) and _of_picture(tokens, position)}
    for position in sorted(flipped):  # "on the left (image left)": one side, said twice
        before = position - 1
        while before >= 0 and tokens[before].text in _ARTICLES | _PICTURE | _POSSESSIVE | {"side", "i", "e"}:
            before -= 1
        if before >= 0 and _is_plain(tokens[before]) and tokens[before].value == tokens[position].value:
            flipped.add(before)
    silent = {place for position in range(len(tokens)) for place in _silent_words(tokens, position)}
    silent |= {n - 1 for n in flipped if n and tokens[n - 1].text in _VIEWER | _POSSESSIVE | _PICTURE}
    silent |= {n for side in flipped for n in range(side + 1, min(side + 5, len(tokens))) if tokens[n].text in _PICTURE}
    _check_seen(tokens, silent)
    turned = [
        replace(token, value=OTHER_SIDE[token.name]) if position in flipped else token
        for position, token in enumerate(tokens)
    ]
    return [Token(Kind.FILLER, token.text) if place in silent else token for place, token in enumerate(turned)]


def _check_seen(tokens: Sequence[Token], silent: set[int]) -> None:
    """Refuse "as I see it, right lower opacity", where the side is not beside the words that say whose it is.

    Raises:
        InputError: such words away from the only side.
    """
    texts = [token.text for token in tokens]
    for position, text in enumerate(texts):
        words = [word for word in texts[position + 1 : position + 4] if word not in _ARTICLES]
        whose = text == "from" and {*words[:1]} & (_VIEWER | _LOOKERS) and {*words[1:3]} & _STANDPOINTS
        looked = whose or (
            text == "as" and {*words[:1]} & _LOOKERS and {*words[1:2]} & (_LOOKING | {"sees", "views", "looks"})
        )
        if not looked or position in silent:
            continue
        side = next((token for token in tokens if _is_plain(token)), None)
        if side is not None:
            raise InputError(
                f"`prompt` must say whose {side.text} is meant beside it. Write the patient's {side.text}, or "
                f"{side.text} side of the image."
            )


def _silent_words(tokens: Sequence[Token], position: int) -> range:
    """Return the words after a side that only say whose it is: "half" of "half of the image", "as I look at it"."""
    if not _is_plain(tokens[position]):
        return range(0)
    texts = [token.text for token in tokens]
    after = position + 1
    while after < len(texts) and texts[after] in _PART:
        after += 1
    if texts[after : after + 1] == ["of"] and _names_picture(texts[after + 1 :], _PICTURE | _BODY):
        return range(position + 1, after)
    if _is_seen(texts[after:]):
        end = after + 1
        while end < len(texts) and texts[end] in _LOOKERS_WORDS:
            end += 1
        return range(after, end)
    return range(0)


def _is_seen(texts: Sequence[str]) -> bool:
    """Return True for "as I look at it", "when viewed" and "from the viewer's perspective", but not the patient's."""
    if texts[:1] not in [[word] for word in _SEEN_BY]:
        return False
    words = [*texts[1:4]]
    looked = bool(set(words[:3]) & _LOOKING) and bool(
        set(words) & (_LOOKERS | {"my", "your", "our", "looking", "viewing", "facing"})
    )
    seen = _SEEN if texts[0] == "as" else _SEEN - {"seen", "visible", "shown"}  # "when seen" can be a condition
    return looked or (texts[0] in ("as", "when", "if") and bool(set(words[:2]) & seen))


def said_of_picture(token: Token) -> bool:
    """Return True for a side that was said of the picture and is now the patient's."""
    return _is_plain(token) and SIDE_NAMES[token.text] != token.value


def _is_plain(token: Token) -> bool:
    return token.kind is Kind.SIDE and SIDE_NAMES.get(token.text) in OTHER_SIDE


def _of_picture(tokens: Sequence[Token], position: int) -> bool:
    texts = [token.text for token in tokens]
    start = position
    while start and tokens[start - 1].kind is Kind.ZONE:  # "the picture's lower right"
        start -= 1
    before = texts[start - 1] if start else ""
    if before in _POSSESSIVE:
        return True
    before = texts[position - 1] if position else ""
    if before in _VIEWER | _POSSESSIVE:
        return True
    if before in _PICTURE and (position < 2 or texts[position - 2] not in _ARTICLES):
        return True
    after = position + 1
    while after < len(texts) and texts[after] in _PART:
        after += 1
    rest = texts[after : after + 6]
    if _is_seen(texts[after:]) and "patient" not in texts[after : after + 8]:
        return True
    if rest[:1] == ["of"] and _names_picture(rest[1:]):
        return True
    if rest and rest[0] in _WITHIN and _names_picture(rest[1:]):
        raise InputError(
            f"`prompt` must say whose {texts[position]} is meant, got {texts[position]!r} in the image. Write the "
            f"patient's {texts[position]}, or {texts[position]} side of the image."
        )
    return False


def _names_picture(texts: Sequence[str], names: frozenset[str] = _PICTURE) -> bool:
    words = [text for text in texts if text not in _ARTICLES]
    return bool(words) and words[0] in names
