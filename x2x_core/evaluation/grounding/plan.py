"""The plan of a grounding audit: settings, and the cases that are asked about.

Modes other than "grounding" are the three tests of Pérez-García et al., *RadEdit: stress-testing biomedical vision
models via diffusion image editing* (ECCV 2024), asked of an answer:

- acquisition: the finding is removed and all that tells where the image was taken stays. A model that learned the
  hospital instead of the disease still says yes.
- manifestation: the finding is removed and the signs of its treatment (a chest drain) stay under a keep mask. A model
  that learned the treatment still says yes.
- population: another finding is added, as in patients that the model has not seen. The answer must stay.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.audit.plan import find_images
from x2x_core.language.vocabulary import FINDINGS, SIDES, find_finding
from x2x_core.scorers.answerers.answerer import Question, default_question

GROUNDING, ACQUISITION, MANIFESTATION, POPULATION = "grounding", "acquisition", "manifestation", "population"
MODES = (GROUNDING, ACQUISITION, MANIFESTATION, POPULATION)
MOVED, MODEL = "moved", "model"
BACKGROUNDS = (MOVED, MODEL)
COLUMNS = (
    "image",
    "finding",
    "question",
    "answer",
    "side",
    "keep",
)  # of a table of questions; the first two are needed
_ANSWERS = {"yes": True, "no": False, "": None}


@dataclass(frozen=True)
class AuditCase:
    """An image and a question.

    Args:
        image: its file.
        question: about one finding.
        side: of the finding, "left", "right" or "bilateral".
        truth: the right answer, if it is known.
        keep: picture of what every edit must leave as it is, of the image's size; white stays.
    """

    image: Path
    question: Question
    side: str | None = None
    truth: bool | None = None
    keep: Path | None = None

    def as_dict(self) -> dict[str, str | bool | None]:
        """Return the case for JSON."""
        return {
            "image": str(self.image),
            "finding": self.question.finding,
            "question": self.question.text,
            "side": self.side,
            "truth": self.truth,
            "keep": None if self.keep is None else str(self.keep),
        }


@dataclass(frozen=True)
class GroundingSettings:
    """Settings that decide the edits.

    Args:
        mode: one of `MODES`.
        model: the checkpoint.
        levels: 1 (moderate) or 3 (weak, moderate, strong) strengths at which a finding is added.
        seeds: number of seeds for each case.
        seed: the first of them; case n has `seed + n`, its further seeds follow in steps of 1000.
        added: findings that the mode "population" adds.
        background: one of `BACKGROUNDS`, how the same amount is changed elsewhere: MOVED, the finding's own differences
            of grey value at another place; MODEL, an edit of the model there, scaled.
        medground: make the second background edit too, which the filter of MedGround-Bench needs.

    Raises:
        InputError: a value out of range.
    """

    mode: str = GROUNDING
    model: str = "demo"
    levels: int = 3
    seeds: int = 1
    seed: int = 0
    added: tuple[str, ...] = ()
    background: str = MOVED
    medground: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(f"`mode` must be one of {', '.join(MODES)}, got {self.mode!r}.")
        if self.levels not in (1, 3):
            raise InputError(f"`levels` must be 1 or 3, got {self.levels}.")
        if self.seeds < 1:
            raise InputError(f"`seeds` must be at least 1, got {self.seeds}.")
        if self.background not in BACKGROUNDS:
            raise InputError(f"`background` must be one of {', '.join(BACKGROUNDS)}, got {self.background!r}.")
        if (self.mode == POPULATION) != bool(self.added):
            raise InputError(
                f"`added` must name the findings to add in mode {POPULATION!r}, and be left out in the other modes."
            )
        if self.medground and self.mode != GROUNDING:
            raise InputError(
                f"`medground` must be left out in mode {self.mode!r}: the filter is of mode {GROUNDING!r}."
            )


def known_findings(names: Sequence[str], option: str = "findings") -> tuple[str, ...]:
    """Return the canonical names of findings.

    Raises:
        InputError: none, or an unknown one.
    """
    found = []
    for name in names:
        finding = find_finding(name.strip())
        if finding is None:
            raise InputError(f"`{option}` must be known ones ({', '.join(FINDINGS)}), got {name!r}.")
        found.append(finding.name)
    if not found:
        raise InputError(f"`{option}` must name at least one finding, got none.")
    return tuple(dict.fromkeys(found))


def plan_cases(
    images: Sequence[Path], findings: Sequence[str], side: str | None = None, keep_masks: Path | None = None
) -> list[AuditCase]:
    """Return a case for each image and finding.

    Args:
        images: files or folders.
        findings: names.
        side: for findings that have one.
        keep_masks: folder with a picture for each image, of its name and the suffix .png: what edits must leave.

    Raises:
        InputNotFoundError: an image or keep mask that does not exist.
        InputError: no images, or unknown findings.
    """
    names = known_findings(findings)
    cases = []
    for image in find_images(images):
        keep = None if keep_masks is None else _existing(keep_masks / f"{image.stem}.png", "keep mask")
        for name in names:
            own_side = side if FINDINGS[name].lateral else None
            cases.append(AuditCase(image, default_question(name, own_side), own_side, None, keep))
    return cases


def read_questions(path: Path) -> list[AuditCase]:
    """Read a table of cases.

    Args:
        path: CSV with the columns `COLUMNS`; "answer" is yes, no or empty. Files are relative to the table.

    Raises:
        InputNotFoundError: the table or a file does not exist.
        InputError: other columns or values, or no rows.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no table of questions `{path}`.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, strict=True)
            rows, columns = list(table), tuple(table.fieldnames or ())
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"`questions` must be a CSV table in UTF-8, but `{path}` cannot be read: {error}.") from error
    if not set(COLUMNS[:2]) <= set(columns) <= set(COLUMNS):
        raise InputError(
            f"`questions` must have the columns image and finding, and of others only {', '.join(COLUMNS[2:])}, got "
            f"{', '.join(columns)}."
        )
    if not rows:
        raise InputError(f"`questions` must hold at least one row, but `{path}` holds none.")
    return [_case({name: (row.get(name) or "").strip() for name in COLUMNS}, path.parent) for row in rows]


