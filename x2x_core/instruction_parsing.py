"""Reading the instruction language: from words to clauses.

A text is cut into sentences at full stops, semicolons, line ends and before each verb; a sentence into items at commas
and "and". Each item is scanned for the longest known phrases: a finding, its level, its side and its zone. What is
neither known nor a filler is kept as unplaced.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .findings import FINDINGS, LEVEL_NAMES, ZONE_NAMES, phrases
from .instructions import Clause, Instruction, Operation

logger = logging.getLogger(__name__)

_VERBS: dict[tuple[str, ...], tuple[Operation, str | None]] = {
    **{(verb,): (Operation.ADD, None) for verb in
       "add adds adding insert put simulate show introduce include create give generate".split()},
    **{(verb,): (Operation.REMOVE, None) for verb in
       "remove removes removing delete erase clear resolve without no eliminate".split()},
    ("get", "rid", "of"): (Operation.REMOVE, None),
    ("take", "away"): (Operation.REMOVE, None),
    **{(verb,): (Operation.CHANGE, None) for verb in "change changes changing alter set turn".split()},
    **{(verb,): (Operation.CHANGE, "increasing") for verb in "increase worsen raise enlarge aggravate".split()},
    **{(verb,): (Operation.CHANGE, "decreasing") for verb in "decrease reduce lessen diminish improve".split()},
}  # fmt: skip
_SIDE_NAMES = {"left": "left", "right": "right", "bilateral": "bilateral", "both": "bilateral", "bilaterally": "bilateral"}
_FILLERS = frozenset(
    "a an the of in on at with finding findings lung lungs zone zones lobe lobes field fields side sides sided region "
    "area angle angles hemithorax hemithoraces chest level levels size degree severity please there is are this that "
    "patient patient's new some any also then now make it i want to from".split()
)
_BOTH_BASES = "bibasilar"


@dataclass
class _Item:
    """What was read of one item of a list."""

    finding: str | None = None
    levels: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    level_from: str | None = None
    level_to: str | None = None
    unplaced: list[str] = field(default_factory=list)

    def add(self, other: _Item) -> None:
        """Take over what another item without a finding says of the place and the level."""
        for name in ("levels", "sides", "zones", "unplaced"):
            getattr(self, name).extend(getattr(other, name))
        self.level_from, self.level_to = other.level_from or self.level_from, other.level_to or self.level_to

    @property
    def side(self) -> str | None:
        sides = set(self.sides)
        return sides.pop() if len(sides) == 1 else ("bilateral" if sides else None)


def parse(text: str, *, free_region: str = "thorax") -> Instruction:
    """Read an instruction.

    A finding without an operation ("large effusion"), an operation without a known finding ("add a pacemaker") and
    any other text are free text: kept as a prompt, with a warning, and the whole `free_region` as region.

    Args:
        text: the user's words, any letter case.
        free_region: "thorax" or "image".

    Raises:
        ValueError: no text, an empty text, contradictory clauses, or a change that does not say to what.
    """
    if not isinstance(text, str):
        raise ValueError(f"`prompt` must be text, got {type(text).__name__}.")
    if free_region not in ("thorax", "image"):
        raise ValueError(f"`free_region` must be thorax or image, got {free_region!r}.")
    if not text.strip():
        raise ValueError(
            "`prompt` must say what to edit, but it is empty. Write for example: "
            "Add the finding of moderate left pleural effusion."
        )
    clauses, unplaced = [], []
    for operation, course, words in _sentences(text):
        found, rest = _read_sentence(operation, course, words)
        clauses += found
        unplaced += rest
    if not clauses:
        return _free_text(text, free_region)
    if unplaced:
        logger.warning("Not understood in %r: %s. The rest is followed.", text, " ".join(unplaced))
    return Instruction(tuple(clauses), text, tuple(unplaced))


def _free_text(text: str, region: str) -> Instruction:
    instruction = Instruction((), text, tuple(_words(text)), region)
    logger.warning(
        "%r names no known finding with an operation, so the whole %s may be edited. "
        "Write for example: Add the finding of moderate left pleural effusion.", text, region,
    )  # fmt: skip
    return instruction


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+(?:-to-[a-z0-9]+|'[a-z]+)?|,", text.lower())


def _sentences(text: str) -> Iterable[tuple[Operation | None, str | None, list[str]]]:
    """Operation, course and words of each part of the text that has one verb, or none."""
    for sentence in re.split(r"[.;:!?\n]+", text):
        words, current, operation, course = _words(sentence), [], None, None
        while words:
            verb = next((v for v in _VERBS if tuple(words[: len(v)]) == v), None)
            if verb is None:
                current.append(words.pop(0))
                continue
            if operation is not None or _names_finding(current):
                yield operation, course, current
                current = []
            operation, course = _VERBS[verb]
            words = words[len(verb) :]
        if operation is not None or current:
            yield operation, course, current


def _names_finding(words: list[str]) -> bool:
    return any(item.finding for item in map(_scan, _split(words)))


def _read_sentence(operation: Operation | None, course: str | None, words: list[str]) -> tuple[list[Clause], list[str]]:
    items = _gather([_scan(part) for part in _split(words)])
    if operation is None or not any(item.finding for item in items):
        return [], [word for word in words if word not in (",", "and")]
    clauses = [_clause(operation, course, item) for item in items if item.finding]
    return clauses, [word for item in items for word in item.unplaced]


def _split(words: list[str]) -> list[list[str]]:
    """The items of a list: parted by commas, "and" and "plus"."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in (",", "and", "plus"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _gather(items: list[_Item]) -> list[_Item]:
    """Join items without a finding to the finding before them, or, at the start of a list, to the one after."""
    gathered: list[_Item] = []
    waiting = _Item()
    for item in items:
        if item.finding:
            item.add(waiting)
            waiting = _Item()
            gathered.append(item)
        elif gathered and not _leads(item, items):
            gathered[-1].add(item)
        else:
            waiting.add(item)
    if gathered:
        gathered[-1].add(waiting)
    return gathered or [waiting]


