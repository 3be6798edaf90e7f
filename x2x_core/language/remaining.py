"""Findings that stay, that are only compared with, or that only set the scene of a request.

"Add a left effusion, same edema", "edema should be left" and "edema: no change" request nothing of the edema, and "to
mimic edema, add an opacity" and "imagine a patient with edema. Add an effusion" say why or where. Wordings that could
be either ("but edema", "nor the right") are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError

from .lexicon import Kind, Reason, Token, Verb

_STAYING = tuple(
    tuple(phrase.split())
    for phrase in (
        "same", "the same", "constant", "n / c", "nc", "nad", "no change", "ok", "okay", "fine", "good", "as now",
        "as before", "as in the original", "remaining the same", "remaining as is", "remaining", "as it was",
        "be left", "should be left", "must be left", "to be left", "to be retained", "be retained", "being unchanged",
        "unaltered", "previously", "as previously", "remains", "ve", "- ve", "+ ve", "stays", "not excluded",
        "cannot be excluded", "as is", "idem", "ditto",
    )
)  # fmt: skip
_SCENES = ("imagine", "suppose", "assume", "pretend", "say", "let's say", "what if", "consider", "picture")
_PURPOSES = frozenset(("to", "in order to", "so as to"))
_USES_TEXT = """
    detection dataset datasets classifier classifiers study studies research training model models task project
    detector benchmark classification augmentation class experiment paper
"""
_USES = frozenset(_USES_TEXT.split())
_COMPARED = frozenset(("compared", "comparison", "comparing", "relative"))
_EXAMPLES = frozenset(("e.g.", "i.e.", "aka", "near", "over", "like", "unlike", "namely", "viz", "despite"))
_ATTRIBUTES = (Kind.FILLER, Kind.LEVEL, Kind.SIDE, Kind.ZONE)
_BREAKS = (Kind.STOP, Kind.SOFT_STOP, Kind.AND, Kind.WITH, Kind.VERB, Kind.KEEP, Kind.NOT)
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


def mark_remaining(tokens: Sequence[Token]) -> list[Token]:
    """Turn words that leave a finding as it is into states, and scenes, purposes and comparisons into asides.

    Raises:
        InputError: a finding or a side that could be edited or left alone.
    """
    marked = _without_scene(list(tokens))
    for position, token in enumerate(list(marked)):
        if token.kind is Kind.FINDING and (end := _state_end(marked, position)):
            _check_separated(marked, position)
            marked[end - 1] = Token(Kind.STATE, "unchanged")
            marked[position + 1 : end - 1] = [Token(Kind.FILLER, "") for _ in marked[position + 1 : end - 1]]
        elif end := _aside_end(marked, position):
            reason = Reason.PURPOSE if token.text == "for" else Reason.COMPARISON
            marked[position:end] = [Token(Kind.ASIDE, other.text, reason=reason) for other in marked[position:end]]
        elif token.kind is not Kind.ASIDE:
            _check_doubt(marked, position)
    return marked


def _without_scene(tokens: list[Token]) -> list[Token]:
    """Set "imagine a patient with edema" and "to mimic edema" aside before another request."""
    words = tokens[0].text if tokens else ""
    acts = len(tokens) > 1 and (tokens[1].kind is Kind.UNKNOWN or isinstance(tokens[1].value, Verb))
    scene = words.split(" ")[0] in {scene.split()[0] for scene in _SCENES} and words.startswith(_SCENES)
    purpose = words in _PURPOSES and acts
    if not (scene or purpose):
        return tokens
    end = next((n for n in range(2, len(tokens)) if _begins_request(tokens, n)), None)
    if end is None or not any(token.kind is Kind.FINDING for token in tokens[:end]):
        return tokens
    reason = Reason.PURPOSE if purpose else Reason.DESCRIPTION
    silent = (*_STOPS, Kind.AND)
    aside = [Token(Kind.ASIDE, token.text, reason=reason) for token in tokens[:end] if token.kind not in silent]
    return [*aside, Token(Kind.STOP, "."), *tokens[end:]]


def _begins_request(tokens: Sequence[Token], position: int) -> bool:
    """Return True for a verb after a comma, a stop or a finding, whose object is not "it"."""
    if not isinstance(tokens[position].value, Verb):
        return False
    before = position - 1
    while before and tokens[before].kind is Kind.FILLER:
        before -= 1
    joined = tokens[before].kind in (*_STOPS, Kind.FINDING) or tokens[before].text == ","
    following = tokens[position + 1].text if position + 1 < len(tokens) else ""
    return joined and following not in ("it", "them", "one", "") and not tokens[position].text.endswith("ing")


def _check_separated(tokens: Sequence[Token], position: int) -> None:
    """Refuse "add a left effusion edema remains", where the state could be of both findings.

    Raises:
        InputError: a finding with a state directly behind another one.
    """
    start = position - 1
    while start >= 0 and tokens[start].kind in _ATTRIBUTES:
        start -= 1
    if start >= 0 and tokens[start].kind is Kind.FINDING:
        raise InputError(
            f"`prompt` must separate what it edits from what stays, got {tokens[position].text!r} behind another "
            "finding. Write a sentence for each, for example: Add the finding of left pleural effusion. Keep edema."
        )


def _state_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "should be left" after a finding, if nothing else of the part follows; `None` otherwise."""
    start = position + 1
    while start < len(tokens) and tokens[start].text in ("is", "are", "="):
        start += 1
    for phrase in _STAYING:
        end, words = start, list(phrase)
        while end < len(tokens) and words and tokens[end].text.split() == words[: len(tokens[end].text.split())]:
            if not tokens[end].text:
                break
            words = words[len(tokens[end].text.split()) :]
            end += 1
        rest = tokens[end] if end < len(tokens) else None
        if not words and (rest is None or rest.kind in _BREAKS or rest.text in ("please", "too")):
            return end if end > position + 1 else None
    return None


