"""Clauses from verb phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from x2x_core.common.errors import InputError

from .changes import (
    Split,
    Transition,
    change_segments,
    exchange,
    names_transition,
    of_picture,
    split_at_arrow,
    spots_before,
    starts_absent,
)
from .clauses import Clause, Operation
from .conservation import lost
from .lexicon import ABSENT, Kind, Reason, Token, Verb
from .phrases import Spot, spots_of
from .sentences import VerbPhrase
from .tokens import unused
from .vocabulary import COURSES, FINDINGS

_PARTICLES = frozenset(("out", "off", "away", "down", "up", "back", "over", "aside"))
_MODALS = ("should", "must", "needs to", "need to", "has to", "have to", "ought to", "got to", "shall")
_SIMULATING = (
    "simulate",
    "show",
    "generate",
    "create",
    "depict",
    "demonstrate",
    "render",
    "produce",
    "model",
    "imagine",
)
_COURSE_WORDS = ("worsening", "progressing", "progressive", "growing", "improving", "resolving", "shrinking")


def read_phrase(phrase: VerbPhrase) -> tuple[list[Clause], list[Token]]:
    """Return the clauses of a verb phrase and the words that are in none of them.

    Raises:
        InputError: a finding with two levels in one place, or a change without a target level.
    """
    verb = Verb(Operation.REMOVE) if phrase.keep else phrase.verb
    if verb is None:
        verb = _statement(phrase.tokens, alone=phrase.alone)
        if verb and verb.course:  # the level is the change itself
            phrase.tokens = [token for token in phrase.tokens if token.value != verb.course]
    if verb is None or not phrase.names(Kind.FINDING):
        return [], list(unused(phrase.tokens))
    if verb.operation is Operation.ADD and phrase.word in _SIMULATING:
        verb, phrase.tokens = _simulated_course(verb, phrase.tokens)
    if not phrase.inherits and not phrase.keep:
        _check_not_absent(verb, phrase.tokens)
    if _is_plain(verb):
        clauses, unplaced = _read_plain(verb, phrase.tokens, placed=bool(phrase.place))
    else:
        clauses, unplaced = _read_changes(verb, phrase.tokens)
    if phrase.place:
        clauses = [_at_place(clause, place) for clause in clauses for place in spots_of(phrase.place)[0]]
    stray = [replace(token, reason=Reason.OTHER_PLACE) for token in lost(phrase.place, clauses, ())]
    return clauses, unplaced + stray + lost(phrase.tokens, clauses, unplaced)


def _simulated_course(verb: Verb, tokens: list[Token]) -> tuple[Verb, list[Token]]:
    """Read "simulate worsening edema" as an increase."""
    course = next((n for n, token in enumerate(tokens) if token.text in _COURSE_WORDS), None)
    if course is None or not any(token.kind is Kind.FINDING for token in tokens[course:]):
        return verb, tokens
    return Verb(Operation.CHANGE, tokens[course].name), [*tokens[:course], *tokens[course + 1 :]]


def _check_not_absent(verb: Verb, tokens: Sequence[Token]) -> None:
    """Refuse "add effusion, none": what is added first can't be absent.

    Raises:
        InputError: such a request.
    """
    if verb.operation is not Operation.ADD or verb.makes:
        return
    first = next((spot for spot in spots_of(tokens)[0] if spot.finding), None)
    absent = first and next((level for level in first.levels if level.value == ABSENT), None)
    named = any(token.kind is Kind.FINDING and token.text for token in tokens)
    if first and absent and named:
        raise InputError(
            f"`prompt` must not add what is not there, but {absent.text!r} stands beside {first.finding}. Write for "
            f"example: Add the finding of {first.finding}. Or: Remove the finding of {first.finding}."
        )


def _statement(tokens: Sequence[Token], alone: bool) -> Verb | None:
    """Return the verb for "effusion absent" and "edema mild -> severe"; alone, for "smaller effusion", "X, please"."""
    values = {token.value for token in tokens}
    if _wishes_level(tokens):
        return Verb(Operation.ADD, makes=True)
    if names_transition(tokens) or starts_absent(tokens):
        return Verb(Operation.CHANGE)
    if ABSENT in values:
        _check_all_absent(tokens)
        return Verb(Operation.REMOVE)
    if alone and any(token.kind is Kind.FINDING and {*token.text.split()} & {"bigger", "larger"} for token in tokens):
        return Verb(Operation.ADD)  # "a bigger heart"
    courses = sorted({"increasing", "decreasing"} & values)
    if alone and len(courses) == 1 and not _is_apart(tokens, courses[0]):
        return Verb(Operation.CHANGE, courses[0])
    wished = any(token.text == "please" for token in tokens) or _opens_with(tokens)
    first = next((n for n, token in enumerate(tokens) if token.kind is Kind.FINDING), 0)
    done = any(token.text == "do" for token in tokens[:first])  # "please do something about the effusion"
    wished = wished and not done and not any(token.text in _PARTICLES for token in tokens)  # "effusions out, please"
    return Verb(Operation.ADD) if alone and wished else None


def _wishes_level(tokens: Sequence[Token]) -> bool:
    """Return True for "the edema should be severe"."""
    modal = next((n for n, token in enumerate(tokens) if token.text.startswith(_MODALS)), len(tokens))
    named = sum(token.kind is Kind.FINDING for token in tokens[:modal]) == 1
    rest = [token for token in tokens[modal:] if token.kind not in (Kind.FILLER, Kind.TO)]
    levels = [token for token in rest if token.kind is Kind.LEVEL and token.value not in (ABSENT, *COURSES)]
    return named and len(levels) == len(rest) == 1


def _is_apart(tokens: Sequence[Token], course: str) -> bool:
    """Return True for "would it look better with an effusion": the course is not the finding's."""
    places = [n for n, token in enumerate(tokens) if token.value == course or token.kind is Kind.FINDING]
    return any(token.kind is Kind.WITH or token.text == "look" for token in tokens[places[0] : places[-1]])