def _case(row: dict[str, str], folder: Path) -> AuditCase:
    (finding,) = known_findings([row["finding"]], "finding")
    side = row["side"] or None
    if side is not None and side not in SIDES:
        raise InputError(f"`side` must be one of {', '.join(SIDES)}, got {side!r}.")
    answer = row["answer"].lower()
    if answer not in _ANSWERS:
        raise InputError(f"`answer` must be yes, no or empty, got {row['answer']!r}.")
    question = Question(finding, row["question"]) if row["question"] else default_question(finding, side)
    keep = _existing(folder / row["keep"], "keep mask") if row["keep"] else None
    return AuditCase(_existing(folder / row["image"], "image"), question, side, _ANSWERS[answer], keep)


def _existing(path: Path, what: str) -> Path:
    if not path.is_file():
        raise InputNotFoundError(f"There is no {what} `{path}`.")
    return path


def check_plan(cases: Sequence[AuditCase], settings: GroundingSettings) -> None:
    """Check that cases and settings fit together.

    Raises:
        InputError: a test of the manifestation without keep masks, or one that removes a finding from images that do
            not have it.
    """
    if settings.mode == MANIFESTATION and any(case.keep is None for case in cases):
        raise InputError(
            f"`keep_masks` must name what stays (a drain, a pacemaker) for each image in mode {MANIFESTATION!r}."
        )
    if settings.mode in (ACQUISITION, MANIFESTATION) and any(case.truth is False for case in cases):
        raise InputError(
            f"`questions` must have the answer yes in mode {settings.mode!r}: it removes the finding from images that "
            "have it."
        )