def _aside_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "compared with the right side", "e.g. edema" and "for the edema dataset"; `None` otherwise."""
    text = tokens[position].text
    end = position + 1
    if text in _COMPARED and tokens[end : end + 1] and tokens[end].text in ("with", "to"):
        end = _after(tokens, end + 1, _ATTRIBUTES)
        sided = any(token.kind is Kind.SIDE for token in tokens[position:end])
        closed = end == len(tokens) or tokens[end].kind in _BREAKS
        return end if sided and closed else None
    requested = any(isinstance(token.value, Verb) for token in tokens[:position])
    named = any(token.kind is Kind.FINDING for token in tokens[:position])
    end = _after(tokens, position + 1, (*_ATTRIBUTES, Kind.UNKNOWN))
    if end >= len(tokens) or tokens[end].kind is not Kind.FINDING:
        return None
    if text == "for" and tokens[end + 1 : end + 2] and tokens[end + 1].text in _USES:
        return end + 2
    sided = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in tokens[position:end])
    return end + 1 if text in _EXAMPLES and requested and named and not sided else None


def _after(tokens: Sequence[Token], position: int, kinds: Sequence[Kind]) -> int:
    while position < len(tokens) and tokens[position].kind in kinds:
        position += 1
    return position


def _check_doubt(tokens: Sequence[Token], position: int) -> None:
    """Refuse "same edema", "but edema", "nor the right", "?edema" and "the right has one too" behind a request."""
    text, before = tokens[position].text, tokens[:position]
    if text not in ("same", "but", "nor", "?", "has", "have") or not any(isinstance(t.value, Verb) for t in before):
        return
    if any(token.kind in (Kind.KEEP, Kind.NOT) for token in before):
        return
    end = _after(tokens, position + 1, _ATTRIBUTES)
    names = end < len(tokens) and tokens[end].kind is Kind.FINDING
    ends = end + 1 >= len(tokens) or tokens[end + 1].kind in (*_STOPS, Kind.AND)
    opens = before[-1].kind in (*_STOPS, Kind.AND, Kind.FINDING) or before[-1].text in ("the", "a")
    sides = any(token.kind is Kind.SIDE for token in tokens[position + 1 : end])
    stands_in = any(token.text in ("one", "some", "it") for token in tokens[position + 1 : position + 2])
    sided = any(token.kind is Kind.SIDE for token in before[-3:])
    doubt = (
        (text == "same" and names and opens)
        or (text == "but" and names and ends and not _narrows(tokens[position + 1 : end]))
        or (text == "nor" and (names or sides))
        or (text == "?" and names and before[-1].kind in (Kind.SOFT_STOP, Kind.AND))
        or (text in ("has", "have") and stands_in and sided)
    )
    if doubt:
        words = " ".join(token.text for token in tokens[position : end + 1] if token.text)
        raise InputError(
            f"`prompt` must say what to do with each finding, but {words!r} could be edited or left alone. Write a "
            "sentence for each, for example: Add the finding of left pleural effusion. Keep edema."
        )


def _narrows(words: Sequence[Token]) -> bool:
    """Return True for "only a small" in "but only a small one"."""
    return any(token.text in ("only", "just", "also", "there") for token in words)
