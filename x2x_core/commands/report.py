"""`x2x report`: write the report of an evaluation, a benchmark, an ablation or an audit from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="Output folder of `x2x evaluate` or `x2x audit`.", metavar="DIR")],
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw PNG and SVG (extra `report`).")] = True,
) -> None:
    """Write one HTML page without outside links, a CSV and figures from the record in a folder.

    Example: x2x report runs/benchmark
    """
    print_report(folder, figures)


def print_report(folder: Path, figures: bool = True) -> None:
    """Write the report of a run to its folder, and print the paths of its files."""
    from x2x_core.evaluation.report.write import write_report

    for path in write_report(folder, figures):
        typer.echo(str(path))
