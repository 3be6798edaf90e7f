"""The words of the instruction language: a text cut into tokens, each the longest phrase known at its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from .clauses import Operation
from .vocabulary import LEVEL_NAMES, SIDE_NAMES, ZONE_NAMES, is_level, match_finding

ABSENT = "none"  # the level of a finding that is not there


class Kind(Enum):
    """What a token is in a sentence."""

    VERB = auto()  # value: `Verb`
    KEEP = auto()  # what follows is to be left alone; before a verb it forbids it
    NOT = auto()  # what follows is not to be there; before a verb it forbids it
    FINDING = auto()  # value: canonical name
    LEVEL = auto()  # value: canonical level, or `ABSENT`
    SIDE = auto()  # value: canonical side
    ZONE = auto()  # value: canonical zone
    FROM = auto()
    TO = auto()
    WITH = auto()  # "and", or "to" after a verb that replaces
    AND = auto()
    PREPOSITION = auto()
    SOFT_STOP = auto()  # ends a sentence whose verb may go on to the next
    STOP = auto()
    FILLER = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class Verb:
    """What a verb asks for."""

    operation: Operation
    course: str | None = None  # the level that it leads to where none is named
    replaces: bool = False  # "replace X with Y"
    makes: bool = False  # "make": adds, or changes where a level follows the finding


@dataclass(frozen=True)
class Token:
    """A word, or several that form one phrase; if they have two meanings, the second token has no text."""

    kind: Kind
    text: str
    value: Verb | str | None = None

    @property
    def name(self) -> str:
        """The canonical name of a finding, level, side or zone."""
        assert isinstance(self.value, str)
        return self.value


_VERBS = {
    Verb(Operation.ADD): "add, adds, added, adding, insert, inserted, put, simulate, show, introduce, include, create, "
    "give, generate, induce, draw, place, paint, synthesize, synthesise, superimpose, imagine, look like it has, "
    "has an additional, has additional",
    Verb(Operation.REMOVE): "remove, removes, removed, removing, delete, deleted, erase, erased, clear, cleared, "
    "resolve, eliminate, drop, cure, drain, get rid of, take away, take out, disappear, vanish, go away, free of, "
    "negative for, instead of, rather than, is missing, no longer has, no longer have, no evidence of, no sign of, "
    "no signs of, absence of",
    Verb(Operation.CHANGE): "change, changes, changed, changing, alter, set, turn, convert, transform, modify, adjust, "
    "move, shift",
    Verb(Operation.CHANGE, replaces=True): "replace, exchange, substitute, swap",
    Verb(Operation.CHANGE, "increasing"): "increase, increases, worsen, worsens, raise, enlarge, aggravate, "
    "exacerbate, intensify, amplify, expand, grow",
    Verb(Operation.CHANGE, "decreasing"): "decrease, decreases, reduce, reduces, lessen, diminish, improve, lower the, "
    "shrink, weaken, alleviate",
    Verb(Operation.ADD, makes=True): "make, makes, making",
}  # fmt: skip
# A verb and a finding in one.
_SHORTHANDS = {
    (Operation.ADD, "cardiomegaly"): "enlarge the heart, enlarge heart, increase the heart size, increase heart size",
    (Operation.REMOVE, "cardiomegaly"): "shrink the heart, shrink heart, reduce the heart size, reduce heart size, "
    "normalize the heart size, normalise the heart size, normalize heart size, normalise heart size",
    (Operation.ADD, "enlargement of the cardiac silhouette"): "enlarge the cardiac silhouette",
}
_STRUCTURE = {
    Kind.KEEP: "keep, keeping, leave, leaving, preserve, preserving, retain, maintain, except, except for, apart from, "
    "other than, without affecting, without touching, without altering, without disturbing, not, do not, don't, dont, "
    "does not, never",
    Kind.NOT: "without, no",
    Kind.FROM: "from",
    Kind.TO: "to, into, becomes, become",
    Kind.WITH: "with, by",
    Kind.AND: "and, or, nor, plus, as well as, but, also, along with, together with, then, comma, /, &, +",
    Kind.PREPOSITION: "in, on, at, within, over, near, around, throughout",
    Kind.SOFT_STOP: "; \n",
    Kind.STOP: ". ! ?",
    Kind.FILLER:
        "a, an, the, finding, findings, lung, lungs, pulmonary, zone, zones, lobe, lobes, field, fields, "
        "side, sides, sided, region, regions, area, areas, part, parts, portion, portions, angle, angles, "
        "sulcus, hemithorax, hemithoraces, chest, thorax, patient, patient's, level, levels, size, degree, "
        "severity, amount, extent, please, there, is, are, be, should, has, have, this, that, it, its, "
        "it's, his, her, their, new, some, any, now, make sure, i, want, to see, would like, let, us, "
        "let's, can, could, you, image, radiograph, x ray, xray, picture, scan, film, for, as, of, "
        "evidence, signs, visible, so, just, only, following, everything, anything, else, rest, all, same, "
        "other, others, unchanged, alone",
}  # fmt: skip
_ABSENT_WORDS = "none, absent, nothing, zero, resolved, normal, gone"
# Words that name a side and a zone at once.
_PLACES = {
    "rul": ("right", "upper"), "rml": ("right", "middle"), "rll": ("right", "lower"),
    "lul": ("left", "upper"), "lml": ("left", "middle"), "lll": ("left", "lower"),
    "bibasilar": ("bilateral", "basal"), "bibasal": ("bilateral", "basal"), "biapical": ("bilateral", "apical"),
    "bihilar": ("bilateral", "hilar"),
}  # fmt: skip
_LONGEST = 4  # words of the longest phrase that is no finding
_WORD = re.compile(r"\d+\.\d+|\w+(?:['’]\w+)*(?:[-‐–/]\w+(?:['’]\w+)*)*|[,;.!?&+\n]")


_Meaning = tuple[Kind, "Verb | str | None"]
Span = tuple[int, int]


@lru_cache(maxsize=1)
def _lexicon() -> dict[tuple[str, ...], tuple[_Meaning, ...]]:
    """Every known phrase but the findings, as words in lower case, to kinds and values: one, seldom two."""
    known: dict[str, tuple[_Meaning, ...]] = {}
    for kind, phrases in _STRUCTURE.items():
        separator = " " if kind in (Kind.SOFT_STOP, Kind.STOP) else ", "
        known.update((phrase, ((kind, None),)) for phrase in phrases.split(separator))
    known[","] = known.pop("comma")
    for verb, phrases in _VERBS.items():
        known.update((phrase, ((Kind.VERB, verb),)) for phrase in phrases.split(", "))
    for (operation, finding), phrases in _SHORTHANDS.items():
        meaning = (Kind.VERB, Verb(operation)), (Kind.FINDING, finding)
        known.update((phrase, meaning) for phrase in phrases.split(", "))
    for kind, names in ((Kind.LEVEL, LEVEL_NAMES), (Kind.SIDE, SIDE_NAMES), (Kind.ZONE, ZONE_NAMES)):
        known.update((phrase, ((kind, name),)) for phrase, name in names.items() if " to " not in phrase)
    known.update((word, ((Kind.LEVEL, ABSENT),)) for word in _ABSENT_WORDS.split(", "))
    known.update((word, ((Kind.SIDE, side), (Kind.ZONE, zone))) for word, (side, zone) in _PLACES.items())
    return {tuple(phrase.split(" ")): found for phrase, found in known.items()}


def read(text: str) -> list[Token]:
    """The tokens of a text, in order; every word of it is in one of them."""
    return [token for token, _ in read_places(text)]


def read_places(text: str) -> list[tuple[Token, Span]]:
    """The tokens of a text, in order, and the characters `(start, end)` of the phrase that each is read from."""
    placed = list(_words(text))
    words = [word for word, _ in placed]
    tokens: list[tuple[Token, Span]] = []
    position = 0
    while position < len(words):
        found, length = _longest(words, position)
        span = placed[position][1][0], placed[position + length - 1][1][1]
        tokens += [(token, span) for token in found]
        position += length
    return tokens


def _words(text: str) -> Iterator[tuple[str, Span]]:
    """Words in lower case and the marks that matter, with their characters; a range with hyphens is one word."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters become two, which would move all that follow
        lowered = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
    for match in _WORD.finditer(lowered.replace("’", "'")):
        parts = re.split(r"[-‐–/]", match.group())
        level = " ".join(parts)
        level = LEVEL_NAMES.get(level, level)
        if " to " in level and is_level(level):
            yield level, match.span()
        else:
            for part in re.finditer(r"/|[^-‐–/]+", match.group()):
                yield part.group(), (match.start() + part.start(), match.start() + part.end())


