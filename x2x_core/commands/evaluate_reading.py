"""`x2x evaluate reading`: grade a reading sheet that was filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .evaluate_options import Overwrite
from .outputs import fresh_folder
from .report import print_report
from .tables import print_table


def reading(
    sheet: Annotated[
        Path, typer.Argument(metavar="SHEET", help="Folder with the filled lists, part1.csv to part3.csv.")
    ],
    key: Annotated[Path, typer.Argument(metavar="KEY", help="Answer key, key.json of the reading set.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the record and a report.", show_default="none")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Grade a reading sheet of `x2x evaluate films --reading-sheet` that a reader filled in.

    Prints, by finding, how many edits were seen plainly, subtly or not, how many were taken for something else, the
    order of levels, artefacts, and whether removals came nearer to normal, with Wilson's intervals.

    Example: x2x evaluate reading sheet runs/films/reading/key.json -o runs/reading
    """
    from x2x_core.evaluation.reading.answers import read_answers
    from x2x_core.evaluation.reading.grading import grade, read_key
    from x2x_core.evaluation.reading.table import reading_tables
    from x2x_core.evaluation.report.drawing import check_drawing
    from x2x_core.evaluation.report.view import View
    from x2x_core.evaluation.report.write import RECORDS

    answer_key = read_key(key)
    results = grade(answer_key, read_answers(sheet, {part: set(of_part) for part, of_part in answer_key.parts.items()}))
    if out is not None:
        check_drawing()
        fresh_folder(out, RECORDS[:1], overwrite)
    for headings, *rows in reading_tables(View(results)):
        print_table(headings, rows, bold=[len(rows) - 1])
    typer.echo(results.about["notice"])
    if out is not None:
        results.write_json(out / RECORDS[0])
        print_report(out)
