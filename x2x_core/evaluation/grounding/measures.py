"""Measures of a grounding audit, from the rows of one model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, NEITHER, Measure

from .edits import BACKGROUND, BLANK, FOREGROUND, NORMAL, SECOND_BACKGROUND, SHIFTED
from .medground import passed_steps

STILL = 0.01  # change of a score below which it counts as unchanged,
STILL_ODDS = 2.0  # if its odds change by less than this factor too: scores near 0 or 1 have no room for more
_SMALLEST = 1e-6  # distance of a score from 0 and 1 below which its odds are not told apart
_FINDING, _ELSEWHERE, _STEADY, _EDIT = "The finding", "Everything else", "Consistency", "The edits"

GROUNDING_MEASURES = (
    Measure("added_effect", "Added: effect", _FINDING, HIGHER, "rise of the probability of yes; mean over additions to "
            "images that the answer did not see it in"),
    Measure("added_flips", "Added: flips to yes", _FINDING, HIGHER, "of the same additions", True, 1),
    Measure("removed_effect", "Removed: effect", _FINDING, HIGHER, "fall of the probability of yes; mean over removals "
            "from images that the answer saw it in"),
    Measure("removed_flips", "Removed: flips to no", _FINDING, HIGHER, "of the same removals", True, 1),
    Measure("background_effect", "Elsewhere: effect", _ELSEWHERE, LOWER, "absolute change of the probability of yes "
            "after the same amount of change elsewhere; mean"),
    Measure("background_flips", "Elsewhere: flips", _ELSEWHERE, LOWER, "answers that this changed", True, 1),
    Measure("contrast", "Contrast", _FINDING, HIGHER, "effect of the finding less that of the same amount elsewhere; "
            "mean over pairs of edits that could flip the answer"),
    Measure("contrast_added", "Contrast: added", _FINDING, HIGHER, "the same of additions alone"),
    Measure("contrast_removed", "Contrast: removed", _FINDING, HIGHER, "the same of removals alone"),
    Measure("specific", "Specific", _FINDING, HIGHER, "of these pairs: the finding flips the answer and the change "
            "elsewhere does not", True, 1),
    Measure("unchanged", "Unchanged by anything", _STEADY, LOWER, "cases whose answer no edit changed, and whose score "
            f"none moved by {STILL:g} or to {STILL_ODDS:g} times its odds", True, 1),
    Measure("blank_unchanged", "Unchanged by a blank", _STEADY, LOWER, "cases with the same answer for a uniform grey "
            "image", True, 1),
    Measure("levels_agree", "Levels in order", _STEADY, HIGHER, "cases whose score never falls from a level to a "
            f"stronger one by {STILL:g}", True, 1),
    Measure("seeds_agree", "Seeds agree", _STEADY, HIGHER, "of the pairs of seeds of an addition, those with the same "
            "answer", True, 1),
    Measure("right", "Right answers", _STEADY, HIGHER, "to the images as they are, where the right answer is known",
            True, 1),
    Measure("kept", "Kept by the filter", _STEADY, HIGHER, "cases that pass the filter of MedGround-Bench", True, 1),
    Measure("not_understood", "Neither yes nor no", _STEADY, LOWER, "of all answers", True, 1),
    Measure("amount", "Amount: the finding", _EDIT, NEITHER, "mean absolute difference of grey values in [0, 255]; 0 "
            "means that the model changed nothing", digits=2),
    Measure("amount_elsewhere", "Amount: elsewhere", _EDIT, NEITHER, "the same of its partners", digits=2),
    Measure("matched", "Amounts match", _EDIT, HIGHER, "partners whose amount could be made the same; the others do "
            "not count", True, 1),
)  # fmt: skip
SHIFT_MEASURES = (
    Measure("right_before", "Right before", _FINDING, HIGHER, "answers to the images as they are", True, 1),
    Measure("right_after", "Right after", _FINDING, HIGHER, "answers to the images under the shift", True, 1),
    Measure("drop", "Drop", _FINDING, LOWER, "share that is right before less that after; the same cases", True, 1),
    Measure("effect", "Change of score", _FINDING, NEITHER, "of the probability of yes; mean"),
    Measure("not_understood", "Neither yes nor no", _STEADY, LOWER, "of all answers", True, 1),
    Measure("amount", "Amount", _EDIT, NEITHER, "mean absolute difference of grey values in [0, 255]; 0 means that "
            "the model changed nothing", digits=2),
)  # fmt: skip
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """Values of some measures, of one image and finding."""

    image: str
    finding: str
    values: dict[str, float | None]


@dataclass(frozen=True)
class Pair:
    """An edit of the finding that could flip the answer, with its partner elsewhere."""

    case: int
    image: str
    finding: str
    kind: str  # of the finding's edit, FOREGROUND or NORMAL
    flipped: bool
    flipped_elsewhere: bool
    contrast: float | None


def value(row: Row, when: str) -> float | None:
    """Return the score "before" or "after", or 1 and 0 for yes and no without one."""
    score, says = row[f"score_{when}"], row[f"says_{when}"]
    return score if score is not None else None if says is None else float(says)


def by_case(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each case, in order."""
    cases: dict[int, list[Row]] = {}
    for row in rows:
        cases.setdefault(row["case"], []).append(row)
    return list(cases.values())


