"""Parts of a verb phrase, and the findings in places that they name.

A phrase is a list, cut at commas and "and". Each part names a finding with its level and place, or only a level or a
place of a neighbouring finding, as in "small left and large right effusion".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from x2x_core.common.errors import InputError

from .lexicon import Kind, Reason, Token
from .unknown_words import DESCRIPTORS, is_noun
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
    order: list[Kind] = field(default_factory=list)  # kinds of the tokens, in order
    unplaced: list[Token] = field(default_factory=list)
    nouns: list[Token] = field(default_factory=list)  # unknown nouns, which its level and place may belong to
    words: list[Token] = field(default_factory=list)  # all tokens but function words
    enclosed: bool = False  # between two commas, as in "edema, mild, with ..."

    @property
    def side(self) -> str | None:
        named = set(self.sides) - {"bilateral"} or set(self.sides)  # "both left and right"
        if len(named) > 1:
            raise InputError(
                f"`prompt` must name one side of {self.finding or 'a finding'}, got {' '.join(self.sides)}."
            )
        return next(iter(named), None)

    @property
    def zone(self) -> str | None:
        return self.zones[0] if self.zones else None

    @property
    def levels(self) -> list[Token]:
        return self.before + self.after

    @property
    def kinds(self) -> set[Kind]:
        """Kinds of attributes that the part names."""
        named = {Kind.LEVEL: self.levels, Kind.SIDE: self.sides, Kind.ZONE: self.zones}
        return {kind for kind, values in named.items() if values}

    @property
    def zone_first(self) -> bool:
        """True for the order of "lower zone of the left lung"."""
        return bool(self.sides and self.zones) and self.order.index(Kind.ZONE) < self.order.index(Kind.SIDE)

    @property
    def prepositional(self) -> bool:
        return self.order[:1] == [Kind.PREPOSITION]

    def leading(self) -> set[Kind]:
        """Return the kinds of the tokens before the finding."""
        return set(self.order[: self.order.index(Kind.FINDING)]) if self.finding else set()

    def trailing(self) -> set[Kind]:
        """Return the kinds of the tokens from the finding on."""
        return set(self.order[self.order.index(Kind.FINDING) :]) if self.finding else set(self.order)

    def take(self, token: Token) -> None:
        if token.kind is Kind.ASIDE:
            self.unplaced.append(token)
            return
        self.order.append(token.kind)
        if token.kind is not Kind.PREPOSITION and token.text:
            self.words.append(token)
        if token.kind is Kind.UNKNOWN and is_noun(token.text):
            self.nouns.append(token)
        if token.kind is Kind.FINDING:
            self.finding = token.name
        elif token.kind is Kind.LEVEL:
            (self.after if self.finding else self.before).append(token)
        elif token.kind is Kind.SIDE:
            self.sides.append(token.name)
        elif token.kind is Kind.ZONE and (not self.zones or token.name in self.zones):
            self.zones.append(token.name)
        elif token.kind in (Kind.UNKNOWN, Kind.ZONE):
            self.unplaced.append(token)

    def joined(self, other: _Part) -> _Part:
        """Join two parts; a level of the part without the finding counts as standing after the finding."""
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
            parts[-1].enclosed = parts[-1].enclosed and token.text == ","
            parts.append(_Part(enclosed=token.text == ","))
        if token.kind not in (*SEPARATORS, Kind.FILLER, Kind.STATE):
            parts[-1].take(token)
    return [_of_unknown_noun(part) for part in parts]


def _of_unknown_noun(part: _Part) -> _Part:
    """Leave the level and place of an unknown noun, such as "left pacemaker", unplaced."""
    if part.finding or not part.kinds or not (part.nouns or _ends_with_noun(part)):
        return part
    return _Part(unplaced=[replace(token, reason=Reason.UNKNOWN_NOUN) for token in part.words])


def _ends_with_noun(part: _Part) -> bool:
    """Return True for "left stent": the last word of a part without a finding is a noun, whatever its ending."""
    last = part.words[-1] if part.words else None
    return last is not None and last.kind is Kind.UNKNOWN and last.text not in DESCRIPTORS and last.text.isalpha()


def _begins_anew(part: _Part, tokens: Sequence[Token]) -> bool:
    """Return True if another finding with its attributes follows without an "and"."""
    if not part.finding or tokens[0].kind is Kind.PREPOSITION or Kind.PREPOSITION in part.trailing():
        return bool(part.finding) and tokens[0].kind is Kind.FINDING
    attributes = (Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER)
    return next((token.kind for token in tokens if token.kind not in attributes), None) is Kind.FINDING


def _groups(parts: list[_Part]) -> list[list[_Part]]:
    """Group the parts by finding; without any finding, all parts form one group."""
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
    """Return True if a part such as "left" in "edema, left and right effusion" belongs to the finding after it."""
    finding = next((other for other in following if other.finding), None)
    places_follow = any(other.trailing() & {Kind.PREPOSITION, Kind.SIDE, Kind.ZONE} for other in group)
    if finding is None or part.prepositional or places_follow or part.enclosed:
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


def spots_of(tokens: Sequence[Token]) -> tuple[list[Spot], list[Token]]:
    """Return the spots that tokens name, and the words that were not understood.

    Without a finding in the tokens, the spots have none.
    """
    parts = _parts(join_ranges(tokens))
    spots = [spot for group in _groups([part for part in parts if part.order]) for spot in _spots_of_group(group)]
    return spots, [word for part in parts for word in part.unplaced]


def _spots_of_group(group: list[_Part]) -> list[Spot]:
    """Return the spots of one finding.

    Parts that name different attributes form one spot; a spot takes missing attributes from its neighbour.
    """
    finding = next((part.finding for part in group if part.finding), None)
    _check_appended_side(group)
    parts = _join_complements(group)
    spots = []
    for number, part in enumerate(parts):
        last = _last_sided(parts[:number])
        following = parts[number + 1] if number + 1 < len(parts) else None
        levels = next((other for other in (part, last, following) if other and other.levels), part)
        spots.append(
            Spot(finding, tuple(levels.before), tuple(levels.after), _side(part, last, following),
                  _zone(part, last, following))
        )  # fmt: skip
    return _join_sides(spots)


def _check_appended_side(group: list[_Part]) -> None:
    """Refuse "right pneumothorax, left lung ok", where a comma appends the other side alone.

    Raises:
        InputError: such a side, which could be of a remark.
    """
    named: set[str | None] = set()
    for part in group:
        if part.enclosed and not part.finding and part.kinds == {Kind.SIDE} and named - {None, part.side, "bilateral"}:
            raise InputError(
                f"`prompt` must name one side of {group[0].finding or 'a finding'}, or join both by 'and', got "
                f"{part.side!r} after a comma."
            )
        named.add(part.side)


def _last_sided(parts: list[_Part]) -> _Part | None:
    """Return the part before, or the one whose side it shares: "right" of "right upper, middle and lower zones"."""
    last = parts[-1] if parts else None
    for part in reversed(parts):
        if part.side or part.prepositional or not part.zone:
            return part if part.side and not part.prepositional else last
    return last


def _join_complements(group: list[_Part]) -> list[_Part]:
    parts = group[:1]
    for part in group[1:]:
        if parts[-1].kinds & part.kinds:
            parts.append(part)
        else:
            parts[-1] = parts[-1].joined(part)
    return parts


def _side(part: _Part, last: _Part | None, following: _Part | None) -> str | None:
    """Return the side; "left" for "lower" in "left upper and lower zones", "upper and lower zones of the left lung"."""
    if part.side or not part.zone or part.prepositional:
        return part.side
    if last and last.side:
        return last.side
    return following.side if following and following.zone_first else None


def _zone(part: _Part, last: _Part | None, following: _Part | None) -> str | None:
    """Return the part's zone; "upper" in "left and right upper zones", "upper zones of the left and right lungs"."""
    if part.zone or not part.side or part.prepositional:
        return part.zone
    if last and last.zone_first:
        return last.zone
    return following.zone if following and not following.zone_first and not following.prepositional else None


def _join_sides(spots: list[Spot]) -> list[Spot]:
    """Join spots that differ only in left and right to a bilateral one."""
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
    if [token.kind for token in tokens] != [Kind.LEVEL, Kind.TO, Kind.LEVEL] or tokens[1].text == "->":
        return None
    return level_range(tokens[0].name, tokens[2].name)
