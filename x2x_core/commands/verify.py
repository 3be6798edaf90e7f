"""`x2x verify`: check what a result says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def verify(
    file: Annotated[Path, typer.Argument(help="A PNG, DICOM, or signed JPEG or TIFF file.")],
    original: Annotated[Path | None, typer.Option(help="The file that it is said to be an edit of.")] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            help="PEM file with certificates of the authorities that you trust: the signer's must lead to one of them."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say whether a file was made by this program, from what, and whether it was altered since.

    Reads the record in the file: the instruction, settings, hashes of input and weights, version, and a digest of the
    pixels. With --original, also compares the pixels outside the mask with the original's. Exits with 0 if everything
    agrees and with 1 if not. Without a content credential the record is not signed: it shows changes made by accident,
    not on purpose. With one, also says whether the signature is valid and, with --trust, whose it is.

    Example: x2x verify result/edited.png --original chest.png
    """
    from x2x_core.archive.verification import summary
    from x2x_core.archive.verification import verify as check

    found = check(file, original, trust)
    typer.echo(json.dumps(found.as_dict(), indent=1, ensure_ascii=False) if as_json else "\n".join(summary(found)))
    if not found.holds:
        raise typer.Exit(1)
