"""`x2x study make`: make a reader study."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from x2x_core.common.errors import InputError, InputNotFoundError

from .progress import progress_bar


class TaskName(StrEnum):
    """Tasks of a study."""

    FINDING = "finding"
    WHERE = "where"
    LEVEL = "level"
    REALISM = "realism"
    PREFERENCE = "preference"


def make(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|SHEET",
            help="Folder with results of `x2x edit` and unedited radiographs, a run of `x2x evaluate films`, or a "
            "reading sheet.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Empty folder for the study.")],
    key: Annotated[
        Path | None, typer.Option(help="File for the key, outside of the study.", show_default="STUDY-key.json")
    ] = None,
    sheet_key: Annotated[
        Path | None, typer.Option(help="Answer key of a reading sheet, key.json.", show_default="none")
    ] = None,
    readers: Annotated[int, typer.Option(help="Number of readers.")] = 1,
    task: Annotated[
        list[TaskName] | None,
        typer.Option(help="What readers are asked; repeat it for several.", show_default="all but preference"),
    ] = None,
    count: Annotated[int | None, typer.Option(help="Largest number of films.", show_default="all")] = None,
    edits_per_film: Annotated[
        int | None, typer.Option(help="Largest number of instructions for a film.", show_default="1")
    ] = None,
    training: Annotated[int, typer.Option(help="Films that are set aside for training cases.")] = 0,
    checks: Annotated[int, typer.Option(help="Attention checks in each part.")] = 0,
    repeats: Annotated[int, typer.Option(help="Cases of each part that are shown twice.")] = 0,
    title: Annotated[str | None, typer.Option(help="Title of the page.", show_default="a neutral one")] = None,
    consent: Annotated[
        Path | None, typer.Option(help="Text file with the consent.", show_default="a general text")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 0,
) -> None:
    """Make a reader study: pictures under blinded names, a balanced order for each reader, and the key apart.

    Give readers the folder of the study, never the key. From a reading sheet all of its parts are read as they are.

    Examples: x2x study make results -o study --readers 4 --training 3 --checks 2

    x2x study make runs/sheet --sheet-key runs/films/reading/key.json -o study
    """
    from x2x_core.study.definition import PAGE
    from x2x_core.study.design.making import check_places, design_study, write_study
    from x2x_core.study.design.settings import NOTICE, StudySettings
    from x2x_core.study.design.sheet_parts import is_sheet

    key = key or out.parent / f"{out.name}-key.json"
    check_places(out, key)
    choices = {"--task": task, "--count": count, "--edits-per-film": edits_per_film}
    if is_sheet(source):
        for name, value in choices.items():
            if value is not None:
                raise InputError(f"`{name}` must be left out with a reading sheet, which is read as it is.")
    settings: dict[str, Any] = {
        "readers": readers, "seed": seed, "tasks": _tasks(task), "count": count, "edits_per_film": edits_per_film,
        "training": training, "checks": checks, "repeats": repeats, "title": title, "consent": _text(consent),
    }  # fmt: skip
    given = {name: value for name, value in settings.items() if value is not None}
    made = design_study(source, StudySettings(**given), sheet_key)
    with progress_bar("Pictures") as update:
        write_study(made, out, key, update)
    for part in made.study.parts:
        cases = len(made.study.orders[made.study.readers[0]][part.name])
        typer.echo(f"{part.title}: {cases} cases, {len(part.training)} for training")
    typer.echo(f"{out / PAGE}: the page for the readers {', '.join(made.study.readers)}")
    typer.echo(f"{key}: key, which no reader must see")
    typer.echo(NOTICE)


def _tasks(names: list[TaskName] | None) -> tuple | None:
    from x2x_core.study.design.questions import Task

    return tuple(Task(name.value) for name in dict.fromkeys(names)) if names else None


def _text(path: Path | None) -> str | None:
    """Read a text file."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except FileNotFoundError as error:
        raise InputNotFoundError(f"There is no file `{path}` for the consent.") from error
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"`--consent` must be a text file in UTF-8, but `{path}` is not: {error}.") from error
