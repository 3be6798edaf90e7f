"""Options of the commands that use an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from x2x_core.archive.remote.archive import Archive as OpenArchive
    from x2x_core.archive.remote.entries import Place
    from x2x_core.archive.remote.storing import Stored

Archive = Annotated[
    str | None,
    typer.Option(
        help="https://HOST/PATH for DICOMweb; dicom://TITLE@HOST:PORT, or dicoms:// with TLS, for DIMSE, followed by "
        "?calling=TITLE for the title of this program (X2X) and &listen=PORT to fetch by C-MOVE instead of C-GET.",
        show_default="the environment variable X2X_ARCHIVE",
    ),
]
Study = Annotated[str, typer.Option(help="Study instance UID.")]
Series = Annotated[str | None, typer.Option(help="Series instance UID.", show_default="all series")]
Instance = Annotated[str | None, typer.Option(help="SOP instance UID.", show_default="all objects")]


def connect(ctx: typer.Context, archive: str | None) -> OpenArchive:
    """Open an archive for a command; `ctx.obj` of its group has the schemes that it may have.

    Raises:
        InputError: an unusable address, or credentials that are unusable or do not go with it.
    """
    from x2x_core.archive.remote.opening import open_archive

    return open_archive(archive, ctx.obj)


def place_of(study: str, series: str | None, instance: str | None) -> Place:
    """Return the place that options name.

    Raises:
        InputError: one is no UID.
    """
    from x2x_core.archive.remote.entries import Place

    return Place(study, series, instance)


def print_stored(stored: Stored) -> None:
    """Print which objects of a study an archive has now."""
    typer.echo(f"Study {stored.study}: {len(stored.sent)} stored, {len(stored.known)} already there.")
    for each in (*stored.sent, *stored.known):
        typer.echo(f"  {Path(each.name).name}  {each.instance}")
