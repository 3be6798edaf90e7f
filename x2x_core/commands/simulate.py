"""`x2x simulate`: simulate counterfactual radiograph pairs from a chest CT."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import Seed, Workers
from .progress import progress_bar


class Schema(StrEnum):
    """Wordings of the instruction language."""

    V1 = "v1"
    V2 = "v2"
    MIXED = "mixed"


def simulate(
    ct: Annotated[str, typer.Option(help='Folder of DICOM slices, a .npz volume, or "phantom" (bundled).')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the pairs; created if needed.")],
    count: Annotated[int, typer.Option(help="Number of pairs.")] = 100,
    seed: Seed = 0,
    size: Annotated[int, typer.Option(help="Side length in pixels.")] = 256,
    schema: Annotated[
        Schema, typer.Option(help="Wording: v1 (findings), v2 (levels and places) or mixed.")
    ] = Schema.MIXED,
    bits: Annotated[int, typer.Option(help="Bits per pixel: 8 or 16.")] = 8,
    resting: Annotated[
        str | None,
        typer.Option(help="Findings that may be present without changing, separated by commas. [default: all]"),
    ] = None,
    resting_share: Annotated[float, typer.Option(help="Share of the pairs with such a finding, 0 to 1.")] = 0.3,
    fields: Annotated[
        bool,
        typer.Option(
            "--fields", help="Also write fields/: lung fields as a reader outlines them, for the lung finder."
        ),
    ] = False,
    workers: Workers = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace pairs made with other settings.")] = False,
) -> None:
    """Simulate pairs of radiographs of one patient, without and with a finding, with exact ground truth.

    The disease is inserted into the CT volume, and both volumes are projected. The folder has the published layout
    (instructions.csv, past/, current/) with the truth beside it (change/, masks/, attributes.jsonl). An interrupted run
    continues when the command is repeated.

    Example: x2x simulate --ct ct-folder --count 2000 --out runs/simulated
    """
    from x2x_core.simulation.dataset import simulate_dataset
    from x2x_core.simulation.fields import write_fields
    from x2x_core.simulation.scenario import Resting

    named = {} if resting is None else {"findings": tuple(name.strip().lower() for name in resting.split(","))}
    with progress_bar("Simulating") as update:
        folder = simulate_dataset(
            ct, out, count, seed=seed, size=size, version=schema.value, bits=bits,
            resting=Resting(share=resting_share, **named), workers=workers, overwrite=overwrite, progress=update,
        )  # fmt: skip
    if fields:
        with progress_bar("Lung fields") as update:
            write_fields(ct, folder, update)
    typer.echo(str(folder))
