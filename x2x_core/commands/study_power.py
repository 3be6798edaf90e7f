"""`x2x study power`: plan the size of a reader study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .tables import print_table


def power(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Ratings of a pilot study of two or more methods (CSV or .imrmc).")
    ],
    difference: Annotated[float, typer.Option(help="Difference of mean AUCs to be found.")],
    readers: Annotated[list[int] | None, typer.Option(help="Readers; repeat it.", show_default="4, 6, 8")] = None,
    cases: Annotated[list[int] | None, typer.Option(help="Cases; repeat it.", show_default="50, 100, 200")] = None,
) -> None:
    """Print the power to find a difference of AUCs, for numbers of readers and cases; both are random.

    Example: x2x study power pilot.csv --difference 0.05
    """
    from x2x_core.study.statistics.figures import estimate
    from x2x_core.study.statistics.obuchowski_rockette import compare
    from x2x_core.study.statistics.power import power_of_comparison
    from x2x_core.study.statistics.ratings import read_ratings

    pilot = read_ratings(table)
    components = compare(estimate(pilot)).components
    counts = cases or [50, 100, 200]
    rows = [
        (
            f"{number} readers",
            *(f"{power_of_comparison(components, len(pilot.truth), number, n, difference).power:.2f}" for n in counts),
        )
        for number in readers or [4, 6, 8]
    ]
    print_table((f"Difference {difference:g}", *(f"{count} cases" for count in counts)), rows)
