"""Write the report of the record in a folder."""

from __future__ import annotations

from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.recorded import read_record

from .drawing import save_figure
from .figures import draw_findings, draw_forest
from .page import page
from .view import View

RECORDS = (
    "evaluation.json",
    "results.json",
    "audit.json",
    "grounding.json",
    "attribution.json",
    "ablation.json",
)  # in this order
PAGE = "report.html"
FIGURES = "figures"


def find_record(folder: Path) -> Path:
    """Return the record in a folder.

    Raises:
        InputNotFoundError: there is none.
    """
    for name in RECORDS:
        if (folder / name).is_file():
            return folder / name
    raise InputNotFoundError(
        f"There is no record of an evaluation in `{folder}` (one of {', '.join(RECORDS)}). Give a folder that "
        "`x2x evaluate` or `x2x audit` wrote."
    )


def write_report(folder: str | Path, figures: bool = True) -> list[Path]:
    """Write page, CSV and figures of the record in a folder, beside it.

    Args:
        folder: output folder of `x2x evaluate` or `x2x audit`.
        figures: also draw figures, which needs matplotlib.

    Returns:
        The files written, the page first.

    Raises:
        InputNotFoundError: the folder holds no record.
        MissingExtraError: matplotlib is not installed, and `figures`.
        InputError: the record has another layout, or no rows.
    """
    folder = Path(folder)
    record = find_record(folder)
    view = View(read_record(record))
    if not view.results.rows:
        raise InputError(f"`{record}` must hold at least one row, got none.")
    html, csv = folder / PAGE, record.with_suffix(".csv")
    html.write_text(page(view, folder), encoding="utf-8")
    view.results.write_csv(csv)
    written = [html, csv]
    if figures:
        (folder / FIGURES).mkdir(exist_ok=True)
        for name, figure in (("forest", draw_forest(view)), ("findings", draw_findings(view))):
            if figure is not None:
                written += save_figure(figure, folder / FIGURES / name, {"figure": name, "record": record.name})
    return written
