"""`x2x study analyse`: statistics of a reader study, or of a table of ratings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import InputError, InputNotFoundError

from .outputs import fresh_folder
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.study.analysis.sections import Section


class CovarianceName(StrEnum):
    """Covariances of AUCs over cases."""

    JACKKNIFE = "jackknife"
    DELONG = "DeLong"
    UNBIASED = "unbiased"


def analyse(
    source: Annotated[
        Path, typer.Argument(metavar="STUDY|TABLE", help="Folder of the study, or a table of ratings (CSV or .imrmc).")
    ],
    answers: Annotated[
        Path | None, typer.Option(help="Folder with the readers' files.", show_default="STUDY-answers")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the study.", show_default="STUDY-key.json")] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="Margin of equivalence to chance, 0 to 0.5, chosen before the study.", show_default="0.1"),
    ] = None,
    covariance: Annotated[
        CovarianceName | None,
        typer.Option(help="Of a table: covariance of the readers' AUCs over cases.", show_default="jackknife"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for analysis.json.", show_default="none")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an analysis in the folder.")] = False,
) -> None:
    """Analyse the answers of a reader study, or compare methods in a table of ratings.

    Of a study: accuracy, AUC with readers and cases random (Obuchowski-Rockette and one-shot), equivalence to chance,
    kappa, exact McNemar tests, preferences, and a reading sheet graded by reader. Of a table with the columns reader,
    case, truth, rating and method: the AUCs and their comparison. It needs the extra `study`.

    Examples: x2x study analyse study -o analysis

    x2x study analyse ratings.csv
    """
    from x2x_core.study.analysis.run import RECORD

    if out is not None:
        fresh_folder(out, (RECORD,), overwrite)
    if source.is_dir():
        if covariance is not None:
            raise InputError("`--covariance` must be left out with a study: it is for a table of ratings.")
        sections = _study(source, answers, key, margin, out)
    elif source.is_file():
        for name, value in {"--answers": answers, "--key": key}.items():
            if value is not None:
                raise InputError(f"`{name}` must be left out with a table of ratings.")
        sections = _table(source, margin, covariance or CovarianceName.JACKKNIFE, out)
    else:
        raise InputNotFoundError(f"There is no study and no table `{source}`.")
    _print(sections)
    if out is not None:
        typer.echo(str(out / RECORD))


def _study(
    study: Path, answers: Path | None, key: Path | None, margin: float | None, out: Path | None
) -> list[Section]:
    from x2x_core.study.analysis.run import analyse as run
    from x2x_core.study.statistics.equivalence import MARGIN

    answers = answers or study.parent / f"{study.name}-answers"
    key = key or study.parent / f"{study.name}-key.json"
    return run(study, key, answers, MARGIN if margin is None else margin, out)


def _table(table: Path, margin: float | None, covariance: CovarianceName, out: Path | None) -> list[Section]:
    from x2x_core.study.analysis.comparison import compare_ratings
    from x2x_core.study.analysis.run import write_record
    from x2x_core.study.statistics.ratings import read_ratings

    sections = [compare_ratings(read_ratings(table), margin, covariance.value)]
    if out is not None:
        write_record(out, sections, {"table": table.name, "margin": margin})
    return sections


def _print(sections: list[Section]) -> None:
    from x2x_core.study.design.settings import NOTICE

    for section in sections:
        typer.secho(section.title, bold=True)
        for table in section.tables:
            print_table(table.headings, table.rows)
        for note in section.notes:
            typer.echo(note)
        typer.echo("")
    typer.echo(NOTICE)
