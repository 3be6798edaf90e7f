"""Options that the commands of `x2x evaluate` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Ct = Annotated[str, typer.Option(help='CT to simulate from: DICOM folder, .npz, or "phantom".')]
OptionalCt = Annotated[
    str | None, typer.Option(help='CT to simulate from: DICOM folder, .npz, or "phantom".', show_default="phantom")
]
Data = Annotated[Path | None, typer.Option(help="Folder of simulated pairs, instead of --ct.", show_default="none")]
DataSplit = Annotated[str | None, typer.Option(help="Split of --data.", show_default="val")]
PairCount = Annotated[int, typer.Option(help="Largest number of pairs.")]
OptionalSeed = Annotated[
    int | None, typer.Option(help="Seed of the pairs and the edits.", show_default="one that no training uses")
]
EditSeed = Annotated[int | None, typer.Option(help="Seed of the edits.", show_default="one that no training uses")]
JsonFile = Annotated[Path | None, typer.Option("-o", "--out", help="JSON file for all scores.", show_default="none")]
PublishedMasks = Annotated[
    Path | None, typer.Option(help="Folder of published masks.", show_default="hard masks of the atlas")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
