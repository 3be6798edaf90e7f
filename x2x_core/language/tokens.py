"""Tokeniser of the instruction language: at each word the longest known phrase becomes a token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .lexicon import Kind, Reason, Token, lexicon
from .picture_sides import patients_sides
from .spelling import Correction, corrected
from .vocabulary import DRAWN_ZONES, LEVEL_NAMES, SIDE_NAMES, is_level, level_range, match_finding

Span = tuple[int, int]


_ACRONYM = 5  # letters of the longest acronym, such as ARDS, which is no slip
_LONGEST = 6  # words of the longest phrase in the lexicon
_WORD = re.compile(
    r"3\+|[-=]+>|i\.e\.|e\.g\.|\d+\.\d+|\w+(?:['’]\w+)*(?:[-‐–/]\w+(?:['’]\w+)*)*|(?<=[^\s,;:]\s)[-–—](?=\s)|[,;.!?&+|=<>→⇒➔➜⟶()\n]"
)

# Words with a full stop: adjectives, and nouns that a sentence may end with.
_ABBREVIATIONS = frozenset(
    (
        "l",
        "r",
        "lt",
        "rt",
        "bilat",
        "sm",
        "mod",
        "lg",
        "approx",
        "resp",
        "pl",
        "pulm",
        "incr",
        "decr",
        "i.e",
        "e.g",
        "bl",
        "bil",
        "sev",
        "inc",
        "dec",
    )
)
_ABBREVIATED_NOUNS = frozenset(
    ("eff", "effs", "effus", "atel", "atelect", "cons", "consol", "opac", "cardiomeg", "pneumo", "pt", "oed")
)
_PLACE_NEXT = re.compile(r"(?:[LR]|[LR][UML][LZ]|B/L|LT|RT|BL)\b")  # a place in capitals, which opens no sentence
# A remark in brackets about what is there, which ends what is said before it.
_REMARK = re.compile(
    r"\([^()]*\b(?:sharp|clear|normal|unchanged|stable|stays?|remains?|kept|same|spared|untouched|unaffected|preserved|"
    r"not|nothing|none|is|was|has|had|known|history|existing|previous|previously|intact)\b[^()]*\)"
)
_LABEL = re.compile(r"(?:^|(?<=[\s.;,:]))[a-z]\)(?=\s)")  # of a list, such as "b)"
_NUMBER = re.compile(r"(?:^|(?<=\n))[ \t]*\d{1,2}[.)](?=\s)")  # of a list, such as "2."
_BEFORE_SIDES = frozenset(("the", "patient's", "patients", "pt's", "his", "her", "on", "on:"))
_MARKS = {**dict.fromkeys("→⇒➔➜⟶", "->"), "|": ",", "-": ",", "–": ",", "—": ","}  # marks that stand for a word


def read(text: str) -> list[Token]:
    """Return the tokens of a text in order; every word is part of one."""
    return [token for token, _ in read_places(text)]


def read_places(text: str) -> list[tuple[Token, Span]]:
    """Return the tokens of a text in order, each with the characters `(start, end)` of its phrase."""
    placed = _join_names(list(_words(text)))
    words = [word for word, _ in placed]
    tokens: list[tuple[Token, Span]] = []
    position = 0
    while position < len(words):
        phrase, length = _longest(words, position)
        span = placed[position][1][0], placed[position + length - 1][1][1]
        tokens += [(token, span) for token in phrase]
        position += length
    sides = patients_sides([token for token, _ in tokens])
    return [(token, span) for token, (_, span) in zip(sides, tokens, strict=True)]


def _join_names(placed: list[tuple[str, Span]]) -> list[tuple[str, Span]]:
    """Drop the line ends inside the name of a finding, as in "pleural" at the end of a line and "effusion"."""
    joined = list(placed)
    for position in [place for place, (word, _) in enumerate(placed) if word == "\n"][::-1]:
        words = [word for word, _ in (*joined[max(position - 4, 0) : position], *joined[position + 1 : position + 5])]
        end = min(position, 4)  # in `words`, of those before the line end
        names = (end - start < match_finding(words, start, SIDE_NAMES)[1] for start in range(end))
        if any(names) and words[end - 1 : end] != ["\n"]:
            del joined[position]
    return joined


def corrections(text: str) -> tuple[Correction, ...]:
    """Return the words of a text that are read as other words, in order."""
    pairs = ((text[start:end], word) for word, (start, end) in _words(text))
    return tuple(
        dict.fromkeys(Correction(raw, word) for raw, word in pairs if corrected(raw.lower()) == word != raw.lower())
    )


def _words(text: str) -> Iterator[tuple[str, Span]]:
    """Yield lower-case words and meaningful marks with their characters; a hyphenated range is one word."""
    lowered = text.lower()
    if len(lowered) != len(text):  # some letters become two, which would shift the characters after them
        lowered = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
    shouts = text.isupper()
    brackets = {place for found in _REMARK.finditer(lowered) for place in (found.start(), found.end() - 1)}
    lowered = _NUMBER.sub(lambda found: " " * len(found.group()), lowered)
    if labels := [found.start() for found in _LABEL.finditer(lowered)]:
        lowered = "".join("." if n in labels else " " if n - 1 in labels else c for n, c in enumerate(lowered))
    for match in _WORD.finditer(lowered.replace("’", "'")):
        if match.group() in ("(", ")"):
            if match.start() in brackets:
                yield ",", match.span()
            continue
        if match.group() in _MARKS or (match.group().endswith(">") and len(match.group()) > 1):
            yield _MARKS.get(match.group(), "->"), match.span()
            continue
        if match.group() == "." and _abbreviates(text, lowered, match.start()):
            continue
        parts = re.split(r"[-‐–/]", match.group())
        level = " ".join(parts)
        level = LEVEL_NAMES.get(level, level)
        level = _range(parts) or level
        if (" to " in level and is_level(level)) or _is_compound_of_verb(parts):
            yield level, match.span()
        else:
            for part in re.finditer(r"/|[^-‐–/]+", match.group()):
                written = text[match.start() + part.start() : match.start() + part.end()]
                acronym = not shouts and written.isupper() and len(written) <= _ACRONYM
                yield (
                    part.group() if acronym else corrected(part.group()),
                    (match.start() + part.start(), match.start() + part.end()),
                )


def _range(parts: Sequence[str]) -> str | None:
    """Return the range that two levels joined by a hyphen are, as in "mod-lg"."""
    names = [LEVEL_NAMES.get(part, "") for part in parts]
    return level_range(*names) if len(names) == 2 else None


def _abbreviates(text: str, lowered: str, place: int) -> bool:
    """Return True for a full stop after an abbreviation; after a noun, only if no capital letter follows."""
    word = re.split(r"[^\w.]", lowered[:place])[-1]
    rest = text[place + 1 :].lstrip(" ")
    following = rest[:1]
    goes_on = not following.isupper() or bool(_PLACE_NEXT.match(rest))
    return word in _ABBREVIATIONS or (word in _ABBREVIATED_NOUNS and goes_on and following != "\n")


def _is_compound_of_verb(parts: Sequence[str]) -> bool:
    """Return True for "double-check": a verb of its own, and not the one that it begins with."""
    verb = lexicon().get((parts[0],), ((Kind.UNKNOWN, None),))[0][0]
    if len(parts) != 2 or verb is not Kind.VERB or tuple(parts) in lexicon():
        return False
    return (parts[1],) not in lexicon() and match_finding(parts, 1) == (None, 0)


def _longest(words: list[str], start: int) -> tuple[list[Token], int]:
    """Return the longest phrase that begins at a word, as tokens, and its number of words."""
    name, length = match_finding(words, start, SIDE_NAMES)
    if any(match_finding(words, start + inner, SIDE_NAMES)[1] > length - inner for inner in range(1, length)):
        name, length = None, 0  # "large heart failure" is no large heart
    shortest = length if name or not length else length - 1  # "cardiac shadow" is no finding, but an organ
    for other in range(min(len(words) - start, _LONGEST), shortest, -1):
        phrase = words[start : start + other]
        if phrase[0] == "right" and other > 1 and start and words[start - 1] in _BEFORE_SIDES:
            continue  # "on the right there should be"
        meanings = lexicon().get(tuple(phrase))
        if meanings:
            texts = [" ".join(phrase), *[""] * (len(meanings) - 1)]
            reason = Reason.DESCRIPTION if meanings[0][0] is Kind.ASIDE else Reason.NOT_USED
            return [Token(kind, text, value, reason) for text, (kind, value) in zip(texts, meanings)], other
    phrase = words[start : start + max(length, 1)]
    if name:
        return [*_places_within(phrase), Token(Kind.FINDING, " ".join(phrase), name)], length
    if " to " in words[start]:  # a hyphenated range
        return [Token(Kind.LEVEL, words[start], words[start])], 1
    return [Token(Kind.UNKNOWN, word, reason=Reason.UNKNOWN) for word in phrase], len(phrase)


def _places_within(phrase: Iterable[str]) -> list[Token]:
    """Return the places inside the name of a finding, as in "collapsed left lower lobe"."""
    sides = [Token(Kind.SIDE, word, SIDE_NAMES[word]) for word in phrase if word in SIDE_NAMES]
    return sides + [Token(Kind.ZONE, word, word) for word in phrase if word in DRAWN_ZONES]


def unused(tokens: Iterable[Token]) -> list[Token]:
    """Return the tokens without function words."""
    silent = (Kind.FILLER, Kind.STATE, Kind.AND, Kind.PREPOSITION, Kind.WITH, Kind.FROM, Kind.TO)
    return [token for token in tokens if token.text and token.kind not in silent]
