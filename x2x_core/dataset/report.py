"""Report of a build as one HTML page: counts as bars, rejections by reason, example pairs as images."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x2x_core.imaging.files import encode_png
from x2x_core.pairs.layout import CURRENT, PAST

from .layout import VALID
from .rejections import MEANING, Reason

_SHOWN = 224  # width and height of an example image in pixels
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; color: #222 }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
td, th { text-align: left; padding: .15rem .8rem .15rem 0 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } td.bar { width: 40% }
td.bar div { background: #3b6ea5; height: .7rem } figure { display: inline-block; margin: 0 1rem 1.5rem 0 }
figure img { display: block } figcaption { max-width: 42rem; font-size: .85rem }
.notice { border-left: .3rem solid #b3402a; padding: .3rem .8rem; background: #f7ece9 }
"""
NOTICE = (
    "This page shows credentialed health data (MIMIC-CXR-JPG, Medical-Diff-VQA). "
    "Only people who have signed their use agreements may see it."
)


_EXAMPLES_TITLE = (
    "<h2>Example pairs</h2>\n"
    "<p>Past (registered), current, and their difference over the pixels of both: "
    "red is brighter in the current image, blue darker.</p>"
)


def report_html(report: dict[str, Any], folder: Path, examples: dict[str, list[dict[str, Any]]]) -> str:
    """Return the page.

    Args:
        report: the content of `report.json`.
        folder: the dataset, for the example images.
        examples: rows of the dataset by operation.
    """
    rows, dataset = report["rows"], report["dataset"]
    build = report["build"]
    parts = [
        f"<p class=notice>{NOTICE}</p>",
        f"<p>{dataset['instructions']:,} instructions ({build['schema']}) for {report['pairs']['built']:,} pairs, from "
        f"{rows['difference']:,} difference rows and {report['pairs']['seen']:,} pairs. "
        f"Images {build['size']} x {build['size']}, registration {build['registration']}.</p>",
        _counts("Splits", dataset["splits"]),
        _counts("Operations", dataset["operations"]),
        _findings(dataset["findings"]),
        _counts("Levels", dataset["levels"]),
        _counts("Level changes", dataset["level_changes"]),
        _counts("Locations", dataset["locations"]),
        _rejections(rows["rejected"]),
        _counts("Rows by question type", rows["by_question_type"]),
        _counts("Malformed lines by table", rows["malformed_by_table"]),
        _conflicts(report["patients_in_several_splits"]),
        _counts("Pairs by quality of registration", report["registration"]["quality"]["pairs"]),
        _counts("Pairs by overlap after registration", report["registration"]["overlap"]["pairs"]),
        _examples(folder, examples),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>MIMIC-EDIT-INSTRUCTION, built</title>"
        f"<style>{_STYLE}</style>\n<h1>MIMIC-EDIT-INSTRUCTION, built</h1>\n{body}\n</html>\n"
    )


def _counts(title: str, counts: dict[str, int]) -> str:
    """Return a table with a bar for each count."""
    if not counts:
        return ""
    lines = [_line(name, number, max(counts.values())) for name, number in counts.items()]
    return f"<h2>{escape(title)}</h2>\n<table>\n" + "\n".join(lines) + "\n</table>"


def _line(name: str, number: int, most: int, more: str = "") -> str:
    width = 100 * number / max(1, most)
    bar = f"<td class=bar><div style='width:{width:.1f}%'></div>"
    return f"<tr><td>{escape(str(name))}<td class=n>{number:,}{bar}{more}"


def _findings(findings: dict[str, dict[str, int]]) -> str:
    most = max((counts["all"] for counts in findings.values()), default=1)
    kinds = ("add", "remove", "change")
    head = "<tr><th>finding<th class=n>all<th>" + "".join(f"<th class=n>{kind}" for kind in kinds)
    lines = [
        _line(name, counts["all"], most, "".join(f"<td class=n>{counts[kind]:,}" for kind in kinds))
        for name, counts in findings.items()
    ]
    return "<h2>Findings</h2>\n<table>\n" + "\n".join([head, *lines]) + "\n</table>"


def _rejections(rejected: dict[str, int]) -> str:
    most = max(rejected.values(), default=1)
    lines = [
        _line(name, number, most, f"<td>{escape(MEANING[Reason(name)])}") for name, number in rejected.items()
    ] or ["<tr><td>none"]
    return (
        "<h2>Rejected rows by reason</h2>\n<p>All of them are listed in <code>rejected.csv</code>.</p>\n<table>\n"
        + "\n".join(lines) + "\n</table>"
    )  # fmt: skip


def _conflicts(conflicts: dict[str, Any]) -> str:
    if not conflicts["patients"]:
        return "<h2>Patients in several splits</h2>\n<p>None.</p>"
    went = ", ".join(f"{number:,} to {split}" for split, number in conflicts["went_to"].items())
    return (
        f"<h2>Patients in several splits</h2>\n<p>The tables name more than one split for {conflicts['patients']:,} "
        f"patients. Each was assigned as a whole to the most held-out one (test before val before train): {went}.</p>"
    )


def _examples(folder: Path, examples: dict[str, list[dict[str, Any]]]) -> str:
    parts = [_EXAMPLES_TITLE]
    for operation, rows in examples.items():
        if rows:
            parts.append(f"<h3>{escape(operation)}</h3>")
            parts += [_example(folder, row) for row in rows]
    return "\n".join(parts)


def _example(folder: Path, row: dict[str, Any]) -> str:
    image = example_image(folder, row["past_dicom_id"], row["current_dicom_id"])
    data = base64.b64encode(encode_png(image)).decode()
    caption = f"{row['instruction']} Registration quality {row['quality']:.2f}, overlap {row['overlap']:.0%}."
    return f"<figure><img alt='' src='data:image/png;base64,{data}'><figcaption>{escape(caption)}</figcaption></figure>"


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
