"""The page of a build: counts with bars, every text escaped, its template packaged."""

import re
import tomllib
from pathlib import Path

import cv2
import numpy as np

from x2x_core.common.templates import template_environment
from x2x_core.dataset.layout import VALID
from x2x_core.dataset.report import TEMPLATES, report_html
from x2x_core.pairs.layout import CURRENT, PAST

ROOT = Path(__file__).parents[2]
REPORT = {
    "build": {"schema": "v2", "size": 16, "registration": "affine"},
    "pairs": {"built": 1200, "seen": 1300},
    "rows": {
        "difference": 4000, "rejected": {"nothing_changed": 6}, "by_question_type": {"<b>level</b>": 2},
        "malformed_by_table": {},
    },
    "dataset": {
        "instructions": 1234, "splits": {"train": 30, "val": 10}, "operations": {}, "levels": {}, "level_changes": {},
        "locations": {}, "findings": {"edema": {"all": 3, "add": 2, "remove": 1, "change": 0}},
    },
    "registration": {"quality": {"pairs": {}}, "overlap": {"pairs": {}}},
    "patients_in_several_splits": {"patients": 0, "went_to": {}},
}  # fmt: skip


def row(cells):
    return "<tr>" + "".join(cells) + "</tr>"


def test_counts_have_bars_and_empty_tables_are_left_out(tmp_path):
    page = report_html(REPORT, tmp_path, {"add": []})
    assert re.findall("<h2>(.*)</h2>", page) == [
        "Splits", "Findings", "Rejected rows by reason", "Rows by question type", "Patients in several splits",
        "Example pairs",
    ]  # fmt: skip
    bar = '<td class="bar"><div style="width:{}%"></div></td>'
    number = '<td class="n">{}</td>'.format
    assert row(["<td>train</td>", number(30), bar.format("100.0")]) in page
    assert row(["<td>val</td>", number(10), bar.format("33.3")]) in page
    assert row(["<td>edema</td>", number(3), bar.format("100.0"), number(2), number(1), number(0)]) in page
    assert "1,234 instructions (v2) for 1,200 pairs" in page and "<h3>" not in page and "<p>None.</p>" in page


def test_texts_are_escaped(tmp_path):
    for part, name in ((PAST, "a.png"), (CURRENT, "b.png"), (VALID, "a.png")):
        (tmp_path / part).mkdir()
        cv2.imwrite(str(tmp_path / part / name), np.full((16, 16), 255, np.uint8))
    example = {
        "past_dicom_id": "a.png",
        "current_dicom_id": "b.png",
        "instruction": "<i>",
        "quality": 0.5,
        "overlap": 1,
    }
    page = report_html(REPORT, tmp_path, {"add": [example]})
    assert "&lt;b&gt;level&lt;/b&gt;" in page and "<b>level" not in page
    assert "<figcaption>&lt;i&gt; Registration quality 0.50, overlap 100%.</figcaption>" in page


def test_the_template_is_packaged_and_escapes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (pattern,) = project["tool"]["setuptools"]["package-data"]["x2x_core.dataset"]
    assert set(TEMPLATES.parent.glob(pattern)) == set(TEMPLATES.iterdir()) != set()
    assert any(name.startswith("jinja2") for name in project["project"]["optional-dependencies"]["dataset"])
    assert template_environment(TEMPLATES).autoescape is True
