"""`x2x study serve`: serve a reader study on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LOOPBACK = "127.0.0.1"


def serve(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of the study.")],
    answers: Annotated[Path | None, typer.Option(help="Folder for the answers.", show_default="STUDY-answers")] = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = LOOPBACK,
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65535)] = 8765,
) -> None:
    """Serve a reader study: an address for each reader, answers stored on disk after every case.

    It listens at this machine alone. At another --host the pictures and answers cross the network unencrypted: put a
    server with TLS in front of it. Whoever has the address of a reader can read and change that reader's answers.

    Example: x2x study serve study
    """
    from x2x_core.study.serving import StudyServer

    folder = answers or study.parent / f"{study.name}-answers"
    with StudyServer(study, folder, host, port) as server:
        for reader, address in server.addresses.items():
            typer.echo(f"{reader}: {address}")
        typer.echo(f"{folder}: the answers")
        if host != LOOPBACK:
            typer.echo("Pictures and answers cross the network unencrypted.", err=True)
        typer.echo("Stop with Ctrl+C.")
        server.serve_forever()
