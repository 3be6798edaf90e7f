"""`x2x simulate`: counterfactual radiograph pairs from a chest CT."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .progress import progress_bar


class Schema(str, Enum):
    """Wordings of the instruction language."""

    V1 = "v1"
    V2 = "v2"
    MIXED = "mixed"


def simulate(
    ct: Annotated[str, typer.Option(help='Folder of DICOM slices, a .npz volume, or "phantom" (built in).')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the dataset; it is made.")],
    count: Annotated[int, typer.Option(help="Pairs to simulate.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    size: Annotated[int, typer.Option(help="Pixels to a side.")] = 256,
    schema: Annotated[
        Schema, typer.Option(help="Wording: v1 (findings), v2 (levels, places) or mixed.")
    ] = Schema.MIXED,
    bits: Annotated[int, typer.Option(help="Bits of the images: 8 or 16.")] = 8,
    resting: Annotated[
        str | None,
        typer.Option(help="Findings that may be there without changing, with commas between. [default: all]"),
    ] = None,
    resting_share: Annotated[float, typer.Option(help="Of the pairs, those that hold one of them.")] = 0.3,
    fields: Annotated[
        bool,
        typer.Option(
            "--fields", help="Also write fields/, lung fields as a reader outlines them, for the lung finder."
        ),
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a dataset made with other settings.")] = False,
) -> None:
    """Simulate pairs of radiographs of the same patient, without and with a finding, with exact ground truth.

    Disease is put into the CT volume and both volumes are projected. The folder has the published layout
    (instructions.csv, past/, current/) and the truths beside it (change/, masks/, attributes.jsonl). Interrupted, it goes
    on where it was.

    Example: x2x simulate --ct ct-folder --count 2000 --out runs/simulated
    """
    from x2x_core.simulation.dataset import simulate_dataset
    from x2x_core.simulation.scenario import Resting

    named = {} if resting is None else {"findings": tuple(name.strip().lower() for name in resting.split(","))}
    with progress_bar("Simulating") as update:
        folder = simulate_dataset(
            ct, out, count, seed=seed, size=size, version=schema.value, bits=bits,
            resting=Resting(share=resting_share, **named), workers=workers, overwrite=overwrite, progress=update,
        )  # fmt: skip
    if fields:
        from x2x_core.simulation.fields import write_fields

        with progress_bar("Lung fields") as update:
            write_fields(ct, folder, update)
    typer.echo(str(folder))
