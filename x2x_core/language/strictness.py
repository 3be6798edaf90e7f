"""Strict reading: words that were not understood, but could change where or what is edited, stop the edit.

To leave out "in the azygos lobe" would edit both lungs, and to leave out "refrain from" would do what is forbidden.
Unknown words that only describe ("a spiculated nodule") are left out with a warning. Findings and places that no
request claims stop the edit as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from x2x_core.common.errors import InputError

from .clauses import Clause, Operation
from .lexicon import ABSENT, Kind, Reason, Token
from .picture_sides import PICTURE_WORDS
from .sentences import VerbPhrase
from .spelling import resembles_place, resembles_verb
from .unknown_words import DESCRIPTORS, is_noun
from .vocabulary import zones_meet

# Unknown words that turn a request round, move findings, make it conditional or take it back.
_TURNING_TEXT = """
    flip flips flipped flipping mirror mirrors mirrored mirroring invert inverted reflect rotate transpose
    relocate transfer migrate switch reverse opposite unhide uncover unless otherwise sorry oops actually wait
    correction nope mean scratch if lack removal deletion nearly almost virtually stop refrain fail refuse
    decline cease prevent forget half quarter longer partial partially partly percent un non vs versus yes
    whichever whatever choose pick randomly random arbitrary clearer clarity visibility contrast brightness
    sharper crisper barely hardly scarcely conspicuity conspicuous brighter darker
"""
_TURNING = frozenset(_TURNING_TEXT.split())
_NOMINAL = frozenset(["removal", "deletion", "half", "quarter", "partial", "lack"])  # of their own sentence alone
_PLACE_NOUNS_TEXT = """
    side sides zone zones lobe lobes field fields third thirds quadrant hemithorax hemithoraces corner
"""
_PLACE_NOUNS = frozenset(_PLACE_NOUNS_TEXT.split())
_PLACE_WORDS_TEXT = """
    behind between beneath beside beyond along across toward towards inside outside against below above under
    underneath adjacent opposite ipsilateral contralateral next unilateral unilaterally either onesided lhs rhs
"""
_ONE_SIDED = frozenset(["unilateral", "unilaterally", "onesided"])
_PLACE_WORDS = frozenset(_PLACE_WORDS_TEXT.split())
_HARMLESS_TEXT = """
    setting general particular total fact order case addition cxr pa ap view study exam examination subject
    female male patient man woman person photo possible least most once first background style moment time
    existing bit instead one addition well too
"""
_HARMLESS = frozenset(_HARMLESS_TEXT.split())
_WILLING_TEXT = """
    try like want wish need prefer love proceed going able help us order consider mind
"""
_WILLING = frozenset(_WILLING_TEXT.split())
_WITHIN_TEXT = """
    in on at within over near around throughout
"""
_WITHIN = frozenset(_WITHIN_TEXT.split())
_DEFINITE = frozenset(["the", "this", "that", "these", "those", "his", "her", "its"])
_DETERMINERS = frozenset(["a", "an"])
_SAYING_PLACE = frozenset(["location", "localization", "site", "position", "place", "was", "were", "where"])
_BESIDE = frozenset(["around", "over", "near", "on", "in", "for", "to", "at", "within", "onto", "into"])
_COUNTS = frozenset(["two", "three", "four", "any", "either", "several", "few"])
_SHOWS = frozenset(["show", "display", "demonstrate", "illustrate", "portray"])
_STAND_INS = frozenset(["one", "ones", "those"])  # for a finding that is not found
_SPLITS = (
    Kind.AND, Kind.WITH, Kind.VERB, Kind.KEEP, Kind.NOT, Kind.FINDING, Kind.ASIDE, Kind.TO, Kind.PREPOSITION,
    Kind.STOP, Kind.SOFT_STOP, Kind.FROM,
)  # fmt: skip
_EXAMPLE = (
    "Name a side (left, right, bilateral), a zone (upper, middle, lower, apical, basal, perihilar, hilar, "
    "retrocardiac, costophrenic) and a level (minimal to massive), or leave them out."
)


def check_no_turning(tokens: Sequence[Token]) -> None:
    """Refuse unknown words that could turn a request round.

    Raises:
        InputError: such a word in a text that names a finding.
    """
    if not any(token.kind is Kind.FINDING for token in tokens):
        return
    for position, token in enumerate(tokens):
        if token.kind is not Kind.UNKNOWN:
            continue
        before = tokens[position - 1].text if position else ""
        if (before, token.text) == ("negative", "prompt"):
            raise InputError("`prompt` has no negative part. Write what to add, remove or change, and nothing else.")
        if token.text in _NOMINAL and not _names_finding(tokens, position):
            continue
        if token.text in _TURNING or resembles_verb(token.text) or _could_be_verb(tokens, position):
            raise InputError(
                f"`prompt` must say what to add, remove or change, but {token.text!r} is not understood and could turn "
                "the request round. Write for example: Remove the finding of left pleural effusion. Add the finding of "
                "right pleural effusion."
            )


def _names_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True if the sentence around a position names a finding."""
    start, end = position, position
    while start and tokens[start - 1].kind is not Kind.STOP:
        start -= 1
    while end < len(tokens) and tokens[end].kind is not Kind.STOP:
        end += 1
    return any(token.kind is Kind.FINDING for token in tokens[start:end])


