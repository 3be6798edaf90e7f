"""Level and place from the other questions about a pair, for the v2 instructions.

Medical-Diff-VQA asks of the main (later) image of each pair, in sentences of which these are heeded:

- location: "where in the image is the X located?", "where is the X?"; answers "left lower lung area", "left area and
  right lower area", "the left lung base"
- location: "is the X located on the left side or right side?"; answers "left side", "right side"
- level: "what level is the X?"; answers "moderate", "small increasing"
- abnormality: "what abnormalities are seen in the right lower lung?"; the answer is the finding

Its generator fills some questions with one finding and answers them with the place of another: where the finding drawn
first has no place of the kind that the question is about. So the side alone is heeded only where no other question
tells the place, and the presence questions ("is there X in the left lower area?") are not heeded at all; nor are their
"no" answers, which are made up from the opposite place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import find_finding, level_range

from .difference import at_places, plain, with_text
from .levels import NO_LEVELS, Levels, read_levels
from .places import Place, narrowest, read_all_places

# Of each question type: its question, and its answer where that tells something.
_FORMS = tuple(
    (kind, re.compile(question), re.compile(answer))
    for kind, question, answer in (
        ("location", r"where in the image is the (?P<finding>.+) located", r"(?P<place>.+)"),
        ("location", r"where is the (?P<finding>.+)", r"(?P<place>.+)"),
        ("location", r"is the (?P<finding>.+) located on the left side or right side", r"(?P<side>left|right) side"),
        ("level", r"what level is the (?P<finding>.+)", r"(?P<level>.+)"),
        ("abnormality", r"what abnormalities are seen in the (?P<place>.+)", r"(?P<finding>.+)"),
    )
)


@dataclass
class Told:
    """What other questions tell of one finding in one image."""

    places: list[Place] = field(default_factory=list)
    side: str = ""  # less certain than a place
    levels: Levels = NO_LEVELS

    @property
    def where(self) -> list[Place]:
        """The places, or else the side."""
        return self.places or ([Place(self.side)] if self.side else [])


def enrich(
    instruction: Instruction,
    other_rows: Iterable[Mapping[str, str]],
    reference_rows: Iterable[Mapping[str, str]] = (),
) -> Instruction:
    """An instruction with the level and the place of each finding, where the other questions tell them.

    What an instruction already says stays as it is. A level is given to what is added or removed, a place to every
    finding without one that can have one; a finding in several places becomes one clause for each. Where an answer's
    "from A to B to C" has two readings, the level question settles which.

    Args:
        instruction: from `instruction_from_difference`.
        other_rows: rows `question_type`, `question`, `answer` about the main image of the same pair. Rows that tell
            nothing are passed over.
        reference_rows: such rows about the reference image, that is of the pair whose main image it is: they tell
            about the findings that are removed, which the main image does not have.

    Returns:
        The instruction for the v2 schema.
    """
    main, reference = told(other_rows), told(reference_rows)
    clauses = []
    for clause in instruction.clauses:
        known = (reference if clause.operation is Operation.REMOVE else main).get(clause.finding, Told())
        clauses += at_places(_with_level(clause, known.levels), known.where)
    return with_text(Instruction(tuple(clauses), unplaced=instruction.unplaced))


def without_details(instruction: Instruction) -> Instruction:
    """An instruction for the v1 schema: no places, and levels in changes alone.

    Raises:
        InputError: without its places it would contradict itself.
    """
    clauses = [
        replace(clause, side=None, zone=None, level=clause.level if clause.operation is Operation.CHANGE else None)
        for clause in instruction.clauses
    ]
    return with_text(Instruction(tuple(clauses), unplaced=instruction.unplaced))


def told(rows: Iterable[Mapping[str, str]]) -> dict[str, Told]:
    """What rows tell of each finding, by its name in the instruction language."""
    found: dict[str, Told] = {}
    for row in rows:
        words = _words(row)
        finding = find_finding(words.get("finding", ""))
        if finding is None:
            continue
        entry = found.setdefault(finding.name, Told())
        entry.side = words.get("side", entry.side) if finding.lateral else ""
        try:
            if "place" in words and finding.lateral:
                entry.places = narrowest([*entry.places, *read_all_places(words["place"])[0]])
            if "level" in words:
                entry.levels = read_levels(words["level"])
        except ValueError:  # a place or level in other words tells nothing
            continue
    return found


def _words(row: Mapping[str, str]) -> dict[str, str]:
    """The finding and the place, side or level that a row speaks of, as far as it does."""
    asked, answered = (plain(str(row.get(name, ""))) for name in ("question", "answer"))
    for kind, question, answer in _FORMS:
        if row.get("question_type") == kind:
            first, second = question.fullmatch(asked), answer.fullmatch(answered)
            if first and second:
                return first.groupdict() | second.groupdict()
    return {}


def _with_level(clause: Clause, levels: Levels) -> Clause:
    if clause.operation is Operation.CHANGE:
        return _settled(clause, levels)
    level = levels.strength or (levels.course if levels.course == "acute" else None)  # what is new does not "increase"
    return replace(clause, level=level) if clause.level is None else clause


def _settled(clause: Clause, levels: Levels) -> Clause:
    """The reading of "from A to B to C" that the level of the main image tells."""
    steps = f"{clause.level_from} to {clause.level}".split(" to ")
    if len(steps) != 3 or levels.level is None:
        return clause
    if levels.level == steps[2] and level_range(*steps[:2]):
        return replace(clause, level=steps[2], level_from=level_range(*steps[:2]))
    if levels.level == level_range(*steps[1:]):
        return replace(clause, level=levels.level, level_from=steps[0])
    return clause
