"""Sides of the picture: "on the left side of the image" is the patient's right.

On a frontal radiograph the patient's right is on the picture's left. A side counts as the picture's if a word for the
picture or its viewer stands directly before it ("image left", "the viewer's left", "your left") or behind it ("left
image side"), also with "of" ("left side of the film", "left lower corner of the image"), or if the words say how it is
seen ("left as seen"). A side that can be either ("left in the image", "left zone of the film") is refused. Any other
side is the patient's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from x2x_core.common.errors import InputError

from .lexicon import Kind, Token
from .vocabulary import OTHER_SIDE, SIDE_NAMES

_SHORT = frozenset(("cxr", "png", "jpeg", "jpg", "canvas", "plate", "viewport", "projection", "exposure", "radiogram",
                    "roentgenogram", "pixels"))  # fmt: skip
_PICTURE = _SHORT | {
    "image", "images", "picture", "film", "screen", "radiograph", "scan", "xray", "x ray", "photo", "photograph",
    "display", "monitor", "frame", "view",
}  # fmt: skip
_VIEWER = frozenset(
    ["viewer", "viewers", "viewer's", "observer's", "reader's", "radiologist's", "beholder's", "your", "my", "our"]
)
_POSSESSIVE = frozenset(f"{word}'s" for word in _PICTURE)
PICTURE_WORDS = _PICTURE | _VIEWER | _POSSESSIVE  # words that say whose side is meant
_PART = frozenset(("side", "sides", "sided", "hand", "corner", "half", "edge", "part", "parts", "portion", "third",
                   "border", "margin", "quadrant", "center", "centre", "most", "section", "column"))  # fmt: skip
_OF_BODY = frozenset(("zone", "zones", "field", "region", "area", "aspect"))
_ADJECTIVES = frozenset(("chest", "whole", "entire", "given", "original", "input", "provided", "displayed", "frontal",
                         "ap", "pa", "thorax", "patient's", "pt's"))  # fmt: skip
_SHOWN = frozenset(("displayed", "projected", "depicted", "rendered"))
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
    breaks = [position for position, token in enumerate(tokens) if token.text == "\n"]
    sides = _patients_sides([token for token in tokens if token.text != "\n"])  # "on the left\nside of the image"
    for position in breaks:
        sides.insert(position, tokens[position])
    return sides


def _patients_sides(tokens: Sequence[Token]) -> list[Token]:
    flipped = {position for position, token in enumerate(tokens) if _is_plain(token) and _of_picture(tokens, position)}
    for position in sorted(flipped):  # "on the left (image left)": one side, said twice
        before = position - 1
        while before >= 0 and tokens[before].text in _ARTICLES | _PICTURE | _POSSESSIVE | {"side", "i", "e"}:
            before -= 1
        if before >= 0 and _is_plain(tokens[before]) and tokens[before].value == tokens[position].value:
            flipped.add(before)
    silent = {place for position in range(len(tokens)) for place in _silent_words(tokens, position)}
    silent |= {n - 1 for n in flipped if n and tokens[n - 1].text in _VIEWER | _POSSESSIVE | _PICTURE}
    silent |= {n for side in flipped for n in range(side + 1, min(side + 8, len(tokens)))
               if tokens[n].text in _PICTURE | _ADJECTIVES | _PART and _is_silent(tokens[n])}  # fmt: skip
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
        words = [word for word in texts[position + 1 : position + 6] if word not in _ARTICLES]
        whose = text == "from" and {*words[:1]} & (_VIEWER | _LOOKERS) and {*words[1:3]} & _STANDPOINTS
        looked = whose or (
            text == "as" and {*words[:1]} & _LOOKERS and {*words[1:2]} & (_LOOKING | {"sees", "views", "looks"})
        )
        shown = text in ("as", "when") and {*words[:1]} & _SEEN and {*words[1:2]} & _WITHIN and {*words[2:4]} & _PICTURE
        if not (looked or shown) or position in silent:
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
    return _is_plain(token) and OTHER_SIDE[SIDE_NAMES[token.text]] == token.value


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
    if before in _PICTURE and _follows_picture(tokens, position):
        return True
    end = position + 1
    while end < len(texts) and (texts[end] in _PART or tokens[end].kind is Kind.ZONE):
        end += 1
    part = _part_end(texts, position + 1)
    seen = next((texts[n:] for n in (part, end) if _is_seen(texts[n:])), None)
    if seen is not None and "patient" not in seen[:8]:
        return True
    if texts[end : end + 1] == ["of"] and _names_picture(texts[end + 1 :]):
        return True
    picture = end + 1 if {*texts[end : end + 1]} & _ADJECTIVES else end
    if _names_picture(texts[picture : picture + 1]) and _is_compound(tokens, position, picture):
        return True
    _check_whose(tokens, position, end)
    return False


def _part_end(texts: Sequence[str], after: int) -> int:
    while after < len(texts) and texts[after] in _PART:
        after += 1
    return after


def _follows_picture(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "image left" and "on the image right side", but not for "to the image left effusion"."""
    start = position - 2
    while start >= 0 and tokens[start].text in _ADJECTIVES:
        start -= 1
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    named = after is not None and after.kind in (Kind.FINDING, Kind.LEVEL, Kind.ZONE, Kind.UNKNOWN)
    articled = start >= 0 and tokens[start].text in _ARTICLES
    return not named or not (articled or tokens[position - 1].text in _SHORT)