def grounding_lines(rows: Sequence[Row]) -> Iterator[Line]:
    """Yield the values of one model's rows, in the mode "grounding"."""
    for case in by_case(rows):
        image, finding = case[0]["image"], case[0]["finding"]
        found = [*map(_edit_values, case), _case_values(case), *_seed_values(case)]
        yield from (Line(image, finding, values) for values in found if values)
    for pair in pairs(rows):
        values = {"contrast": pair.contrast, "specific": float(pair.flipped and not pair.flipped_elsewhere)}
        values |= {"contrast_added" if pair.kind == FOREGROUND else "contrast_removed": pair.contrast}
        yield Line(pair.image, pair.finding, values)


def _edit_values(row: Row) -> dict[str, float | None]:
    before, after = value(row, "before"), value(row, "after")
    change = None if before is None or after is None else after - before
    values: dict[str, float | None] = {"not_understood": float(row["says_after"] is None)}
    if row["kind"] == FOREGROUND and row["says_before"] is not True:
        values |= {"added_effect": change, "added_flips": float(row["says_after"] is True)}
    if row["kind"] == NORMAL and row["says_before"] is not False:
        values |= {
            "removed_effect": None if change is None else -change,
            "removed_flips": float(row["says_after"] is False),
        }
    if row["kind"] == BACKGROUND:
        values |= {"amount_elsewhere": 255 * row["amount"], "matched": float(row["matches"])}
        if row["matches"]:
            flipped = float(row["says_after"] is not row["says_before"])
            values |= {"background_effect": None if change is None else abs(change), "background_flips": flipped}
    if row["kind"] in (FOREGROUND, NORMAL):
        values["amount"] = 255 * row["amount"]
    return values


def is_unchanged(row: Row) -> bool:
    """Return True if an edit changed neither the answer nor the score."""
    before, after = value(row, "before"), value(row, "after")
    if row["says_before"] is not row["says_after"] or (before is None) is not (after is None):
        return False
    if before is None or after is None:
        return True
    return abs(after - before) < STILL and abs(_log_odds(after) - _log_odds(before)) < math.log(STILL_ODDS)


def _log_odds(score: float) -> float:
    score = min(max(score, _SMALLEST), 1 - _SMALLEST)
    return math.log(score / (1 - score))


def _case_values(case: Sequence[Row]) -> dict[str, float | None]:
    first = case[0]
    values: dict[str, float | None] = {"not_understood": float(first["says_before"] is None)}
    edits = [row for row in case if row["kind"] in (FOREGROUND, BACKGROUND, NORMAL)]
    values["unchanged"] = float(all(map(is_unchanged, edits)))
    blank = [row for row in case if row["kind"] == BLANK]
    if blank:
        values["blank_unchanged"] = float(all(map(is_unchanged, blank)))
    if first["truth"] is not None:
        values["right"] = float(first["says_before"] is first["truth"])
    if any(row["kind"] == SECOND_BACKGROUND for row in case):
        values["kept"] = float(is_kept(case))
    return values