def _longest(words: list[str], start: int) -> tuple[list[Token], int]:
    """The longest phrase that begins at a word, as tokens, and the number of its words."""
    name, length = match_finding(words, start, SIDE_NAMES)
    for other in range(min(len(words) - start, _LONGEST), length, -1):
        phrase = words[start : start + other]
        meanings = _lexicon().get(tuple(phrase))
        if meanings:
            texts = [" ".join(phrase), *[""] * (len(meanings) - 1)]
            return [Token(kind, text, value) for text, (kind, value) in zip(texts, meanings)], other
    phrase = words[start : start + max(length, 1)]
    if name:
        return [*_sides_within(phrase), Token(Kind.FINDING, " ".join(phrase), name)], length
    if " to " in words[start]:  # a range with hyphens
        return [Token(Kind.LEVEL, words[start], words[start])], 1
    return [Token(Kind.UNKNOWN, word) for word in phrase], len(phrase)


def _sides_within(phrase: Iterable[str]) -> list[Token]:
    """The sides that stand inside a finding's name, as in "blunting of the left costophrenic angle"."""
    return [Token(Kind.SIDE, word, SIDE_NAMES[word]) for word in phrase if word in SIDE_NAMES]


def unused(tokens: Iterable[Token]) -> tuple[str, ...]:
    """The words of tokens that were not made use of, without those that say nothing."""
    silent = (Kind.FILLER, Kind.AND, Kind.PREPOSITION, Kind.WITH, Kind.FROM, Kind.TO)
    return tuple(token.text for token in tokens if token.text and token.kind not in silent)
