"""Spelling: a word one edit from a known word is taken for it, unless it is a word of its own.

An edit inserts, drops or replaces a letter, or swaps two neighbours. A word that lies one edit from two words of
different meaning ("dncrease") is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .lexicon import Kind, lexicon
from .other_words import OTHER_WORDS
from .unknown_words import DESCRIPTORS
from .vocabulary import phrases

_LONG = 6  # letters of the shortest word whose doubled letters may be swapped
_SHORTEST = 4  # letters of the shortest word that is corrected
_CORRECTED = (Kind.VERB, Kind.KEEP, Kind.NOT, Kind.LEVEL, Kind.SIDE, Kind.ZONE)
_PLACES = (Kind.LEVEL, Kind.SIDE, Kind.ZONE)
# Slips of two letters in words that turn a request round.
_SLIPS = {
    "nto": "not", "dont't": "don't", "do'nt": "don't", "dnot": "not", "donot": "don't", "lft": "left", "rgt": "right",
    "lef": "left", "rigt": "right", "rght": "right", "ad": "add", "dd": "add", "aad": "add", "addd": "add",
    "teh": "the", "hte": "the", "adn": "and", "wiht": "with", "wth": "with", "witht": "with", "thr": "the",
    "bse": "base", "bas": "base", "upr": "upper", "lwr": "lower", "lowr": "lower", "uper": "upper", "smal": "small",
    "sml": "small", "modrate": "moderate", "moderat": "moderate", "bilatral": "bilateral", "bilteral": "bilateral",
}  # fmt: skip


@dataclass(frozen=True)
class Correction:
    """A word of the text and the known word it was taken for."""

    word: str
    taken: str


@lru_cache(maxsize=4096)
def corrected(word: str) -> str:
    """Return the known word that a lower-case word was meant to be; the word itself where that is not certain."""
    if word in _SLIPS:
        return _SLIPS[word]
    if len(word) < _SHORTEST or not word.isalpha() or word in known_words() or word in OTHER_WORDS:
        return word
    near = [known for known in _senses() if _is_one_edit(word, known) and not _inflects(word, known)]
    if not near and len(word) >= _LONG:
        near = [known for known in _senses() if _undoubled(known) == _undoubled(word)]
    return near[0] if near and len({_senses()[known] for known in near}) == 1 else word


@lru_cache(maxsize=8192)
def _undoubled(word: str) -> str:
    """Return a word with each doubled letter once, as in "efusion" for "efussion" and "effusion"."""
    return "".join(letter for n, letter in enumerate(word) if not n or letter != word[n - 1])


def resembles_place(word: str) -> bool:
    """Return True for an unknown word that could be meant as a side, a zone or a level."""
    if word in OTHER_WORDS:
        return word in ("light", "sever", "lager")  # "a light effusion"
    if word in ("ish", "esque") or (word.endswith("ish") and word[:-3] in _place_words()):
        return True
    if len(word) < _SHORTEST or word in known_words():
        return False
    if any(word.startswith(side) and word[len(side) :] in known_words() for side in ("left", "right", "bilateral")):
        return True  # "leftpleural"
    return any(_is_one_edit(word, place) for place in _place_words() if len(place) >= _SHORTEST)


def resembles_verb(word: str) -> bool:
    """Return True for an unknown word that could be meant as one of several verbs or negations."""
    verbs = (Kind.VERB, Kind.KEEP, Kind.NOT)
    if len(word) < _SHORTEST or word in OTHER_WORDS or word in known_words():
        return False
    return any(
        meanings[0][0] in verbs and len(phrase) == 1 and _is_one_edit(word, phrase[0])
        for phrase, meanings in lexicon().items()
    )


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """Return every word of the English lexicon and of the names of findings."""
    words = {word for phrase in lexicon() for word in phrase} | {word for phrase in phrases() for word in phrase}
    return frozenset(words) | DESCRIPTORS


@lru_cache(maxsize=1)
def _place_words() -> frozenset[str]:
    return frozenset(
        phrase[0] for phrase, meanings in lexicon().items() if len(phrase) == 1 and meanings[0][0] in _PLACES
    )


@lru_cache(maxsize=1)
def _senses() -> dict[str, object]:
    """Map the words that misspelt words are taken for to what they mean."""
    senses: dict[str, object] = {}
    for finding in phrases():
        for word in finding:
            if len(word) > _SHORTEST and lexicon().get((word,), ((Kind.UNKNOWN, None),))[0][0] is not Kind.FILLER:
                senses[word] = phrases()[finding] if len(finding) == 1 else word
    for phrase, meanings in lexicon().items():
        if len(phrase) == 1 and len(phrase[0]) >= _SHORTEST and meanings[0][0] in _CORRECTED:
            senses[phrase[0]] = meanings
    return senses


def _inflects(word: str, known: str) -> bool:
    """Return True for "placed" and "strips": a form of a word means something else than the word."""
    if word == known + "s" and known.endswith("y"):  # "opacitys"
        return False
    return word[:-1] == known and word[-1] in "sdry" and word[-1] != known[-1]


def _is_one_edit(word: str, known: str) -> bool:
    if abs(len(word) - len(known)) > 1 or word == known:
        return False
    return any(form == known for form in _edited(word, known))


def _edited(word: str, known: str) -> Iterator[str]:
    """Yield the forms that one edit at the first difference from `known` gives."""
    place = next((n for n, (a, b) in enumerate(zip(word, known)) if a != b), min(len(word), len(known)))
    letter = known[place : place + 1]
    yield word[:place] + letter + word[place + 1 :]
    yield word[:place] + letter + word[place:]
    yield word[:place] + word[place + 1 :]
    yield word[:place] + word[place + 1 : place + 2] + word[place : place + 1] + word[place + 2 :]