def _is_compound(tokens: Sequence[Token], position: int, picture: int) -> bool:
    """Return True for "left image side", "left film margin" and "left image" at the end of a part."""
    following = tokens[picture + 1] if picture + 1 < len(tokens) else None
    if following is not None and following.text in _PART:
        return True
    before = tokens[position - 1].text if position else ""
    return picture <= position + 2 and following is None and before not in _ARTICLES


def _check_whose(tokens: Sequence[Token], position: int, end: int) -> None:
    """Refuse "left in the image", "(left side, image)", "left zone of the film" and "displayed on the left".

    Raises:
        InputError: a side that can be the picture's or the patient's.
    """
    texts = [token.text for token in tokens]
    rest = texts[end : end + 6]
    body = end
    while body < len(texts) and (texts[body] in _OF_BODY | _PART or tokens[body].kind is Kind.ZONE):
        body += 1
    noun = 2 if {*rest[1:2]} & _ADJECTIVES else 1  # of "left, chest radiograph"
    ends = end + noun + 1 == len(texts) or (
        end + noun + 1 < len(texts) and tokens[end + noun + 1].kind in (Kind.STOP, Kind.SOFT_STOP, Kind.AND)
    )
    doubt = (
        (bool(rest) and rest[0] in _WITHIN and _names_picture(rest[1:]))
        or (rest[:1] == [","] and ends and _names_picture(rest[noun : noun + 1]))
        or (body > end and texts[body : body + 1] == ["of"] and _names_picture(texts[body + 1 :]))
        or bool(_SHOWN & {*texts[max(position - 3, 0) : position]} and "on" in texts[max(position - 2, 0) : position])
    )
    if doubt:
        raise InputError(
            f"`prompt` must say whose {texts[position]} is meant, got {texts[position]!r} in the image. Write the "
            f"patient's {texts[position]}, or {texts[position]} side of the image."
        )


def _is_silent(token: Token) -> bool:
    """Return True for words that name neither a finding nor its attributes."""
    return token.kind in (Kind.FILLER, Kind.UNKNOWN) or token.text == "display"


def _names_picture(texts: Sequence[str], names: frozenset[str] = _PICTURE) -> bool:
    words = [text for text in texts if text not in _ARTICLES]
    while words and words[0] in _ADJECTIVES - names and {*words[1:4]} & _PICTURE:
        words = words[1:]
    return bool(words) and words[0] in names
