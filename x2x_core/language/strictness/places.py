"""Places and levels that are not understood or contradict each other: without them, the edit could be elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.lexicon import Kind, Token
from x2x_core.language.other_languages import is_foreign_place
from x2x_core.language.picture_sides import PICTURE_WORDS
from x2x_core.language.sentences import VerbPhrase
from x2x_core.language.spelling import resembles_place
from x2x_core.language.unknown_words import DESCRIPTORS, is_noun
from x2x_core.language.vocabulary import zones_meet

_PLACE_NOUNS_TEXT = """
    side sides zone zones lobe lobes lob field fields third thirds quadrant hemithorax hemithoraces corner
"""
_PLACE_NOUNS = frozenset(_PLACE_NOUNS_TEXT.split())
_PLACE_WORDS_TEXT = """
    behind between beneath beside beyond along across toward towards inside outside against below above under
    underneath leftmost rightmost topmost outermost innermost furthest farthest adjacent opposite ipsilateral
    contralateral next unilateral unilaterally either onesided lhs rhs
"""
_REST = frozenset(("else", "otherwise", "rest", "other", "anything", "change", "changes", "findings", "than"))
_ONE_SIDED = frozenset(["unilateral", "unilaterally", "onesided"])
_PLACE_WORDS = frozenset(_PLACE_WORDS_TEXT.split())
_HARMLESS_TEXT = """
    setting general particular total fact order case addition cxr pa ap view study exam examination subject
    female male patient man woman person photo possible least most once first background style moment time
    existing bit instead one addition well too
"""
_HARMLESS = frozenset(_HARMLESS_TEXT.split())
_VIEWS = frozenset(("pa", "ap", "frontal", "portable", "digital", "supine", "erect", "upright", "cxr", "original",
                    "given", "attached", "uploaded", "current", "provided", "input"))  # fmt: skip
_QUALITIES = frozenset(("size", "degree", "severity", "extent", "volume", "amount", "grade"))
_WITHIN_TEXT = """
    in on at within over near around throughout
"""
_WITHIN = frozenset(_WITHIN_TEXT.split())
_SPLITS = (
    Kind.AND, Kind.WITH, Kind.VERB, Kind.KEEP, Kind.NOT, Kind.FINDING, Kind.ASIDE, Kind.TO, Kind.PREPOSITION,
    Kind.STOP, Kind.SOFT_STOP, Kind.FROM,
)  # fmt: skip
_EXAMPLE = (
    "Name a side (left, right, bilateral), a zone (upper, middle, lower, apical, basal, perihilar, hilar, "
    "retrocardiac, costophrenic) and a level (minimal to massive), or leave them out."
)


def check_places(phrase: VerbPhrase) -> None:
    """Refuse a phrase with a finding if a side, a zone or a level in it was not understood.

    Raises:
        InputError: an unknown word where a place or a level is expected.
    """
    if not phrase.names(Kind.FINDING):
        _check_fragment(phrase)
        return
    tokens = phrase.tokens
    _check_stray_side(tokens)
    for position, token in enumerate(tokens):
        if token.kind is Kind.UNKNOWN and _is_place(tokens, position):
            what = "level" if _is_level_expected(tokens, position) else "side, zone or level"
            raise InputError(
                f"`prompt` has a {what} that is not understood: {token.text!r}. Without it, the edit could be made in "
                f"the wrong place. {_EXAMPLE}"
            )


def _check_stray_side(tokens: Sequence[Token]) -> None:
    """Refuse "pneumothorax with a rim on the right", where the side could be that of the finding.

    Raises:
        InputError: the only side of a phrase stands after an unknown noun.
    """
    sides = [position for position, token in enumerate(tokens) if token.kind is Kind.SIDE]
    if len(sides) != 1:
        return
    start = max((n for n in range(sides[0]) if tokens[n].kind in (Kind.AND, Kind.WITH)), default=0)
    part = tokens[start : sides[0]]
    nouns = [token.text for token in part if token.kind is Kind.UNKNOWN and is_noun(token.text)]
    prepositional = any(token.kind is Kind.PREPOSITION for token in part)
    if nouns and prepositional and not any(token.kind is Kind.FINDING for token in part):
        raise InputError(
            f"`prompt` must name the side of each finding, got {tokens[sides[0]].text!r} beside {nouns[0]!r}, which "
            "is not understood. Leave it out, or write the side before the finding."
        )


def _check_fragment(phrase: VerbPhrase) -> None:
    """Refuse "not mild but severe" and "no, on the left", which take back a level or a place.

    Raises:
        InputError: a negated phrase without a finding that names a level or a place.
    """
    takes_back = phrase.negated or phrase.word in ("not", "never", "neither")
    kinds = (Kind.LEVEL, Kind.SIDE, Kind.ZONE) if takes_back else (Kind.LEVEL,)
    if (phrase.negated or phrase.keep) and phrase.names(*kinds):
        words = " ".join(token.text for token in phrase.tokens if token.kind in kinds)
        raise InputError(f"`prompt` must say what to edit, not what it is not, got {words!r} after a negation.")


def _is_place(tokens: Sequence[Token], position: int) -> bool:
    token = tokens[position]
    following = next((other for other in tokens[position + 1 :] if other.kind is not Kind.UNKNOWN), None)
    if token.text in _ONE_SIDED and any(other.kind is Kind.SIDE for other in tokens):
        return False
    if resembles_place(token.text) or token.text in _PLACE_WORDS or is_foreign_place(token.text):
        return True
    if token.text == "most" and tokens[position - 1].kind is Kind.SIDE and position:  # "left-most"
        return True
    if following and following.text in _PLACE_NOUNS and following.kind is Kind.FILLER:
        return True
    return _is_level_expected(tokens, position) or _is_in_place_phrase(tokens, position)


def _is_level_expected(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "to whopping" after a finding, and for "of gargantuan size"."""
    following = tokens[position + 1].text if position + 1 < len(tokens) else ""
    if following in _QUALITIES and position and tokens[position - 1].text == "of":
        return True
    if tokens[position].text in _VIEWS:
        return False
    before = position - 1
    while before >= 0 and tokens[before].kind is Kind.FILLER:
        before -= 1
    return before > 0 and tokens[before].kind in (Kind.TO, Kind.FROM)


