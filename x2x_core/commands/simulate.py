"""`x2x simulate`: simulate counterfactual radiograph pairs from a chest CT."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from x2x_core.common.errors import InputError
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
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the pairs; created if needed.")],
    ct: Annotated[
        str | None,
        typer.Option(help='Folder of DICOM slices, a .npz volume, or "phantom" (bundled).', show_default="none"),
    ] = None,
    films: Annotated[
        Path | None, typer.Option(help="Folder of frontal chest radiographs to draw lesions on.", show_default="none")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="With --films: CSV with the columns file, patient and findings.", show_default="none"),
    ] = None,
    count: Annotated[int, typer.Option(help="Number of pairs.")] = DEFAULTS.count,
    seed: Seed = DEFAULTS.seed,
    size: Annotated[int, typer.Option(help="Side length in pixels.")] = DEFAULTS.size,
    schema: Annotated[
        Schema, typer.Option(help="Wording: v1 (findings), v2 (levels and places) or mixed.")
    ] = _DEFAULT_SCHEMA,
    bits: Annotated[int, typer.Option(help="Bits per pixel: 8 or 16.")] = DEFAULTS.bits,
    resting: Annotated[
        str | None,
        typer.Option(help="Findings that may be present without changing, separated by commas.", show_default="all"),
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

    With --ct, the disease is inserted into a CT volume, and both volumes are projected. With --films, it is drawn on
    real radiographs, in the lungs found in each of them; films on which that is not possible are left out and counted.
    The folder has the pair layout (instructions.csv, past/, current/) with the truth beside it (change/,
    masks/, attributes.jsonl). An interrupted run continues when the command is repeated.

    Examples: x2x simulate --ct ct-folder --count 2000 --out runs/simulated

    x2x simulate --films film-folder --labels labels.csv --count 4000 --out runs/films
    """
    from x2x_core.simulation.dataset import simulate_dataset
    from x2x_core.simulation.fields import write_fields
    from x2x_core.simulation.films.dataset import simulate_from_films

    _check_source(ct, films, labels, fields)
    findings = DEFAULTS.resting.findings if resting is None else tuple(resting.lower().split(","))
    settings = SimulationSettings(
        count=count,
        seed=seed,
        size=size,
        version=schema.value,
        bits=bits,
        resting=Resting(tuple(name.strip() for name in findings), resting_share),
    )
    if films is not None:
        with progress_bar("Simulating") as update:
            survey = simulate_from_films(
                films, out, settings, labels=labels, workers=workers, overwrite=overwrite, progress=update
            )
        typer.echo(f"{len(survey.suitable)} films used")
        for reason, number in survey.left_out.items():
            typer.echo(f"  left out, {reason}: {number}")
    elif ct is not None:
        with progress_bar("Simulating") as update:
            simulate_dataset(ct, out, settings, workers=workers, overwrite=overwrite, progress=update)
        if fields:
            with progress_bar("Lung fields") as update:
                write_fields(ct, out, update)
    typer.echo(str(out))


def _check_source(ct: str | None, films: Path | None, labels: Path | None, fields: bool) -> None:
    """Check that pairs come from a CT or from films, with the options of that one alone.

    Raises:
        InputError: they do not.
    """
    if (ct is None) == (films is None):
        raise InputError("`--ct` or `--films` is required: give exactly one of them, a CT or a folder of films.")
    if films is not None and fields:
        raise InputError("`--fields` requires `--ct`: it casts rays through the CT. Leave it out with `--films`.")
    if films is None and labels is not None:
        raise InputError("`--labels` requires `--films`: a CT has no labels. Leave it out with `--ct`.")