def is_kept(case: Sequence[Row]) -> bool:
    """Return True if the rows of a case pass the filter of MedGround-Bench, with each seed."""
    first = case[0]
    right = True if first["truth"] is None else first["truth"]
    kinds = {NORMAL} if right else {FOREGROUND}
    for seed in {row["seed"] for row in case if row["kind"] in kinds}:
        own = [row for row in case if row["seed"] == seed]
        edited = [row["says_after"] for row in own if row["kind"] in kinds]
        levels = {row["level"] for row in own if row["kind"] in kinds}
        around = [row for row in own if row["kind"] == SECOND_BACKGROUND]
        around += [row for row in own if row["kind"] == BACKGROUND and row["level"] in levels]
        answers = [row["says_after"] for row in around]
        if passed_steps(first["truth"], first["says_before"], edited[-1], answers) < 3:
            return False
    return True


def _seed_values(case: Sequence[Row]) -> Iterator[dict[str, float | None]]:
    """Yield the order of levels for each seed, and the agreement of seeds for each level."""
    added = [row for row in case if row["kind"] == FOREGROUND]
    for seed in dict.fromkeys(row["seed"] for row in added):
        scores = [value(row, "after") for row in added if row["seed"] == seed]
        known = [score for score in scores if score is not None]
        if len(scores) > 1 and len(known) == len(scores):
            yield {"levels_agree": float(all(weak < strong + STILL for weak, strong in pairwise(known)))}
    for level in dict.fromkeys(row["level"] for row in added):
        answers = [row["says_after"] for row in added if row["level"] == level]
        if len(answers) > 1:
            equal = [one is other for one, other in combinations(answers, 2)]
            yield {"seeds_agree": sum(equal) / len(equal)}


def pairs(rows: Sequence[Row]) -> Iterator[Pair]:
    """Yield the pairs of an edit that could flip the answer and its partner elsewhere, of equal amounts."""
    for case in by_case(rows):
        partners = {(row["seed"], row["level"]): row for row in case if row["kind"] == BACKGROUND and row["matches"]}
        for row in case:
            sign = {FOREGROUND: 1, NORMAL: -1}.get(row["kind"], 0)
            partner = partners.get((row["seed"], row["level"]))
            wanted = sign > 0
            if not sign or partner is None or row["says_before"] is wanted:
                continue
            before, after, elsewhere = value(row, "before"), value(row, "after"), value(partner, "after")
            contrast = None
            if before is not None and after is not None and elsewhere is not None:
                contrast = sign * (after - before) - abs(elsewhere - before)
            flipped, elsewhere_too = row["says_after"] is wanted, partner["says_after"] is not partner["says_before"]
            yield Pair(row["case"], row["image"], row["finding"], row["kind"], flipped, elsewhere_too, contrast)


def shift_lines(rows: Sequence[Row], assumed: bool | None) -> Iterator[Line]:
    """Yield the values of one model's rows, in a mode that tests a shift.

    Args:
        rows: of one model.
        assumed: the right answer before the shift where the table has none; ``None``: that given before the shift.
    """
    for row in (row for row in rows if row["kind"] == SHIFTED):
        truth = row["truth"] if row["truth"] is not None else assumed
        before, after = value(row, "before"), value(row, "after")
        was_right = None if truth is None else float(row["says_before"] is truth)
        if row["expects"] == "no":
            is_right = float(row["says_after"] is False)
        else:
            is_right = float(row["says_after"] is (row["says_before"] if truth is None else truth))
        values = {
            "right_before": was_right,
            "right_after": is_right,
            "drop": None if was_right is None else was_right - is_right,
            "effect": None if before is None or after is None else after - before,
            "not_understood": float(row["says_after"] is None),
            "amount": 255 * row["amount"],
        }
        yield Line(row["image"], row["finding"], values)
