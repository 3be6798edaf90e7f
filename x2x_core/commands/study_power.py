"""`x2x study power`: plan the size of a reader study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x2x_core.common.errors import InputError

from .tables import print_table


def power(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Ratings of a pilot study (CSV or .imrmc).")],
    difference: Annotated[
        float | None, typer.Option(help="Difference of mean AUCs to be found.", show_default="none")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Margin within which chance is to be shown.", show_default="none")
    ] = None,
    readers: Annotated[list[int] | None, typer.Option(help="Readers; repeat it.", show_default="4, 6, 8")] = None,
    cases: Annotated[list[int] | None, typer.Option(help="Cases; repeat it.", show_default="50, 100, 200")] = None,
) -> None:
    """Print the power of a planned study for numbers of readers and cases; both are random.

    With --difference the power to find a difference between the mean AUCs of two methods, with --margin the power to
    show that a mean AUC is at chance within the margin. Variances are those of the pilot study.

    Example: x2x study power pilot.csv --difference 0.05
    """
    from x2x_core.study.statistics.figures import estimate
    from x2x_core.study.statistics.obuchowski_rockette import compare
    from x2x_core.study.statistics.power import power_of_chance, power_of_comparison
    from x2x_core.study.statistics.ratings import read_ratings

    if (difference is None) == (margin is None):
        raise InputError("Give either `--difference` or `--margin`.")
    pilot = read_ratings(table)
    figures, counts = estimate(pilot), cases or [50, 100, 200]
    components = compare(figures).components if difference is not None else None

    def power_of(number: int, count: int) -> float:
        if components is not None and difference is not None:
            return power_of_comparison(components, len(pilot.truth), number, count, difference).power
        assert margin is not None
        return power_of_chance(figures.of(0), len(pilot.truth), number, count, margin)

    rows = [
        (f"{number} readers", *(f"{power_of(number, count):.2f}" for count in counts))
        for number in readers or [4, 6, 8]
    ]
    title = f"Difference {difference:g}" if difference is not None else f"Chance ± {margin:g}, {pilot.methods[0]}"
    print_table((title, *(f"{count} cases" for count in counts)), rows)
