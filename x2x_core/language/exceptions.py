"""Requests about everything: "remove everything but the effusion" is refused, never read as its opposite."""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError

from .lexicon import Kind, Token

_ALL = frozenset(("everywhere", "everything", "anything", "all", "nothing", "every", "rest", "remainder"))
_NOUNS = frozenset(
    [
        "the",
        "of",
        "other",
        "these",
        "those",
        "findings",
        "finding",
        "abnormalities",
        "abnormality",
        "pathologies",
        "pathology",
        "diseases",
        "disease",
        "lesions",
        "else",
        "radiographic",
        "zones",
        "lobes",
        "regions",
        "areas",
        "fields",
        "lungs",
        "visible",
        "present",
        "abnormal",
    ]
)
_EXCEPT = frozenset(
    [
        "but",
        "except",
        "bar",
        "save",
        "excluding",
        "excepting",
        "besides",
        "aside",
        "apart",
        "without",
        "unless",
        "exception",
        "exempting",
    ]
) | {"except for", "apart from", "other than", "aside from", "save for", "with the exception of"}
_UNCHANGED = frozenset(["same", "alone", "unchanged", "stays", "remains"])
_RETRACTIONS = frozenset(("no", "nope"))
_PLACE_NOUNS = frozenset(["side", "place", "location", "zone", "lobe", "spot", "area", "region", "lung"])
_EXCEPTED = frozenset(("excepted", "excluded"))
_UNDO = frozenset(("undo", "reverse", "revert", "cancel"))
_DEEDS = ("remov", "addition", "delet", "insert", "adding")
_OTHER = frozenset(("other", "opposite", "contralateral"))
_DESCRIBING = frozenset(
    ("of", "with", "without", "opposite", "where", "that", "near", "by", "containing", "which", "away")
)
_DENSITIES = frozenset(("density", "densities", "opacity", "shadow", "shadowing", "haze", "haziness"))
_SIDE_NOUNS = frozenset(("side", "lung", "hemithorax", "chest", "base", "apex", "one"))
_CLEANS = frozenset(("clean", "clear", "wipe", "tidy", "cleanse", "purify", "reset"))
_PLACED = (Kind.FILLER, Kind.SIDE, Kind.ZONE, Kind.UNKNOWN)
_NEXT = (Kind.AND, Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.PREPOSITION)
_EACH = frozenset(("all", "every", "any", "each", "both"))
_CORRECT = frozenset(("place", "spot", "position", "location", "way", "order", "size", "amount", "thing"))
_CALM = frozenset(("clear", "normal", "alone", "same"))
_PLACES = frozenset(["side", "site", "location", "place", "position", "spot", "area", "region", "same"])
_ATTRIBUTES = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE)