def _leads(item: _Item, items: list[_Item]) -> bool:
    """Whether an item such as "left" in "edema, left and right effusion" belongs to the finding after it."""
    position = next(number for number, other in enumerate(items) if other is item)
    following = next((other for other in items[position + 1 :] if other.finding), None)
    return following is not None and bool(following.sides) and not item.zones and bool(item.sides)


def _scan(words: list[str]) -> _Item:
    item, place = _Item(), 0
    while place < len(words):
        place += _take(item, words, place)
    return item


def _take(item: _Item, words: list[str], place: int) -> int:
    """Read what stands at `place` into `item`; gives the number of words read."""
    word, rest = words[place], words[place:]
    for read in (_take_change, _take_finding, _take_level):
        length = read(item, rest)
        if length:
            return length
    if word == _BOTH_BASES:
        item.sides.append("bilateral")
        item.zones.append("basal")
    elif word in _SIDE_NAMES:
        item.sides.append(_SIDE_NAMES[word])
    elif word in ZONE_NAMES:
        item.zones.append(ZONE_NAMES[word])
    elif word not in _FILLERS:
        item.unplaced.append(word)
    return 1


def _take_change(item: _Item, words: list[str]) -> int:
    """ "from A to B" or "to B"; where "from mild to moderate to severe" could be both, the longer first level wins """
    if words[0] == "from":
        for before, length in _levels_at(words[1:]):
            if words[1 + length : 2 + length] == ["to"]:
                for after, more in _levels_at(words[2 + length :]):
                    item.level_from, item.level_to = before, after
                    return 2 + length + more
    if words[0] == "to":
        for after, length in _levels_at(words[1:]):
            item.level_to = after
            return 1 + length
    return 0


def _take_finding(item: _Item, words: list[str]) -> int:
    if item.finding:
        return 0
    known = phrases()
    for length in range(min(len(words), max(map(len, known))), 0, -1):
        name = known.get(tuple(words[:length]))
        if name:
            item.finding = name
            return length
    return 0


def _take_level(item: _Item, words: list[str]) -> int:
    for level, length in _levels_at(words):
        item.levels.append(level)
        return length
    return 0


def _levels_at(words: list[str]) -> Iterable[tuple[str, int]]:
    """The levels that the words begin with and their lengths in words, the longest first."""
    for length in (3, 1):
        name = LEVEL_NAMES.get(" ".join(words[:length]).replace("-", " ")) if len(words) >= length else None
        if name:
            yield name, length


def _clause(operation: Operation, course: str | None, item: _Item) -> Clause:
    level = item.levels[-1] if item.levels else None
    if len(set(item.levels)) > 1:
        raise ValueError(f"`prompt` must give {item.finding} one level, got {' and '.join(item.levels)}.")
    zone = item.zones[0] if item.zones else None
    item.unplaced += [name for name in item.zones[1:] if name != zone]
    side = item.side if FINDINGS[item.finding].lateral or item.side is None else None
    clause = Clause(Operation.ADD, item.finding, side, zone)
    if side is None and item.side not in (None, "bilateral"):
        item.unplaced.append(item.side)
    if operation is not Operation.CHANGE:
        return replace(clause, operation=operation, level=item.level_to or level)
    target = item.level_to or course
    before = item.level_from or (level if item.level_to else None)
    if target is None:
        raise ValueError(
            f"`prompt` must say what the level of {item.finding} changes to. "
            f"Write for example: Change the level of {item.finding} from mild to severe."
        )
    return replace(clause, operation=operation, level=target, level_from=before)
