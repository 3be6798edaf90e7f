"""Tokeniser of the tables: at each place the longest phrase of the language becomes a token."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from .table import Language, phrases


class Role(Enum):
    """Role of a phrase in a sentence."""

    VERB = auto()
    FINDING = auto()
    SIDE = auto()
    LEVEL = auto()
    ZONE = auto()
    ARROW = auto()
    AND = auto()
    COMMA = auto()
    STOP = auto()
    JOINER = auto()
    FILLER = auto()


CONTENT = (Role.FINDING, Role.SIDE, Role.LEVEL, Role.ZONE)


@dataclass(frozen=True)
class Word:
    """A phrase with its role."""

    role: Role
    text: str
    value: str = ""  # canonical name
    filler: bool = False  # an arrow that is a function word elsewhere


class UnknownPhraseError(ValueError):
    """A word that is in no entry of a table."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


_MARKS = {
    **dict.fromkeys(".!?;\n。", Role.STOP),
    **dict.fromkeys(",、", Role.COMMA),
    **dict.fromkeys("-~", Role.JOINER),
    ":": Role.FILLER,
}
_PIECE = re.compile(r"\w+|[^\w\s]|\n")


def words_of(text: str, language: Language) -> list[Word]:
    """Return the words of a text.

    Raises:
        UnknownPhraseError: a word that the table does not hold.
    """
    pieces = _pieces(text, language)
    words, position = [], 0
    while position < len(pieces):
        word, length = _longest(pieces, position, language)
        if word is None:
            raise UnknownPhraseError(_unknown_at(pieces, position, language))
        words.append(word)
        position += length
    return words


def content_words(text: str, language: Language, known: frozenset[str]) -> list[Word]:
    """Return the verbs, findings, sides, levels and zones in a text, without those that are in `known`.

    Args:
        text: in any language.
        language: whose words are looked for.
        known: words that are another language's too.
    """
    pieces, others = _pieces(text, language), _folded(known, language)
    found, position = [], 0
    while position < len(pieces):
        word, length = _longest(pieces, position, language)
        if word and word.role in (Role.VERB, *CONTENT) and not set(pieces[position : position + length]) <= others:
            found.append(word)
        position += max(length, 1)
    return found


def fold(text: str, language: Language) -> str:
    """Return a text in lower case with one form of each dash and width, and, of spaced languages, no diacritics."""
    text = re.sub("[–—‐‑−]", "-", text.replace("\u301c", "~").replace("\uff5e", "~"))
    if not language.spaced:
        return unicodedata.normalize("NFKC", text).casefold()
    text = text.casefold().replace("œ", "oe").replace("æ", "ae")
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign) != "Mn")
    for digraph, letter in language.digraphs.items():
        plain = plain.replace(digraph, letter)
    return re.sub("['’ʼ]", " ", plain)


_folds: dict[tuple[str, frozenset[str]], frozenset[str]] = {}  # by language code and words, made on first use


def _folded(words: frozenset[str], language: Language) -> frozenset[str]:
    """Return words as `fold` writes them."""
    key = language.code, words
    if key not in _folds:
        _folds[key] = frozenset(fold(word, language) for word in words)
    return _folds[key]


def _pieces(text: str, language: Language) -> list[str]:
    """Return the words and marks of a text; of an unspaced language, its characters without spaces."""
    folded = fold(text, language)
    if language.spaced:
        return _PIECE.findall(folded)
    return [sign for sign in folded if sign == "\n" or not sign.isspace()]


@cache
def _index(language: Language) -> tuple[dict[tuple[str, ...], Word], int]:
    """Return the phrases of a language, as pieces, and the length of the longest."""
    index: dict[tuple[str, ...], Word] = {}
    for word in _entries(language):
        pieces = tuple(_pieces(word.text, language))
        for form in {pieces, tuple(piece for piece in pieces if piece != "-")}:
            other = index.get(form)
            if other and (other.role, other.value) != (word.role, word.value):
                if {other.role, word.role} != {Role.ARROW, Role.FILLER}:
                    raise AssertionError(f"{language.code}: {word.text!r} is {other.role} and {word.role}")
                index[form] = Word(Role.ARROW, word.text, filler=True)
            else:
                index[form] = word
    return index, max(map(len, index))


def _entries(language: Language) -> Iterator[Word]:
    tables = (
        (Role.VERB, language.verbs),
        (Role.FINDING, language.findings),
        (Role.SIDE, language.sides),
        (Role.LEVEL, language.levels),
        (Role.ZONE, language.zones),
    )
    for role, table in tables:
        for value, entry in table.items():
            yield from (Word(role, phrase, value) for phrase in phrases(entry))
    lists = ((Role.AND, language.conjunctions), (Role.ARROW, language.arrows), (Role.FILLER, language.fillers))
    for role, entry in lists:
        yield from (Word(role, phrase) for phrase in phrases(entry))
    yield Word(Role.JOINER, language.range_joiner)


def _longest(pieces: list[str], start: int, language: Language) -> tuple[Word | None, int]:
    index, longest = _index(language)
    for length in range(min(longest, len(pieces) - start), 0, -1):
        word = index.get(tuple(pieces[start : start + length]))
        if word:
            return word, length
    role = _MARKS.get(pieces[start])
    return (Word(role, pieces[start]), 1) if role else (None, 0)


def _unknown_at(pieces: list[str], start: int, language: Language) -> str:
    """Return the unknown word; of an unspaced language, the characters up to the next known phrase or mark."""
    end = start + 1
    while not language.spaced and end < len(pieces) and _longest(pieces, end, language)[0] is None:
        end += 1
    return "".join(pieces[start:end])
