"""Function words that no rule has read: they stop the edit, since they can change what the rest means.

An unknown noun or adjective describes ("a spiculated nodule") and is left out with a warning. Unknown words of the
closed classes (conjunctions, prepositions, pronouns, auxiliaries) join what stands beside them in a way that is not
understood, and a negation that negates nothing may have been meant for what is edited.
"""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError
from x2x_core.language.lexicon import Kind, Token
from x2x_core.language.sentences import VerbPhrase
from x2x_core.language.spelling import Correction

_CLOSED_TEXT = """
    when where wherever whenever until till against somewhere anywhere nowhere nobody something someone how why whom
    whether except besides regardless depending provided assuming supposing conversely respectively former latter ditto
    does did instead largest biggest smallest tiniest hugest severest
    vice versa reversed contrary twice thrice threefold twofold rather meant
"""
_ASKING = frozenset(("does", "did"))
_NEGATIONS = frozenset(["not", "never", "neither", "do not", "don't", "dont", "cannot", "does not"])
_ATTRIBUTES = (Kind.LEVEL, Kind.SIDE, Kind.ZONE)
_CLOSED = frozenset(_CLOSED_TEXT.split())


def check_function_words(phrases: Sequence[VerbPhrase]) -> None:
    """Refuse requests with function words that were not understood.

    Raises:
        InputError: such as "put the nodule where I see left", or a negation of nothing.
    """
    if not any(phrase.names(Kind.FINDING) for phrase in phrases):
        return
    requests = sum(phrase.verb is not None and phrase.names(Kind.FINDING) for phrase in phrases)
    exchanged = requests > 1
    for number, phrase in enumerate(phrases):
        place = number > 0 and phrases[number - 1].names(Kind.SIDE, Kind.ZONE)  # "right lung: no change"
        unread = (token.text for token in phrase.tokens if _is_unread(token))
        word = next((text for text in unread if text != "instead" or not exchanged), None)
        if word is not None and (word in _ASKING or phrase.names(Kind.FINDING, *_ATTRIBUTES)):
            raise InputError(
                f"`prompt` must say what to edit in plain words, but {word!r} is not understood and could change what "
                "the rest means. Write for example: Add the finding of left pleural effusion."
            )
        contracted = phrase.word.endswith("n't")
        opens = (
            phrase.word in _NEGATIONS
            or phrase.negated
            or contracted
            or (
                phrase.forbidden is not None
                and requests > 0
                and not (place and not phrases[number - 1].names(Kind.FINDING))
            )
        )
        if opens and phrase.bare and not phrase.names(Kind.ASIDE):
            raise InputError(
                f"`prompt` must say what is not to be edited, got {phrase.word or 'a negation'!r} alone. Write for "
                "example: Add the finding of edema. Do not remove pleural effusion."
            )


def _is_unread(token: Token) -> bool:
    return token.kind is Kind.UNKNOWN and token.text in _CLOSED


def check_spelling(tokens: Sequence[Token], misspelt: Sequence[Correction]) -> None:
    """Refuse a misspelt finding with a level or a place of its own beside another finding, which could take them.

    Raises:
        InputError: such as "large left efusion and mild edema".
    """
    findings = [token for token in tokens if token.kind is Kind.FINDING and token.text]
    if len({token.value for token in findings}) < 2 or not any(token.kind in _ATTRIBUTES for token in tokens):
        return
    for correction in misspelt:
        if any(correction.taken in token.text.split() for token in findings):
            raise InputError(
                f"`prompt` must spell each of several findings, whose levels and places could go astray, got "
                f"{correction.word!r}. Write {correction.taken!r} if that is meant."
            )
