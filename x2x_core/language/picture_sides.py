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
from .vocabulary import SIDE_NAMES

_OPPOSITE = {"left": "right", "right": "left"}
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
    return [
        replace(token, value=_OPPOSITE[token.name]) if position in flipped else token
        for position, token in enumerate(tokens)
    ]


def said_of_picture(token: Token) -> bool:
    """Return True for a side that was said of the picture and is now the patient's."""
    return _is_plain(token) and SIDE_NAMES[token.text] != token.value


def _is_plain(token: Token) -> bool:
    return token.kind is Kind.SIDE and SIDE_NAMES.get(token.text) in _OPPOSITE


def _of_picture(tokens: Sequence[Token], position: int) -> bool:
    texts = [token.text for token in tokens]
    before = texts[position - 1] if position else ""
    if before in _VIEWER | _POSSESSIVE:
        return True
    if before in _PICTURE and (position < 2 or texts[position - 2] not in _ARTICLES):
        return True
    after = position + 1
    while after < len(texts) and texts[after] in _PART:
        after += 1
    rest = texts[after : after + 6]
    if rest[:1] == ["as"] and set(rest[1:3]) & _SEEN:
        return True
    if rest[:1] == ["of"] and _names_picture(rest[1:]):
        return True
    if rest and rest[0] in _WITHIN and _names_picture(rest[1:]):
        raise InputError(
            f"`prompt` must say whose {texts[position]} is meant, got {texts[position]!r} in the image. Write the "
            f"patient's {texts[position]}, or {texts[position]} side of the image."
        )
    return False


def _names_picture(texts: Sequence[str]) -> bool:
    words = [text for text in texts if text not in _ARTICLES]
    return bool(words) and words[0] in _PICTURE
