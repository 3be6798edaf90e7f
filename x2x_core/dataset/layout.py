"""The published layout of the dataset, and what a build lays beside it.

Published (what training reads)::

    instructions.csv   split, instruction, past_dicom_id, current_dicom_id (the ids are file names)
    past/ current/     8-bit grey square images; the past one is registered to the current one

Beside it::

    valid/             white where both images of a pair show their file's own pixels, black where one is filled
    pairs.csv          one line for each line of instructions.csv, in its order: patient, studies, images, registration
    rejected.csv       every row of the tables that could not be used, with the reason
    report.json report.html DATASET_CARD.md build.json

A current image is the same in all pairs that it is in, so its file has the image's name. A past image lies differently
in each pair, so its file is named for both: `<past>__<current>.png`.
"""

from __future__ import annotations

from pathlib import Path

PAST, CURRENT, VALID = "past", "current", "valid"
INSTRUCTIONS, PAIRS, REJECTED = "instructions.csv", "pairs.csv", "rejected.csv"
REPORT_JSON, REPORT_HTML, CARD, BUILD = "report.json", "report.html", "DATASET_CARD.md", "build.json"
#: State of a build that is under way; gone when it is done.
WORK, SCRATCH, PARTS = ".x2x-build", "scratch", "parts"
SEPARATOR = "__"

PAIR_COLUMNS = (
    "split", "past_dicom_id", "current_dicom_id", "subject_id", "ref_id", "study_id", "past_image", "current_image",
    "vqa_row", "quality", "overlap", "a", "b", "c", "d", "right", "down",
)  # fmt: skip


def current_name(dicom_id: str) -> str:
    """The file name of a current image."""
    return f"{dicom_id}.png"


def past_name(past_dicom_id: str, current_dicom_id: str) -> str:
    """The file name of a past image as it lies in one pair, and of that pair's valid mask."""
    return f"{past_dicom_id}{SEPARATOR}{current_dicom_id}.png"


def part_file(out: Path, portion: int) -> Path:
    """Where a build keeps what came of one portion of its pairs."""
    return out / WORK / PARTS / f"{portion // 1000:03d}" / f"{portion:06d}.json"


def image_of(name: str) -> str:
    """The image that a file of `past/` or `current/` shows: its id, without the partner and the ending."""
    stem = name.rsplit(".", 1)[0] if "." in name else name
    return stem.split(SEPARATOR, 1)[0]
