"""`x2x batch`: edit all rows of a table, or all radiographs of a folder."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .app import warnings_kept_back
from .edit import BurnIn, Identifiers, NewStudy, SeriesDescription
from .loading import choose_device, choose_dtype, load_pipeline
from .options import Device, Dtype, Model, Pseudomasks, Seed, SignCertificate, SignKey
from .progress import row_progress
from .setting_options import EditOptions

if TYPE_CHECKING:
    from x2x_core.archive.settings import DicomSettings
    from x2x_core.batch.run import Engine
    from x2x_core.batch.worker import Edit

_INCOMPLETE = 3  # exit code: rows ended with an error


def batch(
    *,
    manifest: Annotated[
        str,
        typer.Argument(help="A CSV or parquet table with a column image, or a folder of radiographs with --prompt."),
    ],
    out: Annotated[str, typer.Option("-o", "--out", help="Folder for the results; a stopped batch continues there.")],
    prompt: Annotated[str | None, typer.Option(help="Instruction of rows that have none.", show_default="none")] = None,
    model: Model = "demo",
    seed: Seed = 0,
    settings: EditOptions,
    pseudomasks: Pseudomasks = None,
    dicom: Annotated[bool, typer.Option("--dicom/--no-dicom", help="Write DICOM files for DICOM inputs.")] = True,
    identifiers: Identifiers = None,
    new_study: NewStudy = False,
    burn_in: BurnIn = False,
    series_description: SeriesDescription = None,
    sign_key: SignKey = None,
    sign_certificate: SignCertificate = None,
    device: Device = None,
    dtype: Dtype = None,
    threads: Annotated[
        int | None,
        typer.Option(help="PyTorch's threads on the CPU; they decide how sums are rounded.", show_default="one a core"),
    ] = None,
    shard: Annotated[
        str, typer.Option(help="Part i of n of the rows, such as 2/8, for a job array; all may share a folder.")
    ] = "1/1",
    engine: Annotated[
        str, typer.Option(help="local: this process; ray: the processes of a Ray cluster, or of this machine.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(help="With --engine ray, number of processes.", show_default="one a core or GPU")
    ] = None,
    skip_problems: Annotated[
        bool, typer.Option("--skip-problems", help="Edit the other rows if the check finds some that cannot be edited.")
    ] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Edit rows again that ended with an error.")
    ] = False,
) -> None:
    """Edit all rows of a table: columns image and prompt, and if wanted seed, model and options of `x2x edit`.

    All rows are checked before the first edit. Each row's results are in a folder of its own below edits/, the same
    files as `x2x edit` writes; results.csv and results.parquet list all rows with paths, the instruction as understood,
    shares, warnings and errors. Stopped in any way, the same command continues. Exit code 3: some rows have an error.

    Example: x2x batch edits.csv -o result
    """
    from x2x_core.archive.credentials.key import SigningFiles
    from x2x_core.batch.columns import OF_ARGUMENT
    from x2x_core.batch.manifest import read_manifest
    from x2x_core.batch.opening import open_output
    from x2x_core.batch.plan import Defaults, Shard
    from x2x_core.batch.run import BatchSettings, run_batch

    given = {OF_ARGUMENT[name]: value for name, value in settings.arguments().items()}
    choices = {"identifiers": identifiers, "new_study": new_study, "burn_in": burn_in}
    about, threads = _about(device, dtype, threads, pseudomasks)
    run = BatchSettings(
        functools.partial(load_edit, None if pseudomasks is None else str(pseudomasks), device, dtype),
        about,
        _archive_settings(dicom, {**choices, "series_description": series_description}),
        threads,
        Shard.parse(shard),
        skip_problems,
        retry_errors,
        _engine(engine, workers, about["device"]),
        SigningFiles.choose(sign_key, sign_certificate),
    )
    defaults = Defaults(prompt or "", seed, model, given)
    with warnings_kept_back(), row_progress("Editing") as update:
        outcome = run_batch(read_manifest(manifest, out), open_output(out), defaults, run, update)
    typer.echo(f"{outcome.done} of {outcome.rows} rows are done, {outcome.errors} with an error.")
    for name in outcome.tables:
        typer.echo(f"{out.rstrip('/')}/{name}")
    if not outcome.tables:
        typer.echo("The table of results is written when all rows are done.")
    if outcome.errors:
        raise typer.Exit(_INCOMPLETE)


def load_edit(pseudomasks: str | None, device: str | None, dtype: str | None, model: str) -> Edit:
    """Load a model and return its edit; other processes call this, too."""
    from x2x_core.batch.worker import PipelineEdit

    return PipelineEdit(load_pipeline(model, pseudomasks, device, dtype))


def _engine(name: str, workers: int | None, device: str) -> Engine:
    """Return the engine of a name."""
    from x2x_core.batch.ray_engine import RayEngine, check_engine
    from x2x_core.batch.run import edit_here

    check_engine(name, workers)
    return edit_here if name == "local" else RayEngine(workers, gpus=1 if device == "cuda" else 0)


def _about(
    device: str | None, dtype: str | None, threads: int | None, pseudomasks: Path | None
) -> tuple[dict[str, Any], int | None]:
    """Return what the record of a batch says of device and pseudomasks, and the number of threads on the CPU."""
    import torch

    from x2x_core.common.errors import InputError
    from x2x_core.edit.saved_pseudomasks import as_atlas
    from x2x_core.imaging.provenance import sha256_file

    if threads is not None and threads < 1:
        raise InputError(f"`threads` must be at least 1, got {threads}.")
    chosen = choose_device(device)
    as_atlas(pseudomasks)  # checked before the first edit
    files = sorted(pseudomasks.rglob("*")) if pseudomasks and pseudomasks.is_dir() else [pseudomasks]
    own = [sha256_file(path) for path in files if path is not None and path.is_file()]
    about = {
        "device": chosen.type,
        "dtype": str(choose_dtype(dtype, chosen)).removeprefix("torch."),
        "pseudomasks": own or None,
    }
    return about, (threads or torch.get_num_threads()) if chosen.type == "cpu" else None


def _archive_settings(dicom: bool, choices: dict[str, Any]) -> DicomSettings | None:
    """Return how DICOM results are written, ``None`` if none are."""
    from x2x_core.archive.settings import KEY_VARIABLE, DicomSettings
    from x2x_core.common.errors import InputError

    given = {name: value for name, value in choices.items() if value not in (None, False)}
    if dicom:
        return DicomSettings(**given, key=os.environ.get(KEY_VARIABLE, ""))
    if given:
        raise InputError(f"`{next(iter(given))}` is for DICOM results, and this batch writes none: leave it out.")
    return None