def _is_in_place_phrase(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "azygos" in "in the azygos lobe", and for "lateral" in "in the lateral lung"."""
    word = tokens[position].text
    start = position
    while start >= 0 and tokens[start].kind not in _SPLITS:
        start -= 1
    if start < 0 or word in _HARMLESS | PICTURE_WORDS:
        return False
    of_finding = [token.text for token in tokens[start + 1 : start + 3]] == ["of", "the"]  # "opacity of the fissure"
    if tokens[start].text not in _WITHIN and not (tokens[start].kind is Kind.FINDING and of_finding):
        return False
    noun = next((other.text for other in tokens[position + 1 :] if other.kind is not Kind.UNKNOWN), "")
    if is_noun(word) or _closes_noun_phrase(tokens, position) or noun in ("region", "area", "space", "regions"):
        return True
    end = position
    while end < len(tokens) and tokens[end].kind not in _SPLITS:
        end += 1
    placed = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in tokens[start:end])
    finding_follows = end < len(tokens) and tokens[end].kind is Kind.FINDING  # "in diffuse edema"
    return word in DESCRIPTORS and not placed and not finding_follows


def _closes_noun_phrase(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "cricoid" in "at the cricoid": a noun, whatever its ending."""
    after = tokens[position + 1 : position + 2]
    return tokens[position - 1].text in ("the", "a", "an") and (not after or after[0].kind in _SPLITS[:4])


def check_no_rest_in_place(tokens: Sequence[Token]) -> None:
    """Refuse "add an effusion without changing anything else on the left": the place could be the effusion's.

    Raises:
        InputError: a place directly behind words that say that the rest stays.
    """
    for position, token in enumerate(tokens):
        words = token.text.split()
        if token.kind is not Kind.FILLER or len(words) < 2 or not _REST & {*words}:
            continue
        end = position + 1
        while end < len(tokens) and tokens[end].kind in (Kind.FILLER, Kind.PREPOSITION, Kind.STATE, Kind.UNKNOWN):
            end += 1
        if end < len(tokens) and tokens[end].kind in (Kind.SIDE, Kind.ZONE):
            raise InputError(
                f"`prompt` must say what to edit and where, got {tokens[end].text!r} behind {token.text!r}. Leave the "
                "place out, or write it beside its finding."
            )


def check_sides(clauses: Sequence[Clause]) -> None:
    """Refuse one finding that clauses place on both sides and on one of them.

    Raises:
        InputError: such as "bilateral effusion, left only".
    """
    for number, clause in enumerate(clauses):
        for other in clauses[:number]:
            sides = {clause.side, other.side}
            if (
                clause.finding == other.finding
                and clause.operation is other.operation
                and sides in ({"bilateral", "left"}, {"bilateral", "right"})
                and zones_meet(clause.zone, other.zone)
            ):
                raise InputError(
                    f"`prompt` must name one side of {clause.finding}, got {other.side} and {clause.side}. Keep one of "
                    "the two."
                )


def check_open_sides(phrase: VerbPhrase, clauses: Sequence[Clause]) -> None:
    """Refuse "add a mild edema and a severe one on the left": the first could be on the left, too.

    Raises:
        InputError: such clauses of a phrase in which "one" stands for a finding.
    """
    if not any(token.kind is Kind.FINDING and token.text in ("one", "ones", "another") for token in phrase.tokens):
        return
    for number, clause in enumerate(clauses):
        for other in clauses[:number]:
            if _differ_in_naming_side(clause, other):
                raise InputError(
                    f"`prompt` must name the side of each {clause.finding}, got {clause.side or other.side} and none. "
                    "Write left, right or bilateral for both."
                )


def _differ_in_naming_side(clause: Clause, other: Clause) -> bool:
    """Return True for additions of one finding with two levels, of which one has a side and the other none."""
    same = clause.finding == other.finding and clause.operation is other.operation is Operation.ADD
    apart = (clause.side is None) != (other.side is None)
    return same and apart and clause.zone == other.zone and clause.level != other.level