def _could_be_verb(tokens: Sequence[Token], position: int) -> bool:
    return _governs_verb(tokens, position) or _opens_item(tokens, position)


def _opens_item(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "zap" in "add edema and zap pneumonia"."""
    if not 0 < position < len(tokens) - 1 or not is_noun(tokens[position].text):
        return False
    verb_before = any(token.kind is Kind.VERB for token in tokens[:position])
    follows = tokens[position - 1].kind in (Kind.AND, Kind.SOFT_STOP)
    return verb_before and follows and tokens[position + 1].kind is Kind.FINDING


def _governs_verb(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "fail" in "fail to add" and "risk" in "risk adding"."""
    word, following = tokens[position].text, tokens[position + 1 : position + 3]
    if word in _WILLING or not following:
        return False
    if following[0].kind in (Kind.TO, Kind.FROM):
        return len(following) > 1 and following[1].kind is Kind.VERB
    return following[0].kind is Kind.VERB and following[0].text.endswith("ing") and is_noun(word)


def check_objects(phrase: VerbPhrase) -> None:
    """Refuse requests whose object is no finding: "draw a box around the effusion", "show me the effusion".

    Raises:
        InputError: an unknown thing beside a finding, or a finding that is only to be shown.
    """
    if phrase.verb is None or phrase.verb.operation is not Operation.ADD or not phrase.names(Kind.FINDING):
        return
    tokens = [token for token in phrase.tokens if token.text not in _DETERMINERS | {"me", "us"}]
    thing = next((n for n, token in enumerate(tokens) if token.kind is not Kind.ASIDE), len(tokens))
    beside = tokens[thing + 1 : thing + 2]
    if (
        tokens[thing:]
        and tokens[thing].kind is Kind.UNKNOWN
        and is_noun(tokens[thing].text)
        and beside
        and beside[0].text in _BESIDE
        and _finding_follows(tokens[thing + 2 :])
    ):
        raise InputError(
            f"`prompt` must name a finding to add, got {tokens[thing].text!r} beside one. Write for example: Add the "
            "finding of left pleural effusion."
        )
    if phrase.word in _SHOWS and tokens[thing : thing + 1] and tokens[thing].text in _DEFINITE and (
        _finding_follows(tokens[thing + 1 :])
    ):  # fmt: skip
        raise InputError(
            f"`prompt` must say what to edit, but {phrase.word!r} with a finding that is there changes nothing. Write "
            "for example: Add the finding of left pleural effusion."
        )


def _finding_follows(tokens: Sequence[Token]) -> bool:
    attributes = (Kind.FILLER, Kind.LEVEL, Kind.SIDE, Kind.ZONE)
    return next((token.kind for token in tokens if token.kind not in attributes), None) is Kind.FINDING


def check_headings(phrases: Sequence[VerbPhrase]) -> None:
    """Refuse "mild on the left, severe on the right: add edema", where the attributes would be lost.

    Raises:
        InputError: levels and places before a verb that are not the place of its findings.
    """
    requested = any(phrase.names(Kind.FINDING) for phrase in phrases)
    for phrase in phrases:
        kinds = {token.kind for token in phrase.tokens}
        attributes = {Kind.LEVEL, Kind.SIDE, Kind.ZONE}
        silent = {*attributes, Kind.AND, Kind.PREPOSITION, Kind.FILLER}
        stray = phrase.verb is not None and not phrase.keep and requested and Kind.FINDING not in kinds
        if stray and Kind.LEVEL in kinds and kinds <= silent:
            words = " ".join(token.text for token in phrase.tokens if token.text)
            raise InputError(f"`prompt` must name a finding after each verb, got {words!r} alone.")
        placed = bool(kinds & {Kind.SIDE, Kind.ZONE})
        if phrase.heads and placed and Kind.LEVEL in kinds and kinds <= silent:
            words = " ".join(token.text for token in phrase.tokens if token.text)
            raise InputError(f"`prompt` must name the finding before its levels and places, got {words!r} alone.")


def check_choices(tokens: Sequence[Token]) -> None:
    """Refuse "add an effusion or remove the pneumonia".

    Raises:
        InputError: "or" between two requests.
    """
    for position, token in enumerate(tokens[:-1]):
        if token.text in _COUNTS and tokens[position + 1].text == "of" and _finding_follows(tokens[position + 2 :]):
            raise InputError(f"`prompt` must name what to edit, got '{token.text} of' several. Name each finding.")
    for position, token in enumerate(tokens[1:], 1):
        if _treats(tokens, position):
            raise InputError(
                f"`prompt` must say what to do with the finding, got {token.text!r} as the purpose of something else. "
                "Write for example: Remove the finding of left pneumothorax."
            )
        if token.kind is not Kind.VERB or tokens[position - 1].text != "or":
            continue
        before = [other.kind for other in tokens[: position - 1]]
        if Kind.VERB in before and Kind.KEEP not in before and Kind.NOT not in before:
            raise InputError("`prompt` must not leave a choice open, got 'or' between two requests. Write one of them.")


def _treats(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "treat" in "place a chest tube to treat the pneumothorax"."""
    if tokens[position].kind is not Kind.VERB or tokens[position - 1].kind is not Kind.TO:
        return False
    verb = next((n for n in range(position - 1, -1, -1) if tokens[n].kind is Kind.VERB), None)
    between = tokens[verb + 1 : position - 1] if verb is not None else []
    named = any(token.kind is Kind.FINDING for token in between)
    return any(token.kind is Kind.UNKNOWN and is_noun(token.text) for token in between) and not named


def check_places(phrase: VerbPhrase) -> None:
    """Refuse a phrase with a finding if a side, a zone or a level in it was not understood.

    Raises:
        InputError: an unknown word where a place or a level is expected.
    """
    if not phrase.names(Kind.FINDING):
        _check_fragment(phrase)
        return
    tokens = phrase.tokens
    _check_made(phrase)
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


def _check_made(phrase: VerbPhrase) -> None:
    """Refuse "make the nodule rounder": what the finding is to become is not understood.

    Raises:
        InputError: an unknown word after a finding that is there.
    """
    if phrase.verb is None or not phrase.verb.makes or phrase.names(Kind.LEVEL):
        return
    tokens = phrase.tokens
    finding = next(n for n, token in enumerate(tokens) if token.kind is Kind.FINDING)
    unknown = next((token.text for token in tokens[finding:] if token.kind is Kind.UNKNOWN), None)
    if unknown and any(token.text in _DEFINITE for token in tokens[:finding]):
        raise InputError(
            f"`prompt` must say what {tokens[finding].text} should become, but {unknown!r} is not understood. Write "
            f"for example: Change the level of {tokens[finding].name} to mild."
        )


def check_verbs(phrases: Sequence[VerbPhrase]) -> None:
    """Refuse a verb without an object after the request of another verb.

    Raises:
        InputError: such as "add a left effusion, the right one should disappear".
    """
    for before, phrase in pairwise(phrases):
        _check_no_double_removal(before, phrase)
        _check_negated_list(before, phrase)
        if before.verb is None or before.keep or phrase.keep or phrase.verb is None or not phrase.bare:
            continue
        if before.names(Kind.FINDING) and before.verb.operation is not phrase.verb.operation and not phrase.negated:
            raise InputError(
                "`prompt` must name what to edit after each verb. Write a sentence for each, for example: Add the "
                "finding of left pleural effusion. Remove the finding of right pleural effusion."
            )


def _check_negated_list(before: VerbPhrase, phrase: VerbPhrase) -> None:
    """Refuse "add cardiomegaly, no edema, left effusion", where the last one could be added or removed.

    Raises:
        InputError: a list after "no" in a list of what is added.
    """
    adds = before.verb is not None and before.verb.operation is Operation.ADD and not before.keep
    texts = [token.text for token in phrase.tokens]
    if not (adds and phrase.negated and before.names(Kind.FINDING) and "," in texts):
        return
    end = texts.index(",")
    listed = any(token.kind is Kind.FINDING for token in phrase.tokens[:end])
    goes_on = any(token.kind is Kind.FINDING for token in phrase.tokens[end:])
    if listed and goes_on and not {"or", "nor", "and"} & set(texts):
        raise InputError(
            f"`prompt` must say for each finding what to do, got {' '.join(texts)!r} after a negation. Write a "
            "sentence for each, for example: Add the finding of cardiomegaly. Remove the finding of edema."
        )


def check_nothing_unclaimed(unplaced: Sequence[tuple[VerbPhrase, Sequence[Token]]]) -> None:
    """Refuse findings and places that no request claims: part of what was asked would not be done, or elsewhere.

    A statement beside a request ("the film shows edema. Add a left effusion.") describes the patient. Statements beside
    nothing but negations ("large left effusion. No edema.") are a report, of which the negations are no requests.

    Args:
        unplaced: the phrases of a text, each with its words that are in no clause.

    Raises:
        InputError: such as "increase the left effusion and the right port", or a report.
    """
    requested = any(
        phrase.verb and phrase.names(Kind.FINDING) and not (phrase.keep or phrase.negated) for phrase, _ in unplaced
    )
    words = [
        token.text
        for phrase, tokens in unplaced
        if not phrase.keep
        and (phrase.verb or not requested or _is_fragment(phrase))
        and not _names_unknown_alone(phrase)
        for token in tokens
        if (token.kind in (Kind.FINDING, Kind.SIDE, Kind.ZONE) and token.reason is Reason.NOT_USED)
        or (token.kind is Kind.UNKNOWN and token.text in _STAND_INS)
    ]
    if words:
        raise InputError(
            f"`prompt` must say what to do with each finding and place that it names, but {' '.join(words)!r} belongs "
            "to no request. Write a sentence for each, for example: Add the finding of left pleural effusion. Remove "
            "the finding of edema."
        )


def _check_no_double_removal(before: VerbPhrase, phrase: VerbPhrase) -> None:
    """Refuse "remove the absence of effusion".

    Raises:
        InputError: a removal of a removal.
    """
    removals = all(verb is not None and verb.operation is Operation.REMOVE for verb in (before.verb, phrase.verb))
    if (
        removals
        and before.bare
        and not (before.inherits or phrase.inherits)
        and not (before.keep or phrase.keep or before.negated)
        and phrase.names(Kind.FINDING)
    ):
        raise InputError(
            "`prompt` must name each finding after one verb, but a removal follows a removal. Write for example: "
            "Remove the finding of left pleural effusion."
        )


def check_parts(phrase: VerbPhrase) -> None:
    """Refuse parts of a phrase that read as something else than a finding in a place.

    Raises:
        InputError: "make the effusion a nodule", "no left but a right effusion", "and on the effusion".
    """
    tokens = [token for token in phrase.tokens if token.kind is not Kind.FILLER or token.text in _DETERMINERS]
    kinds = [token.kind for token in tokens]
    findings = [position for position, kind in enumerate(kinds) if kind is Kind.FINDING]
    becomes = phrase.verb is not None and phrase.verb.makes and any(
        kinds[first + 1] is Kind.FILLER and not set(kinds[first + 1 : second]) - {Kind.FILLER, Kind.LEVEL, Kind.SIDE}
        for first, second in pairwise(findings)
    )  # fmt: skip
    but = next((n for n, token in enumerate(tokens) if token.text == "but"), None)
    half = phrase.negated and but is not None and (not findings or findings[0] > but) and (
        set(kinds[:but]) & {Kind.SIDE, Kind.ZONE, Kind.LEVEL}
    )  # fmt: skip
    strays = any(
        [kind for kind in kinds[n : n + 4] if kind is not Kind.FILLER][:3] == [Kind.AND, Kind.PREPOSITION, Kind.FINDING]
        for n in range(len(kinds))
    )
    if becomes or half or strays:
        words = " ".join(token.text for token in phrase.tokens if token.text)
        raise InputError(
            f"`prompt` must name each finding with its own verb or after 'and', got {words!r}. Write for example: "
            "Remove the finding of left pleural effusion. Add the finding of left pneumothorax."
        )


def _is_fragment(phrase: VerbPhrase) -> bool:
    """Return True for "left" as a sentence of its own: a place without a finding is no description."""
    silent = (Kind.SIDE, Kind.ZONE, Kind.LEVEL, Kind.FILLER, Kind.PREPOSITION, Kind.AND)
    states = any(token.value == ABSENT for token in phrase.tokens)
    unknown = any(token.kind not in silent and token.text not in _SAYING_PLACE for token in phrase.tokens)
    return phrase.names(Kind.SIDE, Kind.ZONE) and not (phrase.heads or states or unknown)


def _names_unknown_alone(phrase: VerbPhrase) -> bool:
    """Return True for "right-sided port in place": what is placed is not known."""
    return not phrase.names(Kind.FINDING) and any(
        token.kind is Kind.UNKNOWN and is_noun(token.text) and token.text not in _STAND_INS for token in phrase.tokens
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
    if resembles_place(token.text) or token.text in _PLACE_WORDS:
        return True
    if following and following.text in _PLACE_NOUNS and following.kind is Kind.FILLER:
        return True
    return _is_level_expected(tokens, position) or _is_in_place_phrase(tokens, position)


def _is_level_expected(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "to whopping" after a finding."""
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
    if is_noun(word):
        return True
    end = position
    while end < len(tokens) and tokens[end].kind not in _SPLITS:
        end += 1
    placed = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in tokens[start:end])
    following = end < len(tokens) and tokens[end].kind is Kind.FINDING  # "in diffuse edema"
    return word in DESCRIPTORS and not placed and not following


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
