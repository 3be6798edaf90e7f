"""Unknown words: an unknown verb is no request, and the attributes of an unknown noun belong to nobody else.

In "add edema and treat the effusion" a verb that is not known must not inherit "add"; in "add left pacemaker and
effusion" the side is the pacemaker's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .lexicon import Kind, Reason, Token, Verb

# Adjectives that describe a finding and may stand before its attributes.
DESCRIPTORS = frozenset(
    [
        "dense",
        "patchy",
        "hazy",
        "diffuse",
        "focal",
        "multifocal",
        "streaky",
        "linear",
        "bandlike",
        "platelike",
        "discrete",
        "loculated",
        "layering",
        "free",
        "tension",
        "simple",
        "complex",
        "peripheral",
        "central",
        "medial",
        "lateral",
        "anterior",
        "posterior",
        "smooth",
        "round",
        "confluent",
        "reticular",
        "nodular",
        "interstitial",
        "alveolar",
        "airspace",
        "subsegmental",
        "segmental",
        "lobar",
        "associated",
        "mediastinal",
        "additional",
        "extra",
        "single",
        "solitary",
        "multiple",
        "several",
        "few",
        "scattered",
        "known",
        "existing",
        "old",
        "new",
        "fresh",
        "recent",
        "cm",
        "mm",
    ]
)
_ADJECTIVE_ENDINGS = ("ed", "al", "ic", "ous", "ive", "ar", "ly", "ing", "oid", "ent", "ant", "ary", "ory")
_ARTICLES = frozenset(["the", "a", "an", "his", "her", "their", "this", "that", "its"])
_PIECE_STARTS = (Kind.AND, Kind.SOFT_STOP)
_PIECE_ENDS = (Kind.AND, Kind.SOFT_STOP, Kind.STOP, Kind.VERB, Kind.KEEP, Kind.NOT)
_ATTRIBUTES = (Kind.LEVEL, Kind.SIDE, Kind.ZONE)


def is_noun(word: str) -> bool:
    """Return True unless an unknown word looks like an adjective, an adverb or a number."""
    if not any(letter.isalpha() for letter in word):
        return False
    return not (word in DESCRIPTORS or word.endswith(_ADJECTIVE_ENDINGS) or any(letter.isdigit() for letter in word))


def mark_unknown_verbs(tokens: Sequence[Token]) -> list[Token]:
    """Turn the parts of a list that an unknown verb opens into asides."""
    marked = list(tokens)
    for start, end in _pieces(tokens):
        if _opens_with_unknown_verb(tokens[start:end]):
            marked[start:end] = [
                Token(Kind.ASIDE, token.text, reason=Reason.UNKNOWN_VERB) for token in tokens[start:end]
            ]
    return marked


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield start and end of the parts of lists that would inherit a verb."""
    verb = False
    for position, token in enumerate(tokens):
        verb = (verb or isinstance(token.value, Verb)) and token.kind is not Kind.STOP
        if verb and token.kind in _PIECE_STARTS:
            end = position + 1
            while end < len(tokens) and tokens[end].kind not in _PIECE_ENDS:
                end += 1
            yield position + 1, end


def _opens_with_unknown_verb(piece: Sequence[Token]) -> bool:
    place = next((n for n, token in enumerate(piece) if token.kind is not Kind.FILLER), len(piece))
    if place == len(piece) or piece[place].kind is not Kind.UNKNOWN:
        return False
    word, rest = piece[place].text, piece[place + 1 :]
    while rest and rest[0].kind in (Kind.UNKNOWN, Kind.PREPOSITION, Kind.WITH):
        rest = rest[1:]
    if not rest or not any(token.kind is Kind.FINDING for token in rest):
        return False
    article = rest[0].text in _ARTICLES
    return (article and not word.isdigit()) or (is_noun(word) and rest[0].kind in _ATTRIBUTES)
