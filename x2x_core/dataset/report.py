"""Report of a build as one HTML page: counts as bars, rejections by reason, example pairs as images."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x2x_core.common.templates import template_environment
from x2x_core.imaging.files import encode_png
from x2x_core.pairs.layout import CURRENT, PAST

from .layout import VALID
from .rejections import MEANING, Reason

TEMPLATES = Path(__file__).parent / "templates"
NOTICE = (
    "This page shows credentialed health data (MIMIC-CXR-JPG, Medical-Diff-VQA). "
    "Only people who have signed their use agreements may see it."
)
_SHOWN = 224  # width and height of an example image in pixels
_KINDS = ("add", "remove", "change")


@dataclass(frozen=True)
class _Line:
    """A count with its bar, and what stands behind it."""

    name: str
    number: int
    numbers: tuple[int, ...] = ()
    meaning: str = ""


@dataclass(frozen=True)
class _Table:
    """Counts under a title."""

    title: str
    lines: tuple[_Line, ...]
    note: str = ""
    columns: tuple[str, ...] = ()

    @property
    def largest(self) -> int:
        """The count whose bar has the full width."""
        return max(1, *(line.number for line in self.lines)) if self.lines else 1


def report_html(report: dict[str, Any], folder: Path, examples: dict[str, list[dict[str, Any]]]) -> str:
    """Return the page.

    Args:
        report: the content of `report.json`.
        folder: the dataset, for the example images.
        examples: rows of the dataset by operation.
    """
    template = template_environment(TEMPLATES).get_template("report.html.jinja")
    return template.render(
        notice=NOTICE,
        dataset=report["dataset"],
        build=report["build"],
        pairs=report["pairs"],
        rows=report["rows"],
        tables=_tables(report),
        conflicts=report["patients_in_several_splits"],
        examples={operation: [_figure(folder, row) for row in rows] for operation, rows in examples.items()},
    )


def _tables(report: dict[str, Any]) -> list[_Table]:
    rows, dataset = report["rows"], report["dataset"]
    registration = report["registration"]
    tables = [
        _counts("Splits", dataset["splits"]),
        _counts("Operations", dataset["operations"]),
        _findings(dataset["findings"]),
        _counts("Levels", dataset["levels"]),
        _counts("Level changes", dataset["level_changes"]),
        _counts("Locations", dataset["locations"]),
        _rejections(rows["rejected"]),
        _counts("Rows by question type", rows["by_question_type"]),
        _counts("Malformed lines by table", rows["malformed_by_table"]),
        _counts("Pairs by quality of registration", registration["quality"]["pairs"]),
        _counts("Pairs by overlap after registration", registration["overlap"]["pairs"]),
    ]
    return [table for table in tables if table.lines or table.note]


def _counts(title: str, counts: dict[str, int]) -> _Table:
    return _Table(title, tuple(_Line(str(name), number) for name, number in counts.items()))


def _findings(findings: dict[str, dict[str, int]]) -> _Table:
    lines = (_Line(name, counts["all"], tuple(counts[kind] for kind in _KINDS)) for name, counts in findings.items())
    return _Table("Findings", tuple(lines), columns=("finding", "all", *_KINDS))


def _rejections(rejected: dict[str, int]) -> _Table:
    lines = (_Line(name, number, meaning=MEANING[Reason(name)]) for name, number in rejected.items())
    return _Table("Rejected rows by reason", tuple(lines), note="All of them are listed in rejected.csv.")


def _figure(folder: Path, row: dict[str, Any]) -> dict[str, str]:
    """Return the picture of an example, and its caption."""
    image = example_image(folder, row["past_dicom_id"], row["current_dicom_id"])
    caption = f"{row['instruction']} Registration quality {row['quality']:.2f}, overlap {row['overlap']:.0%}."
    return {"png": base64.b64encode(encode_png(image)).decode(), "caption": caption}


def example_image(folder: Path, past_name: str, current_name: str) -> np.ndarray:
    """Return past, current and their difference side by side: uint8 `(S, 3 * S, 3)`."""
    past, current, valid = (
        _thumbnail(folder / part / name)
        for part, name in ((PAST, past_name), (CURRENT, current_name), (VALID, past_name))
    )
    difference = np.where(valid == 255, current.astype(np.int16) - past, 0)
    background = (255 - np.abs(difference)).clip(0, 255)
    red, blue = np.where(difference > 0, 255, background), np.where(difference < 0, 255, background)
    coloured = np.stack([red, background, blue], axis=-1).astype(np.uint8)
    return np.concatenate([np.repeat(past[..., None], 3, 2), np.repeat(current[..., None], 3, 2), coloured], axis=1)


def _thumbnail(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(f"The image {path} of this build cannot be read.")
    return cv2.resize(image, (_SHOWN, _SHOWN), interpolation=cv2.INTER_AREA)
