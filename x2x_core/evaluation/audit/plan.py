"""The plan of an audit: images, findings, and the instructions for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.kinds import SUFFIXES, is_radiograph_file
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.vocabulary import FINDINGS, find_finding
from x2x_core.scorers.scorer import PROBABILITY, ImageScorer
from x2x_core.simulation.findings import MEASURED_BY_SIZE

LEVELS = ("mild", "moderate", "severe")
SIZES = ("small", "moderate", "large")  # for `MEASURED_BY_SIZE`


@dataclass(frozen=True)
class AuditSettings:
    """Settings that decide the numbers of an audit."""

    classifier: str  # its name
    findings: tuple[str, ...]
    model: str = "demo"
    side: str | None = None  # for findings that have one: "left", "right" or "bilateral"
    seed: int = 0


def levels_of(finding: str) -> tuple[str, str, str]:
    """Return the words for weak, moderate and strong by which a finding is graded."""
    return SIZES if finding in MEASURED_BY_SIZE else LEVELS


def check_findings(findings: Sequence[str], scorer: ImageScorer) -> tuple[str, ...]:
    """Return the canonical names of findings that can be edited and that the classifier scores.

    Raises:
        InputError: no findings, an unknown one, one that the classifier has no label for, or a classifier that does not
            give probabilities.
    """
    if scorer.kind != PROBABILITY:
        raise InputError(
            f"`--classifier` must give probabilities, but {scorer.name!r} gives each label a {scorer.kind}."
        )
    if not findings:
        raise InputError("`--findings` must name at least one finding, got none.")
    names = []
    for name in findings:
        finding = find_finding(name.strip())
        if finding is None:
            raise InputError(f"`--findings` must be known ones ({', '.join(FINDINGS)}), got {name!r}.")
        if finding.name not in scorer.labels:
            raise InputError(
                f"`--findings` must be labels of {scorer.name!r} ({', '.join(scorer.labels)}), got {name!r}."
            )
        names.append(finding.name)
    return tuple(dict.fromkeys(names))


def clauses_of(finding: str, side: str | None = None) -> tuple[Clause, ...]:
    """Return the edits of each image for a finding: add it weak, moderate and strong, and remove it."""
    added = (Clause(Operation.ADD, finding, side, level=level) for level in levels_of(finding))
    return (*added, Clause(Operation.REMOVE, finding, side))


def find_images(paths: Sequence[Path]) -> list[Path]:
    """Return the image files among files and in folders, in order.

    Raises:
        InputNotFoundError: a path that does not exist.
        InputError: no images.
    """
    images: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputNotFoundError(f"There is no image or folder `{path}`.")
        images += sorted(file for file in path.iterdir() if is_radiograph_file(file)) if path.is_dir() else [path]
    if not images:
        suffixes = ", ".join(SUFFIXES)
        raise InputError(f"`IMAGES` must be image files or folders of them ({suffixes}), got none.")
    return images