def check_no_reversal(tokens: Sequence[Token]) -> None:
    """Refuse "undo the removal of X" and "on the other side", which would be read as their opposites.

    Raises:
        InputError: a request that undoes another one, or a side that is not named.
    """
    texts = [token.text for token in tokens]
    for position, text in enumerate(texts):
        if text in ("neither", "no", "not") and texts[position + 1 : position + 2] in (["side"], ["sides"]):
            raise InputError(f"`prompt` must name the side, got {text!r} {texts[position + 1]}. Write left or right.")
        if _is_beside_finding(tokens, position) or _is_place_of_finding(tokens, position):
            raise InputError(
                f"`prompt` must name the side of the patient, got {text!r} of a finding. Write left or right "
                "without a finding that it is beside."
            )
        if text == "right" and _means_correct(tokens, position):
            raise InputError("`prompt` must name the side without doubt, got 'right', which can mean 'correct' here.")
        if text in _RETRACTIONS and _takes_back(tokens, position):
            raise InputError(
                f"`prompt` must not take back what it asks for, got '{text}': a place or level "
                "after a negation. Write only what to edit."
            )
        if _is_place_said_before(tokens, position):
            raise InputError(f"`prompt` must name the side of each finding, got {text!r}. Write left or right.")
        if text in _UNDO and any(word.startswith(_DEEDS) for word in texts[position + 1 : position + 4]):
            raise InputError(f"`prompt` must say what to edit, got {text!r} of another edit. Name the edit itself.")
        if text == "undo" and not _names_finding_soon(tokens, position):
            raise InputError("`prompt` must say what to edit, got 'undo' of an edit. Name the edit itself.")
        if (
            text in _OTHER
            and _SIDE_NOUNS & {*texts[position + 1 : position + 2], *texts[max(position - 1, 0) : position]}
            and not _is_passive(tokens, position)
        ):
            raise InputError(f"`prompt` must name the side, got {text!r} side. Write left or right.")
        if text in ("side", "sides") and _is_described_side(tokens, position):
            raise InputError(f"`prompt` must name the side, got {text!r} {texts[position + 1]}. Write left or right.")
        if tokens[position].kind is Kind.FINDING and text in _DENSITIES and _is_of_finding(tokens, position):
            raise InputError(f"`prompt` must name the finding to edit, got the {text} of another. Name it alone.")
        if text in ("nothing", "none") and _changes_nothing(tokens, position):
            raise InputError(f"`prompt` must name the finding to change, got {text!r} that changes. Write its name.")
        if text == "both" and _stands_for_findings(tokens, position):
            raise InputError("`prompt` must name the findings to edit, got 'both'. Name each.")
        if text == "or" and _is_choice_of_sides(tokens, position):
            raise InputError("`prompt` must name one side, or bilateral, got left or right. Write which one.")


def _changes_nothing(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "and nothing on the right to none" behind a request."""
    end = next((n for n in range(position, len(tokens)) if tokens[n].kind in _NEXT[:4]), len(tokens))
    kinds = [token.kind for token in tokens[position + 1 : end]]
    placed = Kind.SIDE in kinds or Kind.ZONE in kinds
    joined = position > 0 and tokens[position - 1].kind in _NEXT[:3]
    return joined and placed and Kind.TO in kinds and Kind.FINDING not in kinds


def _is_described_side(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "the side with the gastric bubble", but not for "the left side of the chest"."""
    before, after = tokens[max(position - 2, 0) : position], tokens[position + 1 : position + 2]
    sided = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in before)
    return bool(after) and after[0].text in _DESCRIBING and not sided


