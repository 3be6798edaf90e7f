"""Parts of a study of edits and unedited pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import STUDY, seeded_generator
from x2x_core.language.levels import nearest_level
from x2x_core.language.vocabulary import COURSES

from .collection import Found, method_names, truth_of
from .drafts import TRAINING, Draft, PartDraft, Source
from .questions import NONE, SAME, STUDY_LEVELS, Task, finding, preference, realism
from .settings import StudySettings

FINDINGS_PART, REALISM_PART, PREFERENCE_PART = "findings", "realism", "preference"
_CHOICE = 9  # number of the stream of the choice of films, beside those of the parts
_FINDINGS_TASK = (
    "Name the main finding of each picture, as you would without knowing that some are synthetic. If there are "
    "several, take the most important one."
)
_REALISM_TASK = (
    "Some pictures are radiographs as they were taken, some were changed by a program. Say for each how sure you are. "
    "Use the whole scale."
)
_PREFERENCE_TASK = (
    "Two programs changed the same radiograph after the same instruction, which stands above the pictures. Say which "
    "one did it better: the finding looks as it should, and nothing else has changed."
)


@dataclass(frozen=True)
class Chosen:
    """Pictures of a study.

    Args:
        read: edits and unedited pictures that are read by themselves.
        training: those that are set aside for training.
        pairs: edits of one film and instruction by two methods.
    """

    read: tuple[Found, ...]
    training: tuple[Found, ...]
    pairs: tuple[tuple[Found, Found], ...]


def choose(found: Sequence[Found], settings: StudySettings) -> Chosen:
    """Choose films and instructions for a study, by its seed.

    Raises:
        InputError: too few films for the training cases, or a task that these pictures do not allow.
    """
    generator = seeded_generator(settings.seed, STUDY, _CHOICE)
    sources = list(dict.fromkeys(picture.source for picture in found))
    sources = [sources[index] for index in torch.randperm(len(sources), generator=generator).tolist()]
    if settings.training >= len(sources):
        raise InputError(f"`training` must leave films to read, but takes {settings.training} of {len(sources)} films.")
    aside = _set_aside(found, sources, settings.training)
    kept = [source for source in sources if source not in aside][: settings.count]
    read: list[Found] = []
    training: list[Found] = []
    for source in sources:
        of_source = [picture for picture in found if picture.source == source]
        texts = list(dict.fromkeys(picture.instruction for picture in of_source if picture.edited))
        order = torch.randperm(len(texts), generator=generator).tolist()
        used = {texts[index] for index in order[: settings.edits_per_film]}
        into = read if source in kept else training if source in aside else []
        into += [picture for picture in of_source if not picture.edited or picture.instruction in used]
    pairs = tuple(
        (first, second)
        for first, second in combinations([picture for picture in read if picture.edited], 2)
        if (first.source, first.instruction) == (second.source, second.instruction) and first.method != second.method
    )
    chosen = Chosen(tuple(read), tuple(training), pairs)
    _check_tasks(chosen, settings)
    return chosen


def _set_aside(found: Sequence[Found], sources: Sequence[str], count: int) -> set[str]:
    """Return the films of the training cases: those with an edit and an unedited picture first."""
    kinds = {source: {picture.edited for picture in found if picture.source == source} for source in sources}
    return set(sorted(sources, key=lambda source: -len(kinds[source]))[:count])


def _check_tasks(chosen: Chosen, settings: StudySettings) -> None:
    if Task.REALISM in settings.tasks and len({picture.edited for picture in chosen.read}) < 2:
        raise InputError(
            "`tasks` must not name realism unless there are edits and unedited pictures. Put the unedited radiographs "
            "into the folder, or leave the task out."
        )
    if Task.PREFERENCE in settings.tasks and not chosen.pairs:
        methods = ", ".join(method_names(list(chosen.read))) or "none"
        raise InputError(
            "`tasks` must not name preference unless two methods edited the same film by the same instruction, but the "
            f"methods are {methods}. Put the results of each method into a folder of its own below the given one."
        )


def plan_parts(chosen: Chosen, settings: StudySettings) -> list[PartDraft]:
    """Return the parts of a study: findings first, before readers look for signs of editing."""
    parts = []
    if Task.FINDING in settings.tasks:
        parts.append(_findings(chosen, settings))
    if Task.REALISM in settings.tasks:
        cases = tuple(_single(picture) for picture in chosen.read)
        training = tuple(_realism_training(picture) for picture in _in_turn(chosen.training))
        parts.append(PartDraft(REALISM_PART, "Real or synthetic", _REALISM_TASK, realism(), (*cases, *training),
                               check={"realism": "5"}))  # fmt: skip
    if Task.PREFERENCE in settings.tasks:
        pairs = tuple(_pair(*pair) for pair in chosen.pairs)
        parts.append(PartDraft(PREFERENCE_PART, "Two methods", _PREFERENCE_TASK, preference(), pairs, panes=2,
                               turned=True, check={"preferred": SAME}))  # fmt: skip
    return parts


def _findings(chosen: Chosen, settings: StudySettings) -> PartDraft:
    names = sorted({name for picture in chosen.read for name in (*picture.added, *picture.removed)})
    cases = tuple(_single(picture) for picture in chosen.read)
    training = tuple(
        _finding_training(picture, Task.LEVEL in settings.tasks) for picture in chosen.training if picture.added
    )
    questions = finding(settings.tasks, names)
    return PartDraft(FINDINGS_PART, "Findings", _FINDINGS_TASK, questions, (*cases, *training),
                     check={"finding": NONE})  # fmt: skip


def _single(picture: Found) -> Draft:
    return Draft((Source(picture.path),), picture.source, truth_of(picture))


def _pair(first: Found, second: Found) -> Draft:
    pictures = (Source(first.path), Source(second.path))
    truth = {"left": truth_of(first), "right": truth_of(second)}
    return Draft(pictures, first.source, truth, caption=first.instruction)


def _in_turn(training: Sequence[Found]) -> Iterator[Found]:
    """Yield training pictures, of each film one: an edit and an unedited one in turn."""
    sources = dict.fromkeys(picture.source for picture in training)
    for number, source in enumerate(sources):
        of_source = [picture for picture in training if picture.source == source]
        wanted = number % 2 == 0
        yield next((picture for picture in of_source if picture.edited == wanted), of_source[0])


def _realism_training(picture: Found) -> Draft:
    text = (
        f"Synthetic. The instruction was: {picture.instruction}" if picture.edited else "Real: as the film was taken."
    )
    answers = {"realism": "6" if picture.edited else "1"}
    return Draft((Source(picture.path),), picture.source, truth_of(picture), TRAINING, "", answers, text)


def _finding_training(picture: Found, with_level: bool) -> Draft:
    answers: dict[str, Any] = {"finding": picture.added[0]}
    if picture.boxes:
        answers["box"] = list(picture.boxes[0])
    if with_level and picture.level and picture.level not in COURSES:
        answers["level"] = study_level(picture.level)
    text = f"The instruction was: {picture.instruction}"
    return Draft((Source(picture.path),), picture.source, truth_of(picture), TRAINING, "", answers, text)


def study_level(level: str) -> str:
    """Return the nearest of the levels that readers choose from."""
    return nearest_level(level, STUDY_LEVELS)
