"""Reading the instruction language: from tokens to clauses.

A text is cut into sentences at full stops, semicolons and line ends, and a sentence into phrases at its verbs. A phrase
is a list of parts, cut at commas and "and". Each part names a finding, its level and its place, or only a level or a
place of a finding beside it ("small left and large right effusion"). What is neither known nor says nothing is kept as
unplaced.

What words mean that could mean several things:

- "no X" and "without X" remove X. "Don't add X", "not X", "keep X" and "except X" leave X alone: a text that says only
  that, or that edits what it leaves alone, is refused.
- "From none to mild" adds, "from mild to none" removes. "Replace X with Y" removes X and adds Y.
- A verb holds for the sentence after a semicolon or a line end too, if that has none: lists need one verb.
- In "from mild to moderate to severe" the longer first level is read: from "mild to moderate", unless the other range
  is the more usual one ("from small to moderate to large"). Hyphens make it plain.
- A finding without a verb ("large effusion"), a verb without a known finding ("add a pacemaker") and any other text are
  free text: kept as a prompt, with a warning, and the whole thorax (or image) as region.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from x2x_core.common.errors import InputError

from .instruction import Clause, Instruction, Operation
from .phrases import SEPARATORS, Spot, join_ranges, spots_of
from .tokens import ABSENT, Kind, Token, Verb, read, unused
from .vocabulary import COURSES, phrases, rarity

logger = logging.getLogger(__name__)

EXAMPLE = "Write for example: Add the finding of moderate left pleural effusion."
_CONTENT = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE)


def parse(text: str, *, free_region: str = "thorax") -> Instruction:
    """Read an instruction; this module's description says how.

    Args:
        text: the user's words, any letter case.
        free_region: "thorax" or "image".

    Raises:
        InputError: no text, an empty text, contradictory clauses, a change that does not say to what, or nothing but
            what is to be left alone.
    """
    _check_arguments(text, free_region)
    tokens = read(text)
    clauses: list[Clause] = []
    kept: list[Clause] = []
    unplaced: list[str] = []
    for phrase in _phrases(tokens):
        found, rest = phrase.read()
        (kept if phrase.keep else clauses).extend(found)
        unplaced += rest
    _check_kept(kept, clauses)
    if not clauses:
        return _free_text(text, tokens, free_region)
    if unplaced:
        words = " ".join(unplaced)
        logger.warning("Not understood in %r: %s. The rest is followed.%s", text, words, _hint(tokens))
    return Instruction(tuple(clauses), text, tuple(unplaced))


def _check_arguments(text: str, free_region: str) -> None:
    if not isinstance(text, str):
        raise InputError(f"`prompt` must be text, got {type(text).__name__}.")
    if free_region not in ("thorax", "image"):
        raise InputError(f"`free_region` must be thorax or image, got {free_region!r}.")
    if not any(letter.isalnum() for letter in text):
        raise InputError(f"`prompt` must say what to edit, but it is empty. {EXAMPLE}")


def _check_kept(kept: list[Clause], clauses: list[Clause]) -> None:
    for clause in clauses:
        if any(clause.overlaps(other) for other in kept):
            raise InputError(
                f"`prompt` must not contradict itself, but it would {clause.operation.value} {clause.finding} and "
                "leave it alone. Keep one of the two, or name the sides."
            )
    if kept and not clauses:
        raise InputError(f"`prompt` must say what to edit, but it only says what to leave alone. {EXAMPLE}")


def _free_text(text: str, tokens: list[Token], region: str) -> Instruction:
    words = tuple(token.text for token in tokens if token.text[:1].isalnum())
    logger.warning(
        "%r names no known finding with an operation, so the whole %s may be edited. %s%s",
        text, region, EXAMPLE, _hint(tokens),
    )  # fmt: skip
    return Instruction((), text, words, region)


def _hint(tokens: Iterable[Token]) -> str:
    """Which words of a finding may have been meant, for words that are spelled a little differently."""
    known = sorted({word for phrase in phrases() for word in phrase if len(word) > 4})
    words = dict.fromkeys(token.text for token in tokens if token.kind is Kind.UNKNOWN and token.text not in known)
    guesses = {word: get_close_matches(word, known, 1, 0.8) for word in words if len(word) > 4}
    return "".join(f" Did you mean {found[0]!r} by {word!r}?" for word, found in guesses.items() if found)


# -- phrases: one verb and what belongs to it -------------------------------------------------------------------------


@dataclass
class _Phrase:
    """A verb, or none, and the tokens that belong to it."""

    verb: Verb | None = None
    keep: bool = False  # it says what to leave alone
    negated: bool = False  # it began with "no" or "without"
    tokens: list[Token] = field(default_factory=list)

    def names(self, *kinds: Kind) -> bool:
        return any(token.kind in kinds for token in self.tokens)

    @property
    def bare(self) -> bool:
        return not self.names(*_CONTENT, *SEPARATORS, Kind.UNKNOWN)

    def read(self) -> tuple[list[Clause], list[str]]:
        """The clauses of the phrase and the words that are in none of them."""
        if not self.names(Kind.FINDING) or (self.verb is None and not self.keep):
            return [], list(unused(self.tokens))
        if self.keep:
            return _read_plain(Verb(Operation.REMOVE), self.tokens)
        if self.verb.operation is not Operation.CHANGE:
            return _read_plain(self.verb, self.tokens)
        read = [_read_change(self.verb, segment) for segment in _segments(self.tokens, self.verb.replaces)]
        return [clause for clauses, _ in read for clause in clauses], [word for _, rest in read for word in rest]


def _phrases(tokens: Iterable[Token]) -> Iterator[_Phrase]:
    """The phrases of a text. A sentence after a soft stop goes on with the verb before it."""
    verb = None
    for sentence, goes_on in _sentences(tokens):
        found = _join_passive(_cut_at_verbs(sentence))
        if goes_on and found[0].verb is None and not found[0].keep:
            found[0].verb = verb
        verb = found[-1].verb
        yield from found


def _sentences(tokens: Iterable[Token]) -> Iterator[tuple[list[Token], bool]]:
    """The tokens between stops, and whether the stop before them was a soft one."""
    sentence: list[Token] = []
    goes_on = False
    for token in (*tokens, Token(Kind.STOP, "")):
        if token.kind not in (Kind.STOP, Kind.SOFT_STOP):
            sentence.append(token)
        elif sentence:
            yield sentence, goes_on
            sentence, goes_on = [], token.kind is Kind.SOFT_STOP


def _cut_at_verbs(sentence: list[Token]) -> list[_Phrase]:
    found = [_Phrase()]
    for token in sentence:
        last = found[-1]
        if token.kind is Kind.KEEP:
            found.append(_Phrase(keep=True))
        elif token.kind is Kind.NOT:
            found.append(_Phrase(Verb(Operation.REMOVE), negated=True))
        elif token.kind is not Kind.VERB:
            last.tokens.append(token)
        elif last.bare and (last.keep or last.negated):  # "do not remove", "without changing"
            found[-1] = _Phrase(keep=True)
        else:
            found.append(_Phrase(token.value))
    return found


def _join_passive(found: list[_Phrase]) -> list[_Phrase]:
    """Give a verb that stands after its finding ("the effusion should be removed") what it speaks of."""
    joined = [found[0]]
    for phrase in found[1:]:
        last = joined[-1]
        open_ended = not last.keep and (last.verb is None or last.verb.makes) and last.names(Kind.FINDING)
        if open_ended and phrase.verb and not phrase.negated and not phrase.names(Kind.FINDING, Kind.UNKNOWN):
            joined[-1] = _Phrase(phrase.verb, tokens=last.tokens + phrase.tokens)
        else:
            joined.append(phrase)
    return joined


# -- clauses ----------------------------------------------------------------------------------------------------------


def _read_plain(verb: Verb, tokens: Sequence[Token]) -> tuple[list[Clause], list[str]]:
    """What is added, removed or changed without a "to"."""
    spots, unplaced = spots_of(tokens)
    return [_clause(verb, spot, unplaced) for spot in spots], unplaced


def _clause(verb: Verb, spot: Spot, unplaced: list[str]) -> Clause:
    if verb.operation is Operation.CHANGE:
        return _changed_without_to(verb, spot, unplaced)
    courses = tuple(level for level in spot.before + spot.after if level.value in ("increasing", "decreasing"))
    if verb.makes and (spot.after or courses):
        before = tuple(level for level in spot.before if level not in courses)
        after = spot.after or courses
        return _change(spot, _level(spot, before, unplaced), _level(spot, after, unplaced))
    return _at(verb.operation, spot, _level(spot, spot.before + spot.after, unplaced))


def _changed_without_to(verb: Verb, spot: Spot, unplaced: list[str]) -> Clause:
    """ "Increase the effusion", where a level after it ("slightly") is by how much; or "set the effusion large"."""
    before = _level(spot, spot.before, unplaced)
    if verb.course is None:
        return _change(spot, before, _level(spot, spot.after, unplaced))
    unplaced.extend(level.text for level in spot.after)
    return _change(spot, before, verb.course)


def _at(operation: Operation, spot: Spot, level: str | None) -> Clause:
    return Clause(operation, spot.finding, spot.side, spot.zone, None if level == ABSENT else level)


def _change(spot: Spot, before: str | None, after: str | None) -> Clause:
    """A change of level; from or to none it adds or removes."""
    if before == ABSENT and after not in (None, ABSENT):
        return _at(Operation.ADD, spot, after)
    if after == ABSENT:
        return _at(Operation.REMOVE, spot, before)
    return Clause(Operation.CHANGE, spot.finding, spot.side, spot.zone, after, before)


def _level(spot: Spot, levels: Sequence[Token], unplaced: list[str]) -> str | None:
    """The one level of several words; a course beside a strength ("acute severe") is unplaced."""
    strengths = list(dict.fromkeys(level.value for level in levels if level.value not in COURSES))
    if strengths:
        unplaced += [level.text for level in levels if level.value in COURSES]
    else:
        strengths = list(dict.fromkeys(level.value for level in levels))
    if len(strengths) > 1:
        raise InputError(
            f"`prompt` must give {spot.finding} one level in one place, but it gives {' and '.join(strengths)}. "
            "Keep one of the two, or name the sides."
        )
    return strengths[0] if strengths else None


def _segments(tokens: list[Token], replaces: bool) -> list[list[Token]]:
    """The parts of a change that have a "to" of their own: "edema from mild to severe and effusion from ..."."""
    segments: list[list[Token]] = [[]]
    for piece in _pieces(tokens, replaces):
        current, arrows = segments[-1], _arrows(replaces)
        place = next((n for n, token in enumerate(current) if token.kind in arrows), None)
        named = any(token.kind is Kind.FINDING for token in piece)
        own = any(token.kind in arrows for token in piece[1:])
        target = place is not None and any(token.kind is Kind.FINDING for token in current[place:])
        if named and place is not None and (own or not target):
            segments.append(piece)
        else:
            current += piece
    return segments


def _arrows(replaces: bool) -> tuple[Kind, ...]:
    return (Kind.TO, Kind.WITH) if replaces else (Kind.TO,)


def _pieces(tokens: list[Token], replaces: bool) -> list[list[Token]]:
    """Tokens cut before each "and"."""
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind is Kind.AND or (token.kind is Kind.WITH and not replaces):
            pieces.append([])
        pieces[-1].append(token)
    return pieces


def _read_change(verb: Verb, tokens: list[Token]) -> tuple[list[Clause], list[str]]:
    """A change "of X from A to B", of X to Y, or without a "to"."""
    split = _transition(tokens, verb.replaces)
    before, after = split or (tokens, None)
    spots, unplaced = _spots_before(before)
    if after is None:
        return [_clause(verb, spot, unplaced) for spot in spots if spot.finding], unplaced
    targets, more = spots_of(after)
    unplaced += more
    return _transitions(spots, targets, unplaced), unplaced


def _transition(tokens: list[Token], replaces: bool) -> tuple[list[Token], list[Token]] | None:
    """What stands before and after the "to" that is not part of a range."""
    splits = []
    for place, token in enumerate(tokens):
        before, after = tokens[:place], tokens[place + 1 :]
        if token.kind in _arrows(replaces) and any(other.kind in _CONTENT for other in after):
            joined = [*join_ranges(before), *join_ranges(after)]
            stray = sum(other.kind is Kind.TO for other in joined)
            splits.append(
                (stray, sum(rarity(other.value) for other in joined if other.kind is Kind.LEVEL), -place, before, after)
            )
    return min(splits, key=lambda split: split[:3])[3:] if splits else None


def _spots_before(tokens: list[Token]) -> tuple[list[Spot], list[str]]:
    """What is to change. A level or place after "from" holds for all that is named before it."""
    place = next((n for n, token in enumerate(tokens) if token.kind is Kind.FROM), None)
    if place is None:
        return spots_of(tokens)
    spots, unplaced = spots_of(tokens[:place])
    origins, more = spots_of(tokens[place + 1 :])
    if not spots or not origins or any(origin.finding for origin in origins):
        return spots_of(tokens)
    origin = origins[0]
    spots = [
        replace(spot, before=spot.before + origin.before, side=spot.side or origin.side, zone=spot.zone or origin.zone)
        for spot in spots
    ]
    return spots, unplaced + more


def _transitions(spots: list[Spot], targets: list[Spot], unplaced: list[str]) -> list[Clause]:
    named = [spot for spot in spots if spot.finding]
    if not named:
        origin = spots[0].before if spots else ()
        reached = [spot for spot in targets if spot.finding]
        return [_change(spot, *_both(spot, origin, spot.before + spot.after, unplaced)) for spot in reached]
    others = {target.finding for target in targets} - {None}
    if others and others != {spot.finding for spot in named}:
        removed = [_at(Operation.REMOVE, spot, _level(spot, spot.before + spot.after, unplaced)) for spot in named]
        added = [_at(Operation.ADD, spot, _level(spot, spot.before + spot.after, unplaced)) for spot in targets]
        return removed + added
    return [clause for spot in named for clause in _moved_or_changed(spot, targets[0], unplaced)]


def _moved_or_changed(spot: Spot, target: Spot, unplaced: list[str]) -> list[Clause]:
    before, after = _both(spot, spot.before + spot.after, target.before + target.after, unplaced)
    here, there = (spot.side, spot.zone), (target.side, target.zone)
    if (None, None) not in (here, there) and here != there:
        arrived = replace(spot, side=target.side or spot.side, zone=target.zone)
        return [_at(Operation.REMOVE, spot, before), _at(Operation.ADD, arrived, after or before)]
    spot = replace(spot, side=spot.side or target.side, zone=spot.zone or target.zone)
    return [_change(spot, before, after)]


def _both(
    spot: Spot, before: Sequence[Token], after: Sequence[Token], unplaced: list[str]
) -> tuple[str | None, str | None]:
    return _level(spot, before, unplaced), _level(spot, after, unplaced)