def _stands_for_findings(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "add both" after two findings that no noun phrase opens the text with; see `topics`."""
    end = tokens[position + 1 : position + 2]
    alone = position > 0 and tokens[position - 1].kind is Kind.VERB and (
        not end or end[0].kind in (Kind.STOP, Kind.SOFT_STOP)
    )  # fmt: skip
    if not alone or any(token.kind is Kind.VERB for token in tokens[: position - 1]):
        return False
    findings = {token.value for token in tokens[:position] if token.kind is Kind.FINDING}
    return len(findings) > 1 and any(token.kind is Kind.FROM for token in tokens[:position])


def _is_of_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "the density of the consolidation"."""
    following = tokens[position + 1 : position + 2]
    attributes = (Kind.FILLER, Kind.SIDE, Kind.ZONE, Kind.LEVEL)
    named = next((token.kind for token in tokens[position + 1 :] if token.kind not in attributes), None)
    return bool(following) and following[0].text == "of" and named is Kind.FINDING


def _is_choice_of_sides(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "left or right", but not for "left and/or right"."""
    before = next((token for token in reversed(tokens[:position]) if token.kind is not Kind.FILLER), None)
    after = next((token for token in tokens[position + 1 :] if token.kind is not Kind.FILLER), None)
    sides = [token for token in (before, after) if token is not None and token.kind is Kind.SIDE]
    earlier = any(token.kind is Kind.SIDE for token in tokens[:position])
    alone = after is not None and after.kind is Kind.SIDE and not _names_finding_soon(tokens, position)
    return (len(sides) == 2 or (earlier and alone)) and not any(
        token.kind in (Kind.KEEP, Kind.NOT) for token in tokens[:position]
    )


def _names_finding_soon(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "or right nodule" and "or on the right one"."""
    silent = (Kind.FILLER, Kind.SIDE, Kind.ZONE, Kind.LEVEL, Kind.PREPOSITION)
    following = next((token for token in tokens[position + 1 :] if token.kind not in silent), None)
    return following is not None and following.kind is Kind.FINDING


def _is_beside_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "left of the effusion": a place beside it, or what remains of it."""
    texts = [token.text for token in tokens[position : position + 4]]
    if tokens[position].kind is not Kind.SIDE or tokens[position].value == "bilateral" or texts[1:2] != ["of"]:
        return False
    following = next((token for token in tokens[position + 2 :] if token.kind is not Kind.FILLER), None)
    return following is not None and following.kind is Kind.FINDING


def _means_correct(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "in the right place" and ", right?"."""
    before = tokens[position - 1].text if position else ""
    following = [token.text for token in tokens[position + 1 : position + 3]]
    if before == "," and following[:1] == ["?"]:
        return any(token.kind is Kind.SIDE for token in tokens[: position - 1])
    ends = len(following) < 2 or tokens[position + 2].kind in _NEXT
    return bool(following) and following[0] in _CORRECT and ends


def _takes_back(tokens: Sequence[Token], position: int) -> bool:
    """Return True for the "no" of "a nodule? no, an effusion" and of "left effusion: no"."""
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is None or following.kind in (Kind.STOP, Kind.SOFT_STOP):
        return any(token.kind is Kind.FINDING for token in tokens[:position])
    return following.text == "," and any(token.kind is Kind.VERB for token in tokens[:position])


def _is_place_said_before(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "an effusion there" and "on the same side" after a place."""
    texts = [token.text for token in tokens]
    placed = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in tokens[:position])
    following = texts[position + 1 : position + 2]
    if texts[position] == "same" and following and following[0] in _PLACE_NOUNS:
        return not any(token.kind in (Kind.KEEP, Kind.STATE) for token in tokens)
    return placed and texts[position] == "there" and tokens[position - 1].kind is Kind.FINDING


def _is_place_of_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "on the side of the effusion" and "where the effusion is": a place that only a finding names."""
    texts = [token.text for token in tokens]
    following = next((n for n in range(position + 1, len(tokens)) if tokens[n].kind is not Kind.FILLER), len(tokens))
    if following == len(tokens) or tokens[following].kind not in (Kind.FINDING, Kind.SIDE):
        return False
    if texts[position] == "where":
        return "the" in texts[position:following] and "is" in texts[following + 1 : following + 3]
    opened = texts[max(position - 3, 0) : position]
    return (
        texts[position] in _PLACES
        and texts[position + 1 : position + 3] == ["of", "the"]
        and bool({"on", "at", "in", "to"} & set(opened))
        and "the" in opened
    )


def _is_passive(tokens: Sequence[Token], position: int) -> bool:
    """Return True if the words are left alone: "leave the other side alone", "the other side is unchanged"."""
    for token in reversed(tokens[:position]):
        if token.kind in (Kind.KEEP, Kind.NOT):
            return True
        if token.kind is Kind.VERB:
            break
    return any(token.kind is Kind.STATE or token.text in _CALM for token in tokens[position : position + 6])


def check_no_universal(tokens: Sequence[Token]) -> None:
    """Refuse requests about everything, with or without exceptions.

    Raises:
        InputError: "everything", "all findings" or "nothing" as the object of a request.
    """
    for position, token in enumerate(tokens):
        if token.text in ("but", "save", "bar") and (
            _excepts_one(tokens, position) or _excepts_place(tokens, position)
        ):
            raise InputError(
                f"`prompt` must name the findings to edit, got {token.text!r} and one of them. Write which ones, for "
                "example: Remove the finding of left pleural effusion."
            )
        if token.text in _CLEANS and _is_all_but(tokens, position):
            raise InputError(
                f"`prompt` must name the findings to edit, got {token.text!r} with an exception. Write which ones, for "
                "example: Remove the finding of left pleural effusion."
            )
        if token.text not in _ALL or _is_left_alone(tokens, position):
            continue
        after = position + 1
        if token.text == "nothing" and tokens[after : after + 1] and tokens[after].text == "left":
            after += 1  # "nothing left but"
        while after < len(tokens) and tokens[after].text in _NOUNS:
            after += 1
        word = tokens[after].text if after < len(tokens) else ""
        excepts = (
            word in _EXCEPT
            or _excepts_later(tokens, position, after)
            or tuple(other.text for other in tokens[after : after + 2]) == ("with", "the")
        )
        requested = position and _verb_before(tokens, position)
        if excepts or (requested and token.text != "nothing" and not _names_finding(tokens, after)):
            raise InputError(
                f"`prompt` must name the findings to edit, got {token.text!r}. Name each finding, for example: Remove "
                "the findings of edema and pleural effusion."
            )


def _is_all_but(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "clean the lungs, minus the granuloma": places alone, then an exception."""
    end = position + 1
    while end < len(tokens) and (tokens[end].kind in _PLACED or tokens[end].text == ","):
        end += 1
    return position + 1 < end < len(tokens) and tokens[end].text in _EXCEPT | {"minus", "bar", "sans"}


def _excepts_one(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "every nodule but the one on the left", but not for "an effusion, but only a small one"."""
    following = [token.text for token in tokens[position + 1 : position + 3]]
    return following[:1] in (["one"], ["ones"], ["those"], ["that"]) or following in (
        ["the", "one"],
        ["the", "ones"],
    )


def _excepts_place(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "all the nodules but the right apical one" and "every opacity but the left"."""
    start = next((n for n in range(position - 1, -1, -1) if tokens[n].kind in (Kind.STOP, Kind.SOFT_STOP)), -1)
    end = next((n for n in range(position + 1, len(tokens)) if tokens[n].kind in _NEXT), len(tokens))
    named = [token for token in tokens[position + 1 : end] if token.text not in ("the", "that", "those", "one", "ones")]
    placed = bool(named) and all(token.kind in (Kind.SIDE, Kind.ZONE, Kind.LEVEL) for token in named)
    return placed and any(token.text in _EACH for token in tokens[start + 1 : position])


def _excepts_later(tokens: Sequence[Token], position: int, after: int) -> bool:
    """Return True for "everything should go but the effusion"."""
    if tokens[position].text == "nothing" or _names_finding(tokens, after):
        return False
    verb = False
    for token in tokens[after:]:
        if token.kind in (Kind.STOP, Kind.SOFT_STOP):
            return False
        if verb and token.text in _EXCEPT:
            return True
        verb = verb or token.kind is Kind.VERB
    return False


def _verb_before(tokens: Sequence[Token], position: int) -> bool:
    before = position - 1
    while before >= 0 and tokens[before].kind is Kind.FILLER:
        before -= 1
    return before >= 0 and tokens[before].kind is Kind.VERB


def _is_left_alone(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "keep all else", "don't change anything" and "everything else the same"."""
    for token in reversed(tokens[:position]):
        if token.kind in (Kind.KEEP, Kind.NOT) and token.text not in _EXCEPT:
            return True
        if token.kind not in (Kind.VERB, Kind.FILLER):
            break
    rest = list(tokens[position + 1 : position + 6])
    return any(token.text in _UNCHANGED or (token.kind is Kind.STATE and token.text not in _EXCEPTED) for token in rest)


def _names_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "all left effusions": attributes and a finding follow directly."""
    return position < len(tokens) and tokens[position].kind in _ATTRIBUTES