def _check_all_absent(tokens: Sequence[Token]) -> None:
    """Refuse "effusion gone, pneumothorax new", of which only one finding is absent.

    Raises:
        InputError: a finding behind the last word for an absence.
    """
    absent = [n for n, token in enumerate(tokens) if token.value == ABSENT]
    findings = [n for n, token in enumerate(tokens) if token.kind is Kind.FINDING and token.text]
    if len(absent) < len(findings) and any(n < absent[-1] for n in findings) and findings[-1] > absent[-1]:
        raise InputError(
            f"`prompt` must say what to do with each finding, got {tokens[findings[-1]].text!r} after one that is "
            "absent. Write a sentence for each, for example: Remove the finding of edema."
        )


def _opens_with(tokens: Sequence[Token]) -> bool:
    """Return True for "with a left effusion" and "same, but with a left effusion"."""
    opening = next((token for token in tokens if token.kind not in (Kind.FILLER, Kind.AND, Kind.STATE)), None)
    return opening is not None and opening.text == "with"


def _is_plain(verb: Verb) -> bool:
    return verb.operation is not Operation.CHANGE


def _at_place(clause: Clause, place: Spot) -> Clause:
    """Return the clause at a place said before its verb, as far as it does not name its own."""
    if not FINDINGS[clause.finding].lateral:
        return clause
    if clause.side == "bilateral" and place.side in ("left", "right"):
        raise InputError(
            f"`prompt` must name one side of {clause.finding}, got {place.side} before the verb and both after it. "
            "Keep one of the two."
        )
    if clause.side and place.side and clause.side != place.side:
        return clause
    return replace(clause, side=clause.side or place.side, zone=clause.zone or place.zone)


def _read_changes(verb: Verb, tokens: list[Token]) -> tuple[list[Clause], list[Token]]:
    tokens = exchange(tokens, verb)
    clauses: list[Clause] = []
    unplaced: list[Token] = []
    for segment in change_segments(tokens, verb.replaces):
        segment_clauses, unknown = _read_change(verb, segment)
        clauses += segment_clauses
        unplaced += unknown
    return clauses, unplaced


def _read_plain(verb: Verb, tokens: Sequence[Token], placed: bool) -> tuple[list[Clause], list[Token]]:
    """Read what is added, removed, or changed without a "to"; `placed` if a place is said before the verb."""
    spots, unplaced = spots_of(tokens)
    if verb.makes:
        spots = _share_change(spots)
    kept = spots if placed else _without_doubles(spots)
    return [_clause(verb, spot, unplaced) for spot in kept if spot.finding], unplaced


def _without_doubles(spots: list[Spot]) -> list[Spot]:
    """Drop a finding without a place beside the same one with a place, as in "nodules and masses, right"."""
    placed = {spot.finding for spot in spots if spot.side or spot.zone}
    return [spot for spot in spots if spot.side or spot.zone or spot.levels or spot.finding not in placed]


def _check_direction(verb: Verb, split: Split | None) -> None:
    """Refuse "increase the effusion to the right": a course has no direction.

    Raises:
        InputError: a course with a side or a zone, but no level, after "to".
    """
    if verb.course is None or split is None:
        return
    kinds = {token.kind for token in split.after}
    if kinds & {Kind.SIDE, Kind.ZONE} and not kinds & {Kind.LEVEL, Kind.FINDING}:
        place = " ".join(token.text for token in split.after)
        raise InputError(
            f"`prompt` must give the new level after 'to', got {place!r}. To change a finding on one side, write for "
            "example: Increase the level of right pleural effusion. To add it there: Add the finding of right pleural "
            "effusion."
        )


