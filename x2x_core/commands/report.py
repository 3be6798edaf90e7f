"""`x2x report`: the report of an evaluation or an audit, from what lies in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="What `x2x evaluate` or `x2x audit` wrote to.", metavar="DIR")],
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw PNG and SVG (extra `report`).")] = True,
) -> None:
    """Write the report of an evaluation or an audit: one HTML page without outside links, CSV, figures.

    Example: x2x report runs/benchmark
    """
    from x2x_core.evaluation.report.report import write_report

    for path in write_report(folder, figures):
        typer.echo(str(path))
