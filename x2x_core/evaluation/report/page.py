"""A record as one HTML page without outside links.

The sections of the page are data (`x2x_core.evaluation.report.sections`); the templates beside this module turn each
into HTML, escaping every text.
"""

from __future__ import annotations

from pathlib import Path

from x2x_core.common.templates import template_environment

from . import colours
from .sections import header, sections
from .view import View

TEMPLATES = Path(__file__).parent / "templates"
FOOTER = "Synthetic images, for research. Not a medical device, not for diagnosis."


def page(view: View, folder: Path) -> str:
    """Return the page of a record.

    Args:
        view: the record.
        folder: folder that the cases' files are relative to.
    """
    template = template_environment(TEMPLATES).get_template("page.html.jinja")
    return template.render(header=header(view), sections=sections(view, folder), footer=FOOTER, colours=colours)
