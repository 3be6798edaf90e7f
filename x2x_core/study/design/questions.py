"""The tasks of a study and their questions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from x2x_core.evaluation.reading.answers import SIDES
from x2x_core.evaluation.reading.sheet import ARTEFACTS, MORE, NORMAL, VISIBILITIES
from x2x_core.simulation.findings import SIDED, SIMULATED_FINDINGS
from x2x_core.study.definition import BOX, SEVERAL, TEXT, Option, Question

NONE, OTHER = "none", "other"  # answers to "which finding"
LEFT, RIGHT, SAME = MORE  # answers to a comparison
STUDY_LEVELS = ("minimal", "mild", "moderate", "severe")
REAL_TO_SYNTHETIC = ("1", "2", "3", "4", "5", "6")  # certainly real to certainly synthetic
SYNTHETIC_FROM = 4  # ratings from here on say "synthetic"


class Task(StrEnum):
    """A task: something that readers are asked."""

    REALISM = "realism"
    FINDING = "finding"
    WHERE = "where"
    LEVEL = "level"
    PREFERENCE = "preference"


def realism() -> tuple[Question, ...]:
    """Return the question whether a picture is real or synthetic."""
    labels = ("Certainly real", "Probably real", "Perhaps real", "Perhaps synthetic", "Probably synthetic",
              "Certainly synthetic")  # fmt: skip
    options = tuple(Option(value, label) for value, label in zip(REAL_TO_SYNTHETIC, labels, strict=True))
    return (Question("realism", "Real or synthetic?", options=options),)


def finding(tasks: Iterable[Task], findings: Iterable[str]) -> tuple[Question, ...]:
    """Return the questions about the main finding of a picture: which, where and at which level.

    Args:
        tasks: "where" and "level" are asked if they are among them.
        findings: that are named beside those of the simulator.
    """
    names = tuple(dict.fromkeys((*SIMULATED_FINDINGS, *findings)))
    seen = {"finding": (*names, OTHER)}
    options = (*_words((NONE,)), *_words(names), *_words((OTHER,)))
    questions = [Question("finding", "Which is the main finding?", options=options)]
    if Task.WHERE in tasks:
        questions.append(Question("box", "Where is it?", BOX, when=seen))
    if Task.LEVEL in tasks:
        questions.append(Question("level", "How severe is it?", options=_words(STUDY_LEVELS), when=seen))
    return tuple(questions)


def preference() -> tuple[Question, ...]:
    """Return the question which of two edits is better."""
    options = (Option(LEFT, "The left one"), Option(RIGHT, "The right one"), Option(SAME, "No difference"))
    return (Question("preferred", "Which picture does it better?", options=options),)


def sheet_questions() -> dict[str, tuple[Question, ...]]:
    """Return the questions of the parts of a reading sheet; their names are the columns of its lists."""
    seen = {"visibility": tuple(word for word in VISIBILITIES if word != "nothing")}
    remark = Question("remark", "Remark", TEXT, optional=True)
    visible = (
        Option("plain", "Plain: seen at once"),
        Option("subtle", "Subtle: seen after a search"),
        Option("nothing", "Nothing of the list"),
    )
    more = (Option(LEFT, "The left one"), Option(RIGHT, "The right one"), Option(SAME, "Both the same"))
    return {
        "part1": (
            Question("visibility", "Is there a finding?", options=visible),
            Question("finding", "Which one?", options=_words(SIMULATED_FINDINGS), when=seen),
            Question(
                "side", "On which side of the patient?", options=_words(SIDES), when={**seen, "finding": _sided()}
            ),
            remark,
        ),
        "part2": (
            Question("artefact", "Artefacts on the right picture", SEVERAL, _words(ARTEFACTS)),
            Question("normal", "Compared with the left, the right one is", options=_normal()),
            remark,
        ),
        "part3": (Question("more", "Which shows more of a disease?", options=more), remark),
    }


def _normal() -> tuple[Option, ...]:
    labels = {"nearer": "nearer to normal", "same": "the same", "worse": "worse"}
    return tuple(Option(word, labels[word]) for word in NORMAL)


def _sided() -> tuple[str, ...]:
    return tuple(name for name in SIMULATED_FINDINGS if name in SIDED)


def _words(words: Iterable[str]) -> tuple[Option, ...]:
    return tuple(Option(word, word.capitalize()) for word in words)