def _check_course(verb: Verb, spots: Sequence[Spot], clauses: Sequence[Clause]) -> None:
    """Refuse "increase the effusion to none" and "reduce the left effusion to a trace on the right".

    Raises:
        InputError: a course that moves or exchanges a finding, or an increase that ends in nothing or starts without
            a new level.
    """
    if verb.course is None:
        return
    removes = [clause for clause in clauses if clause.operation is Operation.REMOVE]
    adds = [clause for clause in clauses if clause.operation is Operation.ADD]
    vague = any(clause.level in COURSES for clause in adds)
    if (removes and adds) or vague or (removes and verb.course == "increasing"):
        finding = next((spot.finding for spot in spots if spot.finding), clauses[0].finding)
        raise InputError(
            f"`prompt` must give the new level of {finding}, but a change of level would remove or move it. Write for "
            f"example: Change the level of {finding} from mild to severe."
        )


def _share_change(spots: list[Spot]) -> list[Spot]:
    """Read the levels of "make the right effusion small and the left large" as the new ones on both sides."""
    changed = {spot.finding for spot in spots if spot.after and not spot.before}
    return [
        replace(spot, before=(), after=spot.before) if spot.finding in changed and not spot.after else spot
        for spot in spots
    ]


def _read_change(verb: Verb, tokens: list[Token]) -> tuple[list[Clause], list[Token]]:
    """Read a change "of X from A to B", "of X to Y", or without a "to"."""
    split = split_at_arrow(tokens, verb.replaces)
    _check_direction(verb, split)
    spots, unplaced = spots_before(split.before if split else tokens)
    if split is None:
        return [_clause(verb, spot, unplaced) for spot in spots if spot.finding], unplaced
    targets, unknown = spots_of(split.after)
    unplaced += unknown
    if not targets:  # only unknown words after the "to"
        return [_clause(verb, spot, unplaced) for spot in spots if spot.finding], unplaced
    if of_picture(split.before) and not any(spot.finding or spot.levels for spot in spots):
        added = Verb(Operation.ADD)  # "turn this film into a pneumonia"
        return [_clause(added, spot, unplaced) for spot in targets if spot.finding], unplaced
    clauses = _transitions(spots, targets, unplaced)
    _check_course(verb, spots, clauses)
    return clauses, unplaced


# -- clauses from spots -----------------------------------------------------------------------------------------------


def _clause(verb: Verb, spot: Spot, unplaced: list[Token]) -> Clause:
    if verb.operation is Operation.CHANGE or (verb.makes and spot.after):
        _check_no_choice(spot)
    if verb.operation is Operation.CHANGE:
        return _change_without_target(verb, spot, unplaced)
    courses = tuple(level for level in spot.levels if level.value in ("increasing", "decreasing"))
    if verb.makes and (spot.after or courses):
        before = tuple(level for level in spot.before if level not in courses)
        after = spot.after or courses
        return _change(spot, _level(spot, before, unplaced), _level(spot, after, unplaced))
    _check_no_comparative(spot, courses)
    level = _level(spot, spot.levels, unplaced)
    return _at(Operation.REMOVE if level == ABSENT else verb.operation, spot, level)


def _check_no_choice(spot: Spot) -> None:
    """Refuse "increase the smaller effusion", which chooses one of several.

    Raises:
        InputError: a comparative before a finding that is there.
    """
    chosen = next((level.text for level in spot.before if level.text.endswith("er") and level.value in COURSES), None)
    if chosen is not None:
        raise InputError(
            f"`prompt` must name the place of {spot.finding}, got {chosen!r}, which chooses one of several. Write for "
            f"example: Increase the level of left {spot.finding}."
        )


def _check_no_comparative(spot: Spot, courses: Sequence[Token]) -> None:
    """Refuse "add a larger effusion", larger than something that the text does not name.

    Raises:
        InputError: a comparative as the level of what is added or removed.
    """
    for level in courses:
        if level.text.endswith("er") or level.text.split()[0] in ("worse", "more", "less"):
            raise InputError(
                f"`prompt` must give {spot.finding} a level (minimal to massive) or change it, got {level.text!r}. "
                f"Write for example: Increase the level of {spot.finding}."
            )


