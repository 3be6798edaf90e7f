"""Requests that name no finding to edit, leave a choice open, or leave a finding or a place without a request."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Operation
from x2x_core.language.lexicon import ABSENT, Kind, Reason, Token
from x2x_core.language.sentences import VerbPhrase
from x2x_core.language.unknown_words import is_noun

_DEFINITE = frozenset(["the", "this", "that", "these", "those", "his", "her", "its"])
_DETERMINERS = frozenset(["a", "an"])
_SAYING_PLACE = frozenset(["location", "localization", "site", "position", "place", "was", "were", "where"])
_BESIDE = frozenset(["around", "over", "near", "on", "in", "for", "to", "at", "within", "onto", "into"])
_COUNTS = frozenset(["two", "three", "four", "any", "either", "several", "few"])
_SHOWS = frozenset(["show", "display", "demonstrate", "illustrate", "portray"])
_MODALS = frozenset(["should", "must", "be", "must be", "needs to be", "has to be", "to", "will", "would", "can"])
_STAND_INS = frozenset(["one", "ones", "those"])  # for a finding that is not found


def check_objects(phrase: VerbPhrase) -> None:
    """Refuse requests whose object is no finding: "draw a box around the effusion", "show me the effusion".

    Raises:
        InputError: an unknown thing beside a finding, or a finding that is only to be shown.
    """
    if phrase.verb is None or phrase.verb.operation is not Operation.ADD or not phrase.names(Kind.FINDING):
        return
    tokens = [token for token in phrase.tokens if token.text not in _DETERMINERS | {"me", "us"}]
    thing = next((n for n, token in enumerate(tokens) if token.kind is not Kind.ASIDE), len(tokens))
    after = thing + 1
    while after < len(tokens) and tokens[after].kind is Kind.UNKNOWN and tokens[after].text.endswith("ing"):
        after += 1  # "an arrow pointing to the effusion"
    beside = tokens[after : after + 1]
    if (
        tokens[thing:]
        and tokens[thing].kind is Kind.UNKNOWN
        and is_noun(tokens[thing].text)
        and beside
        and (beside[0].text in _BESIDE or after > thing + 1)
        and _finding_follows(tokens[after + (beside[0].text in _BESIDE) :])
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
    for number, phrase in enumerate(phrases):
        following = phrases[number + 1] if number + 1 < len(phrases) else None
        state = following is not None and following.bare and (following.word == "clear" or following.keep)
        acts = not state and any(p.verb and p.names(Kind.FINDING) and not p.keep for p in phrases)
        kinds = {token.kind for token in phrase.tokens}
        attributes = {Kind.LEVEL, Kind.SIDE, Kind.ZONE}
        silent = {*attributes, Kind.AND, Kind.PREPOSITION, Kind.FILLER}
        stray = phrase.verb is not None and not phrase.keep and requested and Kind.FINDING not in kinds
        if stray and Kind.LEVEL in kinds and kinds <= silent:
            words = " ".join(token.text for token in phrase.tokens if token.text)
            raise InputError(f"`prompt` must name a finding after each verb, got {words!r} alone.")
        if phrase.heads and acts and Kind.FINDING not in kinds and _opens_with_place(phrase.tokens):
            words = " ".join(token.text for token in phrase.tokens if token.text)
            raise InputError(
                f"`prompt` must name the place directly before its request, got {words!r}. Write for example: Add the "
                "finding of left pleural effusion."
            )
        placed = bool(kinds & {Kind.SIDE, Kind.ZONE})
        if phrase.heads and placed and (Kind.LEVEL in kinds or acts) and kinds <= silent:
            words = " ".join(token.text for token in phrase.tokens if token.text)
            raise InputError(f"`prompt` must name the finding beside its levels and places, got {words!r} alone.")


def _opens_with_place(tokens: Sequence[Token]) -> bool:
    """Return True for "on the right, as discussed," but not for "right port in place"."""
    words = [token for token in tokens if token.kind is not Kind.FILLER]
    end = 0
    while end < len(words) and words[end].kind in (Kind.PREPOSITION, Kind.SIDE, Kind.ZONE):
        end += 1
    placed = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in words[:end])
    return placed and end < len(words) and words[end].kind is Kind.AND and words[end].text == ","


def check_choices(tokens: Sequence[Token]) -> None:
    """Refuse "add an effusion or remove the pneumonia".

    Raises:
        InputError: "or" between two requests.
    """
    for position, token in enumerate(tokens[:-1]):
        if token.text in _COUNTS and tokens[position + 1].text == "of" and _finding_follows(tokens[position + 2 :]):
            raise InputError(f"`prompt` must name what to edit, got '{token.text} of' several. Name each finding.")
    for position, token in enumerate(tokens[1:-1], 1):
        levels = tokens[position - 1].kind is tokens[position + 1].kind is Kind.LEVEL
        if token.text == "or" and levels and not any(other.kind in (Kind.KEEP, Kind.NOT) for other in tokens):
            raise InputError(
                f"`prompt` must give one level, got '{tokens[position - 1].text} or {tokens[position + 1].text}'. "
                "Write one of them, or a range such as mild to moderate."
            )
    for position, token in enumerate(tokens[1:], 1):
        verbs = sum(other.kind is Kind.VERB for other in tokens)
        if token.kind is Kind.VERB and tokens[position - 1].text == "->" and token.text != "present" and verbs > 1:
            raise InputError(
                f"`prompt` must say what to edit in sentences, got {token.text!r} after an arrow. Write for example: "
                "Remove the finding of left pleural effusion."
            )
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


def check_made(phrase: VerbPhrase) -> None:
    """Refuse "make the nodule rounder": what the finding is to become is not understood.

    Raises:
        InputError: an unknown word after a finding that is there.
    """
    if phrase.verb is None or not phrase.verb.makes or phrase.names(Kind.LEVEL) or not phrase.names(Kind.FINDING):
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
        if before.verb is None or before.keep or phrase.keep or phrase.verb is None:
            continue
        if not phrase.bare and not _has_pronoun(before, phrase):
            continue
        other = (before.verb.operation, before.verb.course) != (phrase.verb.operation, phrase.verb.course)
        if before.names(Kind.FINDING) and other and not phrase.negated:
            raise InputError(
                "`prompt` must name what to edit after each verb. Write a sentence for each, for example: Add the "
                "finding of left pleural effusion. Remove the finding of right pleural effusion."
            )


def _has_pronoun(before: VerbPhrase, phrase: VerbPhrase) -> bool:
    """Return True for "add a nodule, it should be removed later": the subject of the second verb is a pronoun."""
    texts = [token.text for token in before.tokens[-4:]]
    return bool({"it", "they"} & {*texts}) and texts[-1] in _MODALS and not phrase.names(Kind.FINDING)


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
        if (token.kind in (Kind.FINDING, Kind.SIDE, Kind.ZONE) and _is_unclaimed(token, phrase))
        or (token.kind is Kind.UNKNOWN and token.text in _STAND_INS)
    ]
    if words:
        raise InputError(
            f"`prompt` must say what to do with each finding and place that it names, but {' '.join(words)!r} belongs "
            "to no request. Write a sentence for each, for example: Add the finding of left pleural effusion. Remove "
            "the finding of edema."
        )


def _is_unclaimed(token: Token, phrase: VerbPhrase) -> bool:
    """Return True for a word that no request claims, and for "left" in "on the left add edema, also on the right"."""
    more = any(other.text in ("also", "too", "as well") for other in phrase.tokens)
    return token.reason is Reason.NOT_USED or (token.reason is Reason.OTHER_PLACE and more)


def _check_no_double_removal(before: VerbPhrase, phrase: VerbPhrase) -> None:
    """Refuse "remove the absence of effusion".

    Raises:
        InputError: a removal of a removal.
    """
    verbs = [verb for verb in (before.verb, phrase.verb) if verb is not None]
    removals = len(verbs) == 2 and all(verb.operation is Operation.REMOVE for verb in verbs)
    courses = len(verbs) == 2 and all(verb.course for verb in verbs)  # "decrease the increase of the effusion"
    if (
        (removals or courses)
        and before.bare
        and not (before.inherits or phrase.inherits)
        and not (before.keep or phrase.keep or before.negated)
        and phrase.names(Kind.FINDING)
    ):
        raise InputError(
            f"`prompt` must name each finding after one verb, but a {'removal' if removals else 'change'} follows a "
            f"{'removal' if removals else 'change'}. Write for example: Remove the finding of left pleural effusion."
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
    unknown = any(token.kind not in silent and token.text not in _SAYING_PLACE | _STAND_INS for token in phrase.tokens)
    return phrase.names(Kind.SIDE, Kind.ZONE) and not (phrase.heads or states or unknown)


def _names_unknown_alone(phrase: VerbPhrase) -> bool:
    """Return True for "right-sided port in place": what is placed is not known."""
    return not phrase.names(Kind.FINDING) and any(
        token.kind is Kind.UNKNOWN and is_noun(token.text) and token.text not in _STAND_INS for token in phrase.tokens
    )
