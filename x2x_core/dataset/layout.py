"""Files of a built dataset: the pair layout, and what a build writes beside it.

The pair layout (`x2x_core.pairs.layout`), which training reads::

    instructions.csv   split, instruction, past_dicom_id, current_dicom_id (the ids are file names)
    past/ current/     8-bit grey square images; the past image is registered to the current one

Beside it::

    valid/             white where both images of a pair show pixels of their files, black where one is padded
    pairs.csv          one row per row of instructions.csv, in its order: patient, studies, images, registration
    rejected.csv       every source row that could not be used, with the reason
    report.json report.html DATASET_CARD.md build.json

A current image is the same in all of its pairs, so its file is named after the image. A past image is transformed
differently for each pair, so its file is named after both: `<past>__<current>.png`.
"""

from __future__ import annotations

from pathlib import Path

VALID = "valid"
PAIRS, REJECTED = "pairs.csv", "rejected.csv"
REPORT_JSON, REPORT_HTML, CARD, BUILD = "report.json", "report.html", "DATASET_CARD.md", "build.json"
#: Temporary files of a running build; the folder is removed at the end.
WORK, SCRATCH, PARTS, DATABASE = ".x2x-build", "scratch", "parts", "tables.sqlite"
SEPARATOR = "__"

PAIR_COLUMNS = (
    "split", "past_dicom_id", "current_dicom_id", "subject_id", "ref_id", "study_id", "past_image", "current_image",
    "vqa_row", "quality", "overlap", "a", "b", "c", "d", "right", "down",
)  # fmt: skip


def current_name(dicom_id: str) -> str:
    """Return the file name of a current image."""
    return f"{dicom_id}.png"


def past_name(past_dicom_id: str, current_dicom_id: str) -> str:
    """Return the file name of a past image registered to a current one, and of the pair's valid mask."""
    return f"{past_dicom_id}{SEPARATOR}{current_dicom_id}.png"


def scratch_folder(out: Path) -> Path:
    """Return the folder for files that are being written."""
    return out / WORK / SCRATCH


def parts_folder(out: Path) -> Path:
    """Return the folder of the portions' results."""
    return out / WORK / PARTS


def part_file(out: Path, portion: int) -> Path:
    """Return the path of the result of one portion of pairs."""
    return parts_folder(out) / f"{portion // 1000:03d}" / f"{portion:06d}.json"


def database_file(out: Path) -> Path:
    """Return the path of the database of source tables."""
    return out / WORK / DATABASE


def image_of(name: str) -> str:
    """Return the id of the image that a file of `past/` or `current/` shows, without partner and suffix."""
    stem = name.rsplit(".", 1)[0] if "." in name else name
    return stem.split(SEPARATOR, 1)[0]
