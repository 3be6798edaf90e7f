"""`x2x dicomweb edit`, `x2x dimse edit`: edit a radiograph of an archive, and store the results beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from .archive_options import Archive, Series, Study, connect, place_of, print_stored
from .edit import BurnIn, KeepMask, SeriesDescription
from .editing import Resources, make_edit, print_edit, read_instruction, with_place
from .options import Device, Dtype, Model, Pseudomasks, Seed
from .outputs import fresh_folder
from .progress import progress_bar
from .setting_options import EditOptions

LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        help="Object not to store, for archives that do not take its class: guidance_mask, guidance_map or panel; "
        "repeat it for several.",
        show_default="none",
    ),
]


def edit(
    *,
    ctx: typer.Context,
    prompt: Annotated[
        str, typer.Argument(help='The instruction: "Add the finding of moderate left pleural effusion."')
    ],
    study: Study,
    archive: Archive = None,
    series: Series = None,
    instance: Annotated[
        str | None, typer.Option(help="SOP instance UID.", show_default="the study's only frontal radiograph")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the results, too.", show_default="none")
    ] = None,
    model: Model = "demo",
    seed: Seed = 0,
    settings: EditOptions,
    pseudomasks: Pseudomasks = None,
    keep_mask: KeepMask = None,
    burn_in: BurnIn = False,
    series_description: SeriesDescription = None,
    leave_out: LeaveOut = None,
    device: Device = None,
    dtype: Dtype = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Fetch, explain what the edit would do, and stop without a model.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results already in the folder.")] = False,
) -> None:
    """Edit a radiograph of an archive, and store the results in its study, in series of their own.

    Stored are the edit, the guidance mask (Segmentation), the guidance map (Parametric Map) and the panel (Secondary
    Capture), marked as synthetic; patient and study stay, series and instances are new. All are stored or none, nothing
    else in the archive changes, and the same edit is not stored twice. On this machine only --out keeps anything.

    Example: x2x dicomweb edit "Add the finding of moderate left pleural effusion." --study 1.2.840.1
    """
    from x2x_core.archive.edit_files import RESULTS, encode_edit
    from x2x_core.archive.edit_record import EditCall
    from x2x_core.archive.guidance_objects import check_library
    from x2x_core.archive.keep_mask import KeepMaskFile
    from x2x_core.archive.remote.films import fetch_film
    from x2x_core.archive.remote.storing import outgoing, store
    from x2x_core.archive.settings import KEEP, DicomSettings
    from x2x_core.archive.writing import FILES
    from x2x_core.common.notes import Notes
    from x2x_core.common.storage import write_files
    from x2x_core.imaging.files import read_image

    place, objects = place_of(study, series, instance), _objects(leave_out or [])
    written = DicomSettings(KEEP, burn_in=burn_in, series_description=series_description)
    check_library()
    opened = connect(ctx, archive)
    with tempfile.TemporaryDirectory(prefix="x2x-archive-") as scratch, Notes() as notes:
        with progress_bar("Fetching") as update:
            path = fetch_film(opened, place, Path(scratch) / "film", update)
        radiograph = read_image(path)
        instruction = read_instruction(radiograph, prompt, settings)
        kept = None if keep_mask is None else KeepMaskFile.read(keep_mask, radiograph.size)
        call = EditCall(prompt, seed, model, settings.arguments(), kept)
        typer.echo(f"Radiograph: {path.stem}")
        if dry_run:
            typer.echo(str(with_place(instruction, call, pseudomasks).explain()))
            return
        folder = None if out is None else fresh_folder(out, (*RESULTS, *FILES), overwrite)
        finished, record = make_edit(radiograph, call, Resources(pseudomasks, device, dtype), notes)
        files = encode_edit(finished, radiograph, record, written)
    if folder is not None:
        write_files(folder, files)
    print_edit(finished, record)
    print_stored(store(opened, outgoing({name: files[name] for name in objects})))


def _objects(leave_out: list[str]) -> list[str]:
    """Return the names of the objects to store.

    Raises:
        InputError: one to leave out that is unknown, or the edit itself.
    """
    from x2x_core.archive.writing import EDITED, FILES
    from x2x_core.common.errors import InputError

    names = [name.removesuffix(".dcm") for name in FILES]
    for role in leave_out:
        if role not in names or role == EDITED:
            others = ", ".join(name for name in names if name != EDITED)
            raise InputError(f"`leave_out` must be one of {others}, got {role!r}.")
    return [f"{name}.dcm" for name in names if name not in leave_out]
