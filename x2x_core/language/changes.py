"""Changes "from A to B": which "to" divides them, and what stands on either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from x2x_core.common.errors import InputError

from .lexicon import ABSENT, Kind, Token, Verb
from .phrases import Spot, join_ranges, spots_of
from .vocabulary import rarity

_ARROWS = frozenset(("->", "becomes", "became", "has become", "have become"))  # of a statement
_PICTURES = frozenset(("image", "film", "picture", "patient", "chest", "scan", "radiograph", "x ray", "xray", "this",
                       "cxr", "study", "lung", "lungs", "normal"))  # fmt: skip
_UNUSUAL = 2  # rarity of a range that no finding has
_CONTENT = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE)


@dataclass(frozen=True)
class Split:
    """Tokens on either side of the arrow of a change."""

    before: list[Token]
    after: list[Token]


@dataclass(frozen=True)
class Transition:
    """A finding in its place, and the level or place it changes to."""

    origin: Spot
    target: Spot

    @property
    def moved_to(self) -> Spot | None:
        """The finding in its new place; `None` if it stays where it is."""
        here, there = (self.origin.side, self.origin.zone), (self.target.side, self.target.zone)
        if (None, None) in (here, there) or here == there:
            return None
        return replace(self.origin, side=self.target.side or self.origin.side, zone=self.target.zone)

    @property
    def place(self) -> Spot:
        """The finding in the place that either side names."""
        origin, target = self.origin, self.target
        return replace(origin, side=origin.side or target.side, zone=origin.zone or target.zone)


def exchange(tokens: list[Token], verb: Verb) -> list[Token]:
    """Return "X for Y" after a verb such as "exchange" as "X with Y"; after "substitute" as "Y with X"."""
    place = next((position for position, token in enumerate(tokens) if token.text == "for"), None)
    if not verb.replaces or place is None or any(token.kind in (Kind.TO, Kind.WITH) for token in tokens):
        return tokens
    before, after, arrow = tokens[:place], tokens[place + 1 :], Token(Kind.WITH, tokens[place].text)
    return [*after, arrow, *before] if verb.inverse else [*before, arrow, *after]


def change_segments(tokens: Sequence[Token], replaces: bool) -> list[list[Token]]:
    """Cut a list of changes into those that have their own "to".

    Args:
        tokens: such as "edema from mild to severe and effusion from ...".
        replaces: True after a verb such as "replace", for which "with" is an arrow too.
    """
    segments: list[list[Token]] = [[]]
    for piece in _pieces(tokens, replaces):
        current, arrows = segments[-1], _arrows(replaces)
        place = next((position for position, token in enumerate(current) if token.kind in arrows), None)
        named = any(token.kind is Kind.FINDING for token in piece)
        own = any(token.kind in arrows for token in piece[1:])
        target = place is not None and any(token.kind is Kind.FINDING for token in current[place:])
        placed = any(token.kind in (Kind.SIDE, Kind.ZONE) for token in piece)
        if named and place is not None and (own or not target):
            segments.append(piece)
        elif own and place is not None and placed and (finding := _finding_of(current)):  # "and the left to large"
            segments.append([piece[0], Token(Kind.FINDING, "", finding.value), *piece[1:]])
        else:
            current += piece
    return segments


def _finding_of(tokens: Sequence[Token]) -> Token | None:
    """Return the only finding among tokens."""
    findings = [token for token in tokens if token.kind is Kind.FINDING]
    return findings[0] if len(findings) == 1 else None


def _arrows(replaces: bool) -> tuple[Kind, ...]:
    return (Kind.TO, Kind.WITH) if replaces else (Kind.TO,)


def _pieces(tokens: Sequence[Token], replaces: bool) -> list[list[Token]]:
    """Cut tokens before each "and"."""
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind is Kind.AND or (token.kind is Kind.WITH and not replaces):
            pieces.append([])
        pieces[-1].append(token)
    return pieces


def split_at_arrow(tokens: Sequence[Token], replaces: bool) -> Split | None:
    """Split a change at the "to" that is not part of a range; `None` without one.

    Of several, the split that leaves the fewest other "to" outside ranges is taken, then the one with the more usual
    ranges, then the later one.
    """
    best: tuple[tuple[int, int, int], Split] | None = None
    for place, token in enumerate(tokens):
        before, after = list(tokens[:place]), list(tokens[place + 1 :])
        if token.kind not in _arrows(replaces) or not any(other.kind in _CONTENT for other in after):
            continue
        joined = [*join_ranges(before), *join_ranges(after)]
        stray = sum(other.kind is Kind.TO for other in joined)
        unusual = sum(rarity(other.name) for other in joined if other.kind is Kind.LEVEL)
        cost = (stray, unusual, -place)
        if best is None or cost < best[0]:
            best = cost, Split(before, after)
    if best and _has_two_targets(best[1]):
        raise InputError(
            "`prompt` must give one new level, got several after 'to'. Write for example: Change the level of edema "
            "from mild to severe."
        )
    return best[1] if best else None


def _has_two_targets(split: Split) -> bool:
    """Return True for "to a trace -> none", and for "from mild to severe -> none", where the range is an odd one."""
    joined = join_ranges(split.before)
    odd = any(token.kind is Kind.LEVEL and rarity(token.name) >= _UNUSUAL and " to " in token.name for token in joined)
    named = any(token.kind is Kind.FROM for token in joined)
    again = any(token.kind is Kind.TO and other.kind is Kind.LEVEL for token, other in pairwise(joined))
    gone = any(token.value == ABSENT for token in split.after)
    return (odd and named and gone) or again


def names_transition(tokens: Sequence[Token]) -> bool:
    """Return True for "effusion small -> large" and "from mild to severe edema", which need no verb."""
    if any(token.kind is Kind.FROM for token in tokens) and _is_from_to(tokens):
        return True
    place = next((position for position, token in enumerate(tokens) if token.text in _ARROWS), None)
    if place is None or not any(token.kind is Kind.FINDING for token in tokens):
        return False
    sides = (tokens[:place], tokens[place + 1 :])
    if tokens[place].text == "->" and all(any(token.kind is Kind.FINDING for token in side) for side in sides):
        return True  # "left effusion -> right effusion"
    moved = all(any(token.kind is Kind.SIDE for token in side) for side in sides)
    if tokens[place].text == "->" and moved and not any(token.kind is Kind.LEVEL for side in sides for token in side):
        return True  # "effusion: left -> right"
    return all(any(token.kind is Kind.LEVEL for token in side) for side in sides)


def _is_from_to(tokens: Sequence[Token]) -> bool:
    """Return True for "from", a level, "to" and a level, with a finding."""
    kinds = [token.kind for token in tokens if token.kind in (Kind.FROM, Kind.LEVEL, Kind.TO)]
    named = any(token.kind is Kind.FINDING for token in tokens)
    return named and kinds[:4] == [Kind.FROM, Kind.LEVEL, Kind.TO, Kind.LEVEL]


def starts_absent(tokens: Sequence[Token]) -> bool:
    """Return True for "from normal to pneumonia": a statement of a change from nothing to a finding."""
    place = next((position for position, token in enumerate(tokens) if token.kind is Kind.TO), None)
    if place is None:
        return False
    absent = any(token.value == ABSENT for token in tokens[:place])
    return absent and any(token.kind is Kind.FINDING for token in tokens[place:])


def of_picture(tokens: Sequence[Token]) -> bool:
    """Return True for "this film" as what is changed: whatever it shows."""
    return any(token.text in _PICTURES for token in tokens)


def spots_before(tokens: Sequence[Token]) -> tuple[list[Spot], list[Token]]:
    """Return the spots that change; a level or place after "from" applies to every finding named before it."""
    place = next((position for position, token in enumerate(tokens) if token.kind is Kind.FROM), None)
    if place is None:
        return spots_of(tokens)
    spots, unplaced = spots_of(tokens[:place])
    origins, unknown = spots_of(tokens[place + 1 :])
    if not spots or not origins or any(origin.finding for origin in origins):
        return spots_of(tokens)
    origin = origins[0]
    spots = [
        replace(spot, before=spot.before + origin.before, side=spot.side or origin.side, zone=spot.zone or origin.zone)
        for spot in spots
    ]
    return spots, unplaced + unknown
