"""The templates of the page: packaged, escaping, and each in use."""

import re
import tomllib
from pathlib import Path

from x2x_core.common.templates import template_environment
from x2x_core.evaluation.report.page import TEMPLATES
from x2x_core.evaluation.report.sections import sections
from x2x_core.evaluation.report.view import View
from x2x_core.evaluation.results import Metric, ResultRow, Results

ROOT = Path(__file__).parents[3]


def test_every_template_is_packaged():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["x2x_core.evaluation.report"]
    packaged = {path for pattern in patterns for path in TEMPLATES.parent.glob(pattern)}
    assert packaged == set(TEMPLATES.iterdir()) != set()
    assert any(name.startswith("jinja2") for name in project["project"]["optional-dependencies"]["report"])


def test_every_template_escapes_and_is_used():
    environment = template_environment(TEMPLATES)
    assert environment.autoescape is True
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.iterdir())
    assert "safe" not in re.findall(r"\| *(\w+)", text)
    named = set(re.findall(r'"([\w.]+\.jinja)"', text)) | {"page.html.jinja"}
    source = (TEMPLATES.parent / "sections.py").read_text(encoding="utf-8")
    named |= {f"{name}.html.jinja" for name in re.findall(r'^ +\("[\w ]+", "(\w+)"\):', source, re.MULTILINE)}
    assert named == {path.name for path in TEMPLATES.iterdir()}
    for name in named:
        environment.get_template(name)  # compiles


def test_a_section_without_content_is_left_out(tmp_path):
    results = Results({}, (ResultRow("edited", {"ssim_inside": Metric(0.5, 0.4, 0.6, 3)}),))
    headings = [section.heading for section in sections(View(results), tmp_path)]
    assert headings == ["In short", "All measures", "How it was made"]
