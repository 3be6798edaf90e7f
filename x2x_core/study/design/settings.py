"""Settings of a study."""

from __future__ import annotations

from dataclasses import dataclass

from x2x_core.common.errors import InputError

from .questions import Task

TITLE = "Reading of chest radiographs"
NOTICE = "Some pictures are synthetic: edited by a program. For research, not for diagnosis."
CONSENT = """You are asked to read radiographs for a research study. Some of them were changed by a computer program. \
None of them is a patient who waits for your report.

What is recorded: your answers, the time that each case was on the screen, and the code under which you read. Your \
name is not recorded. The answers stay on this computer until you hand over the file yourself.

Taking part is voluntary. You can stop at any time and continue later, or not at all.

Please read as you do in practice: on your own, without looking at other pictures, and without talking about the cases \
with other readers before they have finished."""
MOST_READERS = 200


@dataclass(frozen=True)
class StudySettings:
    """Settings that decide a study.

    Args:
        readers: number of readers, at least 1.
        seed: of all draws.
        tasks: what readers are asked; a reading sheet has tasks of its own.
        count: largest number of films; ``None``: all.
        edits_per_film: largest number of instructions for a film.
        training: films that are set aside for training cases.
        checks: attention checks in each part.
        repeats: cases of each part that are shown twice.
        title: of the page.
        consent: text that a reader agrees to.

    Raises:
        InputError: a setting out of range.
    """

    readers: int = 1
    seed: int = 0
    tasks: tuple[Task, ...] = (Task.FINDING, Task.WHERE, Task.LEVEL, Task.REALISM)
    count: int | None = None
    edits_per_film: int = 1
    training: int = 0
    checks: int = 0
    repeats: int = 0
    title: str = TITLE
    consent: str = CONSENT

    def __post_init__(self) -> None:
        if not 1 <= self.readers <= MOST_READERS:
            raise InputError(f"`readers` must lie between 1 and {MOST_READERS}, got {self.readers}.")
        for name in ("count", "edits_per_film"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be at least 1, got {value}.")
        for name in ("training", "checks", "repeats"):
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must not be negative, got {getattr(self, name)}.")
        for name in ("title", "consent"):
            if not getattr(self, name).strip():
                raise InputError(f"`{name}` must not be empty.")
        if not self.tasks:
            raise InputError("`tasks` must name at least one task.")
        if {Task.WHERE, Task.LEVEL} & set(self.tasks) and Task.FINDING not in self.tasks:
            raise InputError("`tasks` must name finding with where or level, which ask about it.")

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the readers: R1, R2, ..."""
        return tuple(f"R{number}" for number in range(1, self.readers + 1))