def _change_without_target(verb: Verb, spot: Spot, unplaced: list[Token]) -> Clause:
    """Read "increase the effusion", where a level after it ("slightly") is an amount, or "set the effusion large"."""
    before = _level(spot, spot.before, unplaced)
    if verb.course is None:
        after = _level(spot, spot.after, unplaced)
        if after is None and verb.moves:
            raise InputError(
                f"`prompt` must say where {spot.finding} is and where it should be. Write for example: Remove the "
                f"finding of left {spot.finding}. Add the finding of right {spot.finding}."
            )
        return _change(spot, before, after)
    strong = next((level for level in spot.after if level.value != verb.course and not _is_amount(level)), None)
    if strong:
        raise InputError(
            f"`prompt` must give the new level of {spot.finding} after 'to', got {strong.text!r} beside a change. "
            f"Write for example: Change the level of {spot.finding} to {strong.value}."
        )
    unplaced.extend(spot.after)
    return _change(spot, before, verb.course)


def _is_amount(level: Token) -> bool:
    """Return True for "slightly" in "increase the effusion slightly"."""
    return level.text.endswith("ly") or level.text.startswith("a ") or level.value in COURSES


def _at(operation: Operation, spot: Spot, level: str | None) -> Clause:
    assert spot.finding is not None  # callers leave out spots without a finding
    return Clause(operation, spot.finding, spot.side, spot.zone, None if level == ABSENT else level)


def _change(spot: Spot, before: str | None, after: str | None) -> Clause:
    """Return a change of level; a change from "none" adds, a change to "none" removes."""
    if before == ABSENT and after not in (None, ABSENT):
        return _at(Operation.ADD, spot, after)
    if after == ABSENT:
        return _at(Operation.REMOVE, spot, before)
    assert spot.finding is not None
    return Clause(Operation.CHANGE, spot.finding, spot.side, spot.zone, after, before)


def _level(spot: Spot, levels: Sequence[Token], unplaced: list[Token]) -> str | None:
    """Return the single level of several words; a course beside a strength ("acute severe") is unplaced."""
    values = [level.value for level in levels if isinstance(level.value, str)]
    strengths = list(dict.fromkeys(value for value in values if value not in COURSES))
    if strengths:
        unplaced += [level for level in levels if level.value in COURSES]
    else:
        strengths = list(dict.fromkeys(values))
    if len(strengths) > 1:
        raise InputError(
            f"`prompt` must give {spot.finding} one level in one place, but it gives {' and '.join(strengths)}. "
            "Keep one of the two, or name the sides."
        )
    return strengths[0] if strengths else None


# -- changes with a "to" ----------------------------------------------------------------------------------------------


def _transitions(spots: list[Spot], targets: list[Spot], unplaced: list[Token]) -> list[Clause]:
    """Return the clauses that lead from the spots before a "to" to those after it."""
    named = [spot for spot in spots if spot.finding]
    if not named:
        origin = spots[0].before if spots else ()
        reached = [spot for spot in targets if spot.finding]
        if any(level.value == ABSENT for level in origin):
            return [_at(Operation.ADD, spot, _level(spot, spot.levels, unplaced)) for spot in reached]
        return [_change(spot, *_both(spot, origin, spot.levels, unplaced)) for spot in reached]
    others = {target.finding for target in targets} - {None}
    if others and others != {spot.finding for spot in named}:
        removed = [_at(Operation.REMOVE, spot, _level(spot, spot.levels, unplaced)) for spot in named]
        added = [
            _at(Operation.ADD, spot, _level(spot, spot.levels, unplaced))
            for spot in (targets if len(targets) + len(named) > 2 else [_in_place_of(targets[0], named[0])])
        ]
        return removed + added
    return [clause for spot in named for clause in _moved_or_changed(Transition(spot, targets[0]), unplaced)]


def _in_place_of(target: Spot, removed: Spot) -> Spot:
    """Return what replaces a finding, at the place of that finding unless it has its own or can have none."""
    if target.side or target.zone or not target.finding or not FINDINGS[target.finding].lateral:
        return target
    return replace(target, side=removed.side, zone=removed.zone)


def _moved_or_changed(transition: Transition, unplaced: list[Token]) -> list[Clause]:
    spot = transition.origin
    before, after = _both(spot, spot.levels, transition.target.levels, unplaced)
    if arrived := transition.moved_to:
        if (
            before and (after or " to " in before) and not transition.target.finding
        ):  # "the left effusion from mild to severe right"
            raise InputError(
                f"`prompt` must name one side of {spot.finding} for its change of level, got "
                f"{spot.side or spot.zone} and {arrived.side or arrived.zone}. Keep one of the two."
            )
        return [_at(Operation.REMOVE, spot, before), _at(Operation.ADD, arrived, after or before)]
    return [_change(transition.place, before, after)]


def _both(
    spot: Spot, before: Sequence[Token], after: Sequence[Token], unplaced: list[Token]
) -> tuple[str | None, str | None]:
    return _level(spot, before, unplaced), _level(spot, after, unplaced)
