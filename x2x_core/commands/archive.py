"""`x2x dicomweb` and `x2x dimse`: find, fetch, edit and store in an archive, the same commands over two protocols."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import InputError

from .app import App
from .archive_edit import edit
from .archive_options import Archive, Instance, Series, Study, connect, place_of, print_stored
from .progress import progress_bar
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.archive.remote.entries import Entry

_HEADINGS = {
    "study": ("study", "date", "modalities", "objects", "patient ID", "description"),
    "series": ("series", "modality", "number", "objects", "description"),
    "instance": ("instance", "class", "number"),
}


def check(ctx: typer.Context, archive: Archive = None) -> None:
    """Ask the archive for a sign of life, with the credentials of the environment.

    Example: x2x dicomweb check --archive https://pacs.example.org/dicom-web
    """
    opened = connect(ctx, archive)
    opened.check()
    typer.echo(f"{opened.name} answers.")


def find(
    ctx: typer.Context,
    archive: Archive = None,
    study: Annotated[str | None, typer.Option(help="List the series of this study.", show_default="studies")] = None,
    series: Annotated[str | None, typer.Option(help="With --study, list the objects of this series.")] = None,
    patient_id: Annotated[str, typer.Option(help="Patient ID; * and ? stand for any letters.")] = "",
    accession: Annotated[str, typer.Option(help="Accession number.")] = "",
    date: Annotated[str, typer.Option(help="Date of the study: YYYYMMDD or YYYYMMDD-YYYYMMDD.")] = "",
    modality: Annotated[str, typer.Option(help="Modality in the study, such as DX.")] = "",
    limit: Annotated[int, typer.Option(help="The most entries to list.", min=1)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON.")] = False,
) -> None:
    """List studies; the series of a study; or the objects of a series.

    Example: x2x dicomweb find --date 20260101-20260131 --modality DX
    """
    from x2x_core.archive.remote.entries import INSTANCE, KEYS, SERIES, STUDY, UID_OF, Place, StudyQuery

    conditions = StudyQuery(patient_id, accession, date, modality).conditions()
    if series is not None and study is None:
        raise InputError("`series` requires `study`: add the study that it is in.")
    level = STUDY if study is None else SERIES if series is None else INSTANCE
    if study is not None:
        if conditions:
            raise InputError("`study` excludes patient, accession, date and modality, which choose studies.")
        Place(study, series)
        conditions = {UID_OF[STUDY]: study} | ({} if series is None else {UID_OF[SERIES]: series})
    opened = connect(ctx, archive)
    found = opened.find(level, conditions, limit)
    if as_json:
        typer.echo(json.dumps([dict(sorted(entry.values.items())) for entry in found], indent=1, ensure_ascii=False))
        return
    if found:
        print_table(_HEADINGS[level], [_row(entry, KEYS[level]) for entry in found])
    ends = " or more: raise --limit to see all" if len(found) == limit else ""
    typer.echo(f"{len(found)} {level if level == SERIES else {STUDY: 'studies', INSTANCE: 'objects'}[level]}{ends}.")


def _row(entry: Entry, keys: tuple[str, ...]) -> list[str]:
    from rich.markup import escape

    return [escape(entry.values.get(key, "").replace("\\", ", ")) for key in keys]


def fetch(
    ctx: typer.Context,
    study: Study,
    archive: Archive = None,
    series: Series = None,
    instance: Instance = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="New or empty folder for the files.")] = Path("fetched"),
) -> None:
    """Fetch a study, a series or one object into a new folder: all of it, or nothing.

    The files are those of the archive, in the form that they are stored in, named by their SOP instance UIDs. They hold
    everything that the archive knows of the patient.

    Example: x2x dicomweb fetch --study 1.2.840.1 -o study
    """
    from x2x_core.archive.remote.fetching import fetch as fetch_all
    from x2x_core.archive.remote.fetching import list_instances

    place = place_of(study, series, instance)
    opened = connect(ctx, archive)
    entries = list_instances(opened, place)
    with progress_bar("Fetching") as update:
        fetch_all(opened, entries, out, update)
    typer.echo(f"{len(entries)} objects are in {out}.")


def store(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Results, or folders of them.")],
    archive: Archive = None,
) -> None:
    """Store DICOM results of this program in the archive: all objects of a study, or none; one study after another.

    Nothing else is stored: each file must have this program's record and its mark as synthetic. Results of `x2x edit
    --identifiers keep` go into the study of their original. What the archive has is not sent twice.

    Example: x2x dicomweb store result
    """
    from x2x_core.archive.remote.storing import read_studies
    from x2x_core.archive.remote.storing import store as store_study

    opened = connect(ctx, archive)
    for objects in read_studies(_result_files(files)):
        print_stored(store_study(opened, objects))


def _result_files(places: list[Path]) -> list[Path]:
    """Return the files at some places; of folders, those that are named as DICOM results.

    Raises:
        InputError: there is none.
    """
    from x2x_core.archive.writing import FILES

    found: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = {path: FILES.index(path.name) for path in place.rglob("*.dcm") if path.name in FILES}
            files = sorted(inside, key=lambda path: (str(path.parent), inside[path]))
        else:
            files = [place] if place.is_file() else []
        if not files:
            raise InputError(f"`files` must be DICOM results or folders with {', '.join(FILES)}, but `{place}` is not.")
        found += files
    return found


def _make(schemes: tuple[str, ...], text: str) -> App:
    """Return the commands for one protocol; `ctx.obj` holds the schemes of its addresses."""
    made = App(no_args_is_help=True, help=text)

    @made.callback()
    def choose(ctx: typer.Context) -> None:
        ctx.obj = schemes

    for command in (check, find, fetch, edit, store):
        made.command(command.__name__)(command)
    return made


dicomweb = _make(
    ("https", "http"),
    "Find, fetch, edit and store in an archive over DICOMweb (QIDO-RS, WADO-RS, STOW-RS). Credentials come from the "
    "environment: X2X_ARCHIVE_USER and X2X_ARCHIVE_PASSWORD, or X2X_ARCHIVE_TOKEN.",
)
dimse = _make(
    ("dicoms", "dicom"),
    "Find, fetch, edit and store in an archive over DIMSE (C-FIND, C-GET or C-MOVE, C-STORE). Credentials come from "
    "the environment: X2X_ARCHIVE_USER and X2X_ARCHIVE_PASSWORD, or X2X_ARCHIVE_TOKEN.",
)
