"""Instructions in other languages: read wholly by the table of one language, or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from x2x_core.common.errors import InputError

from .clauses import Clause, Operation
from .languages import LANGUAGES, Language
from .languages.reading import UnreadError, read_in
from .languages.table import phrases
from .languages.words import Role, content_words
from .languages.writing import write_in
from .other_words import OTHER_WORDS
from .spelling import corrected, known_words

ENGLISH = "en"
_EXAMPLE = Clause(Operation.ADD, "pleural effusion", "left", None, "moderate")
_SHORTEST = 4  # letters of the shortest word that is looked up alone
_SCRIPTS = {"ko": (("\uac00", "\ud7a3"),), "ja": (("\u3040", "\u30ff"),), "zh": (("\u4e00", "\u9fff"),)}


@dataclass(frozen=True)
class Translated:
    """A text that was read in another language."""

    clauses: tuple[Clause, ...]
    language: str


def read_other_language(text: str) -> Translated | None:
    """Return the clauses of a text that one of the tables reads wholly; `None` if none does.

    Raises:
        InputError: a text that means different things in two languages, or that a table refuses for its content.
    """
    read: dict[str, tuple[Clause, ...]] = {}
    for code, language in LANGUAGES.items():
        if text.isascii() and not language.spaced:
            continue
        if language.spaced and not content_words(text, language, known_words()):
            continue  # English reads these words too
        try:
            read[code] = read_in(text, language)
        except UnreadError:
            continue
    if len(set(read.values())) > 1:
        names = " and ".join(LANGUAGES[code].name for code in read)
        raise InputError(f"`prompt` means different things in {names}, got {text!r}. Write it in English.")
    return next((Translated(clauses, code) for code, clauses in read.items()), None)


def check_no_other_language(text: str) -> None:
    """Refuse a text in another language that its table does not read wholly.

    Raises:
        InputError: with the reason, and an example in that language and in English.
    """
    language = _language_of(text)
    if language is None or _is_misspelt_english(text):
        return
    try:
        read_in(text, language)
    except UnreadError as error:
        raise InputError(
            f"`prompt` looks like {language.name}, but {error}. Write for example: {write_in([_EXAMPLE], language)} "
            f"In English: Add the finding of {_EXAMPLE.item()}."
        ) from error


@lru_cache(maxsize=1024)
def is_foreign_place(word: str) -> bool:
    """Return True for a side, zone or level of another language in an English text, such as "rechts"."""
    if len(word) < _SHORTEST or word in known_words() or word in OTHER_WORDS:
        return False
    return any(
        word == phrase.casefold()
        for language in LANGUAGES.values()
        if language.spaced
        for table in (language.sides, language.zones, language.levels)
        for entry in table.values()
        for phrase in phrases(entry)
    )


def _is_misspelt_english(text: str) -> bool:
    """Return True for "add left pneumotorax": English words, of which some are misspelt."""
    return all(corrected(word) in known_words() for word in re.findall(r"\w+", text.lower()))


def _language_of(text: str) -> Language | None:
    """Return the language whose script or words a text has; `None` for English and for languages without a table."""
    for code, ranges in _SCRIPTS.items():
        if any(first <= letter <= last for letter in text for first, last in ranges):
            return LANGUAGES[code]
    counts = {code: _own_words(text, language) for code, language in LANGUAGES.items() if language.spaced}
    best = max(counts, key=lambda code: counts[code])
    return LANGUAGES[best] if counts[best] >= 2 else None


def _own_words(text: str, language: Language) -> int:
    """Count the content words of a text that are the language's and not English; verbs and findings count double."""
    words = content_words(text, language, known_words())
    return sum(2 if word.role in (Role.VERB, Role.FINDING) else 1 for word in words)
