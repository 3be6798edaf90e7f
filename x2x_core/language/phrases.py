"""The parts of a phrase of the instruction language, and the places that they speak of.

A phrase is a list, cut at commas and "and". Each part names a finding with its level and place, or only a level or a
place of a finding beside it, as in "small left and large right effusion".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .lexicon import Kind, Token
from .unknown_words import is_noun
from .vocabulary import level_range

SEPARATORS = (Kind.AND, Kind.WITH)


@dataclass
class _Part:
    """A finding with its level and place, or a level or place alone."""

    finding: str | None = None
    before: list[Token] = field(default_factory=list)  # levels before the finding
    after: list[Token] = field(default_factory=list)  # levels after it
    sides: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    order: list[Kind] = field(default_factory=list)  # kinds of the tokens, as they came
    unplaced: list[str] = field(default_factory=list)
    nouns: list[str] = field(default_factory=list)  # unknown nouns, which its level and place may belong to
    words: list[str] = field(default_factory=list)  # texts of all tokens but function words

    @property
    def side(self) -> str | None:
        named = set(self.sides) - {"bilateral"} or set(self.sides)  # "both left and right"
        return named.pop() if len(named) == 1 else ("bilateral" if named else None)

    @property
    def zone(self) -> str | None:
        return self.zones[0] if self.zones else None

    @property
    def levels(self) -> list[Token]:
        return self.before + self.after

    @property
    def kinds(self) -> set[Kind]:
        """What it says something of."""
        given = {Kind.LEVEL: self.levels, Kind.SIDE: self.sides, Kind.ZONE: self.zones}
        return {kind for kind, values in given.items() if values}

    @property
    def zone_first(self) -> bool:
        """Whether it is worded like "lower zone of the left lung"."""
        return bool(self.sides and self.zones) and self.order.index(Kind.ZONE) < self.order.index(Kind.SIDE)

    @property
    def prepositional(self) -> bool:
        return self.order[:1] == [Kind.PREPOSITION]

    def leading(self) -> set[Kind]:
        """The kinds of what stands before its finding."""
        return set(self.order[: self.order.index(Kind.FINDING)]) if self.finding else set()

    def trailing(self) -> set[Kind]:
        """The kinds of what stands after its finding."""
        return set(self.order[self.order.index(Kind.FINDING) :]) if self.finding else set(self.order)

    def take(self, token: Token) -> None:
        if token.kind is Kind.ASIDE:
            self.unplaced.append(token.text)
            return
        self.order.append(token.kind)
        if token.kind is not Kind.PREPOSITION and token.text:
            self.words.append(token.text)
        if token.kind is Kind.UNKNOWN and is_noun(token.text):
            self.nouns.append(token.text)
        if token.kind is Kind.FINDING:
            self.finding = token.name
        elif token.kind is Kind.LEVEL:
            (self.after if self.finding else self.before).append(token)
        elif token.kind is Kind.SIDE:
            self.sides.append(token.name)
        elif token.kind is Kind.ZONE and (not self.zones or token.name in self.zones):
            self.zones.append(token.name)
        elif token.kind in (Kind.UNKNOWN, Kind.ZONE):
            self.unplaced.append(token.text)

    def joined(self, other: _Part) -> _Part:
        """Both as one; a level that stands beside the finding alone counts as standing after it."""
        first, second = (self, other) if self.finding or not other.finding else (other, self)
        return _Part(
            finding=first.finding,
            before=first.before + ([] if self.finding else second.before),
            after=first.after + (second.before if self.finding else []) + second.after,
            sides=first.sides + second.sides,
            zones=first.zones + second.zones,
            order=self.order + other.order,
        )


def _parts(tokens: Sequence[Token]) -> list[_Part]:
    parts = [_Part()]
    for position, token in enumerate(tokens):
        if token.kind in SEPARATORS or _begins_anew(parts[-1], tokens[position:]):
            parts.append(_Part())
        if token.kind not in (*SEPARATORS, Kind.FILLER, Kind.STATE):
            parts[-1].take(token)
    return [_of_unknown_noun(part) for part in parts]


def _of_unknown_noun(part: _Part) -> _Part:
    """Leave the level and place of an unknown noun, such as "left pacemaker", unplaced."""
    return _Part(unplaced=[*part.words]) if part.nouns and not part.finding and part.kinds else part


def _begins_anew(part: _Part, tokens: Sequence[Token]) -> bool:
    """Whether another finding follows, with what stands before it, without an "and"."""
    if not part.finding or tokens[0].kind is Kind.PREPOSITION or Kind.PREPOSITION in part.trailing():
        return bool(part.finding) and tokens[0].kind is Kind.FINDING
    attributes = (Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER)
    return next((token.kind for token in tokens if token.kind not in attributes), None) is Kind.FINDING


def _groups(parts: list[_Part]) -> list[list[_Part]]:
    """Parts that speak of one finding; the last group has none if no finding is named at all."""
    groups: list[list[_Part]] = []
    waiting: list[_Part] = []
    for position, part in enumerate(parts):
        if part.finding:
            groups.append([*waiting, part])
            waiting = []
        elif groups and not waiting and not _leads(part, groups[-1], parts[position + 1 :]):
            groups[-1].append(part)
        else:
            waiting.append(part)
    if waiting and groups:
        groups[-1] += waiting
    return groups or [waiting]


def _leads(part: _Part, group: list[_Part], following: list[_Part]) -> bool:
    """Whether a part such as "left" in "edema, left and right effusion" belongs to the finding after it."""
    finding = next((other for other in following if other.finding), None)
    places_follow = any(other.trailing() & {Kind.PREPOSITION, Kind.SIDE, Kind.ZONE} for other in group)
    if finding is None or part.prepositional or places_follow:
        return False
    return bool(part.kinds & finding.leading())


# -- spots: one finding in one place ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """One finding in one place, with the levels before and after its name."""

    finding: str | None
    before: tuple[Token, ...]
    after: tuple[Token, ...]
    side: str | None
    zone: str | None

    @property
    def levels(self) -> tuple[Token, ...]:
        """All levels, in the order of the text."""
        return self.before + self.after


def spots_of(tokens: Sequence[Token]) -> tuple[list[Spot], list[str]]:
    """What tokens speak of, and the words that say nothing known. Without a finding in them, the spots have none."""
    parts = _parts(join_ranges(tokens))
    found = [spot for group in _groups([part for part in parts if part.order]) for spot in _spots_of_group(group)]
    return found, [word for part in parts for word in part.unplaced]


def _spots_of_group(group: list[_Part]) -> list[Spot]:
    """The places of one finding. Parts that say different things are one place; each lacks what its neighbour says."""
    finding = next((part.finding for part in group if part.finding), None)
    parts = _join_complements(group)
    found = []
    for number, part in enumerate(parts):
        last = parts[number - 1] if number else None
        following = parts[number + 1] if number + 1 < len(parts) else None
        levels = next((other for other in (part, last, following) if other and other.levels), part)
        found.append(
            Spot(finding, tuple(levels.before), tuple(levels.after), _side(part, last, following),
                  _zone(part, last, following))
        )  # fmt: skip
    return _join_sides(found)


def _join_complements(group: list[_Part]) -> list[_Part]:
    parts = group[:1]
    for part in group[1:]:
        if parts[-1].kinds & part.kinds:
            parts.append(part)
        else:
            parts[-1] = parts[-1].joined(part)
    return parts


def _side(part: _Part, last: _Part | None, following: _Part | None) -> str | None:
    """Its own side; "left" for "lower" in "left upper and lower zones" and "upper and lower zones of the left lung"."""
    if part.side or not part.zone or part.prepositional:
        return part.side
    if last and last.side:
        return last.side
    return following.side if following and following.zone_first else None


def _zone(part: _Part, last: _Part | None, following: _Part | None) -> str | None:
    """Its own zone; "upper" in "left and right upper zones" and "upper zones of the left and right lungs"."""
    if part.zone or not part.side or part.prepositional:
        return part.zone
    if last and last.zone_first:
        return last.zone
    return following.zone if following and not following.zone_first and not following.prepositional else None


def _join_sides(spots: list[Spot]) -> list[Spot]:
    """Left and right of the same as one bilateral."""
    joined: list[Spot] = []
    for spot in spots:
        other = next((last for last in joined if replace(last, side=spot.side) == spot), None)
        if other and {other.side, spot.side} == {"left", "right"}:
            joined[joined.index(other)] = replace(other, side="bilateral")
        else:
            joined.append(spot)
    return joined


def join_ranges(tokens: Sequence[Token]) -> list[Token]:
    """Join each range, such as "mild to moderate", to one level."""
    joined: list[Token] = []
    for token in tokens:
        range_of = _range([*joined[-2:], token])
        if range_of:
            joined[-2:] = [Token(Kind.LEVEL, range_of, range_of)]
        else:
            joined.append(token)
    return joined


def _range(tokens: Sequence[Token]) -> str | None:
    if [token.kind for token in tokens] != [Kind.LEVEL, Kind.TO, Kind.LEVEL]:
        return None
    return level_range(tokens[0].name, tokens[2].name)
