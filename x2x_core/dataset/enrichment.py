"""Level and place from the other questions about a pair, for the v2 instructions.

Medical-Diff-VQA also asks about the main (later) image of each pair. These questions are used:

- location: "where in the image is the X located?", "where is the X?"; answers "left lower lung area", "left area and
  right lower area", "the left lung base"
- location: "is the X located on the left side or right side?"; answers "left side", "right side"
- level: "what level is the X?"; answers "moderate", "small increasing"
- abnormality: "what abnormalities are seen in the right lower lung?"; the answer is the finding

Its generator fills some questions with one finding and answers them with the place of another, if the finding drawn
first has no place of the requested kind. Therefore the side alone is used only if no other question states the place,
and the presence questions ("is there X in the left lower area?") are never used; nor are their "no" answers, which are
made from the opposite place.
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

# Question type, pattern of the question, and pattern of the answers that are used.
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
class Details:
    """Places and levels of one finding in one image, from the other questions."""

    places: list[Place] = field(default_factory=list)
    side: str = ""  # less reliable than a place
    levels: Levels = NO_LEVELS

    @property
    def location(self) -> list[Place]:
        """The places, or else the side."""
        return self.places or ([Place(self.side)] if self.side else [])


def enrich(
    instruction: Instruction,
    other_rows: Iterable[Mapping[str, str]],
    reference_rows: Iterable[Mapping[str, str]] = (),
) -> Instruction:
    """Add the level and the place of each finding that the other questions state.

    The instruction's own levels and places are kept. Added and removed findings get a level, and every finding that has
    no place but can have one gets a place; a finding in several places becomes one clause for each. If "from A to B to
    C" in an answer has two readings, the level question decides between them.

    Args:
        instruction: from `instruction_from_difference`.
        other_rows: rows with `question_type`, `question` and `answer` about the main image of the same pair. Rows that
            state no level or place are ignored.
        reference_rows: such rows about the reference image, from the pair in which it is the main image: they describe
            the removed findings, which the main image does not show.

    Returns:
        The instruction for the v2 schema.
    """
    main, reference = details_by_finding(other_rows), details_by_finding(reference_rows)
    clauses = []
    for clause in instruction.clauses:
        details = (reference if clause.operation is Operation.REMOVE else main).get(clause.finding, Details())
        clauses += at_places(_with_level(clause, details.levels), details.location)
    return with_text(Instruction(tuple(clauses), unplaced=instruction.unplaced))


def without_details(instruction: Instruction) -> Instruction:
    """Remove all places, and the levels of added and removed findings, for the v1 schema.

    Raises:
        InputError: the instruction contradicts itself without its places.
    """
    clauses = [
        replace(clause, side=None, zone=None, level=clause.level if clause.operation is Operation.CHANGE else None)
        for clause in instruction.clauses
    ]
    return with_text(Instruction(tuple(clauses), unplaced=instruction.unplaced))


def details_by_finding(rows: Iterable[Mapping[str, str]]) -> dict[str, Details]:
    """Collect the details that rows state, by the canonical name of the finding."""
    details: dict[str, Details] = {}
    for row in rows:
        words = _words(row)
        finding = find_finding(words.get("finding", ""))
        if finding is None:
            continue
        entry = details.setdefault(finding.name, Details())
        entry.side = words.get("side", entry.side) if finding.lateral else ""
        try:
            if "place" in words and finding.lateral:
                entry.places = narrowest([*entry.places, *read_all_places(words["place"])[0]])
            if "level" in words:
                entry.levels = read_levels(words["level"])
        except ValueError:  # the answer is not a place or level of the vocabulary
            continue
    return details


def _words(row: Mapping[str, str]) -> dict[str, str]:
    """Extract the finding and the place, side or level of a row, as far as it names them."""
    row_question, row_answer = (plain(str(row.get(name, ""))) for name in ("question", "answer"))
    for kind, question, answer in _FORMS:
        if row.get("question_type") == kind:
            first, second = question.fullmatch(row_question), answer.fullmatch(row_answer)
            if first and second:
                return first.groupdict() | second.groupdict()
    return {}


def _with_level(clause: Clause, levels: Levels) -> Clause:
    if clause.operation is Operation.CHANGE:
        return _decide_range(clause, levels)
    level = levels.strength or (
        levels.course if levels.course == "acute" else None
    )  # an added finding is not "increasing"
    return replace(clause, level=level) if clause.level is None else clause


def _decide_range(clause: Clause, levels: Levels) -> Clause:
    """Choose the reading of "from A to B to C" that matches the level of the main image."""
    steps = f"{clause.level_from} to {clause.level}".split(" to ")
    if len(steps) != 3 or levels.level is None:
        return clause
    if levels.level == steps[2] and level_range(*steps[:2]):
        return replace(clause, level=steps[2], level_from=level_range(*steps[:2]))
    if levels.level == level_range(*steps[1:]):
        return replace(clause, level=levels.level, level_from=steps[0])
    return clause
