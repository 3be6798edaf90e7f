"""`x2x simulate`: simulate counterfactual radiograph pairs from a chest CT."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from x2x_core.simulation.settings import DEFAULTS, Resting, SimulationSettings

from .options import Seed, Workers
from .progress import progress_bar


class Schema(StrEnum):
    """Wordings of the instruction language."""

    V1 = "v1"
    V2 = "v2"
    MIXED = "mixed"


_DEFAULT_SCHEMA = Schema(DEFAULTS.version)


def simulate(
    ct: Annotated[str, typer.Option(help='Folder of DICOM slices, a .npz volume, or "phantom" (bundled).')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the pairs; created if needed.")],
    count: Annotated[int, typer.Option(help="Number of pairs.")] = DEFAULTS.count,
    seed: Seed = DEFAULTS.seed,
    size: Annotated[int, typer.Option(help="Side length in pixels.")] = DEFAULTS.size,
    schema: Annotated[
        Schema, typer.Option(help="Wording: v1 (findings), v2 (levels and places) or mixed.")
    ] = _DEFAULT_SCHEMA,
    bits: Annotated[int, typer.Option(help="Bits per pixel: 8 or 16.")] = DEFAULTS.bits,
    resting: Annotated[
        str | None,
        typer.Option(help="Findings that may be present without changing, separated by commas. [default: all]"),
    ] = None,
    resting_share: Annotated[
        float, typer.Option(help="Share of the pairs with such a finding, 0 to 1.")
    ] = DEFAULTS.resting.share,
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

    findings = DEFAULTS.resting.findings if resting is None else tuple(resting.lower().split(","))
    settings = SimulationSettings(
        count=count,
        seed=seed,
        size=size,
        version=schema.value,
        bits=bits,
        resting=Resting(tuple(name.strip() for name in findings), resting_share),
    )
    with progress_bar("Simulating") as update:
        folder = simulate_dataset(ct, out, settings, workers=workers, overwrite=overwrite, progress=update)
    if fields:
        with progress_bar("Lung fields") as update:
            write_fields(ct, folder, update)
    typer.echo(str(folder))
