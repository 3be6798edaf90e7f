"""`x2x edit`: edit a radiograph from an instruction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .edit_candidates import CandidateOptions, candidates_record, encode_candidates, print_candidates
from .editing import Resources, make_judged_edit, print_edit, read_instruction, with_place
from .options import Device, Dtype, Model, Pseudomasks, Seed, SignCertificate, SignKey
from .outputs import fresh_folder, numbered_folder
from .setting_options import EditOptions

if TYPE_CHECKING:
    from x2x_core.archive.settings import DicomSettings
    from x2x_core.imaging.files import Radiograph


Dicom = Annotated[
    bool | None,
    typer.Option("--dicom/--no-dicom", help="Write DICOM files too.", show_default="on for a DICOM input"),
]
Identifiers = Annotated[
    str | None,
    typer.Option(
        help="Identifiers and dates in DICOM results: remove; replace, by pseudonyms and shifted dates from the secret "
        "in the environment variable X2X_PSEUDONYM_KEY; or keep, to store the result beside the input.",
        show_default="remove",
    ),
]
NewStudy = Annotated[bool, typer.Option("--new-study", help="With --identifiers keep, write to a study of its own.")]
BurnIn = Annotated[
    bool, typer.Option("--burn-in", help="Write the synthetic mark into the pixels of the DICOM result.")
]
KeepMask = Annotated[
    Path | None,
    typer.Option(help="Picture of the input's size; what is not black in it stays as it is, a pacemaker for example."),
]
SeriesDescription = Annotated[
    str | None, typer.Option(help="Series description of the DICOM result.", show_default="Synthetic: edit")
]


def edit(
    *,
    image: Annotated[Path, typer.Argument(help="The radiograph: DICOM, PNG, JPEG, TIFF, BMP or WebP, 8 or 16 bits.")],
    prompt: Annotated[
        str, typer.Argument(help='The instruction: "Add the finding of moderate left pleural effusion."')
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results; created if needed.")] = Path("out"),
    model: Model = "demo",
    seed: Seed = 0,
    settings: EditOptions,
    pseudomasks: Pseudomasks = None,
    keep_mask: KeepMask = None,
    dicom: Dicom = None,
    identifiers: Identifiers = None,
    new_study: NewStudy = False,
    burn_in: BurnIn = False,
    series_description: SeriesDescription = None,
    sign_key: SignKey = None,
    sign_certificate: SignCertificate = None,
    candidates: CandidateOptions,
    device: Device = None,
    dtype: Dtype = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Explain what the edit would do, and stop without a model.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results already in the folder.")] = False,
    new_folder: Annotated[
        bool, typer.Option("--new-folder", help="Write to a new numbered folder inside the one of -o.")
    ] = False,
) -> None:
    """Edit a radiograph from an instruction, changing only the region the instruction refers to.

    Writes edited.png (size and bit depth of the input), guidance_map.png (the guidance map in red), guidance_mask.png
    (white where pixels could change), panel.png (input, guidance map, edit, difference) and result.json (the
    instruction as understood, fit to the patient's lungs, crop, settings, hashes of input and weights, editable and
    changed share). From a DICOM file also edited.dcm (the input's pixel grid, bit depth and grey scale),
    guidance_mask.dcm (Segmentation), guidance_map.dcm (Parametric Map) and panel.dcm (Secondary Capture).

    With --candidates, several seeds are edited and judged; the best is the result, and candidate-SEED.png shows each.

    Example: x2x edit chest.png "Add the finding of moderate right pleural effusion." -o result
    """
    from x2x_core.archive.credentials.key import SigningFiles
    from x2x_core.archive.credentials.signing import Signer
    from x2x_core.archive.edit_files import RESULTS, encode_edit
    from x2x_core.archive.edit_record import EditCall
    from x2x_core.archive.keep_mask import KeepMaskFile
    from x2x_core.archive.writing import FILES as DICOM_RESULTS
    from x2x_core.common.notes import Notes
    from x2x_core.common.storage import write_files
    from x2x_core.imaging.files import read_image

    radiograph = read_image(image)  # input errors surface before the model is loaded
    candidates.check(dry_run)
    choices = {"identifiers": identifiers, "new_study": new_study, "burn_in": burn_in}
    archive = _archive_settings(radiograph, dicom, {**choices, "series_description": series_description})
    names = (*RESULTS, *DICOM_RESULTS) if archive else RESULTS
    signer = Signer.load(SigningFiles.choose(sign_key, sign_certificate))
    with Notes() as notes:
        instruction = read_instruction(radiograph, prompt, settings)
    kept = None if keep_mask is None else KeepMaskFile.read(keep_mask, radiograph.size)
    call = EditCall(prompt, seed, model, settings.arguments(), kept)
    if dry_run:
        typer.echo(str(with_place(instruction, call, pseudomasks).explain()))
        return
    written = (*names, *candidates.files(seed))
    folder = fresh_folder(numbered_folder(out) if new_folder else out, written, overwrite)
    verifier = candidates.verifier(device)
    resources = Resources(pseudomasks, device, dtype)
    finished, record, found = make_judged_edit(radiograph, call, resources, notes, candidates.number, verifier)
    record = {**record, **candidates_record(found, verifier)}
    files = encode_edit(finished, radiograph, record, archive, signer)
    write_files(folder, {**files, **encode_candidates(found, radiograph, record)}, may_replace=overwrite)
    print_edit(finished, record)
    print_candidates(found)
    for name in written:
        typer.echo(str(folder / name))


def _archive_settings(radiograph: Radiograph, dicom: bool | None, choices: dict[str, Any]) -> DicomSettings | None:
    """Return how DICOM results are written, `None` if none are.

    Raises:
        InputError: a choice without DICOM results, or an unusable one.
        MissingExtraError: a library is missing.
    """
    import os

    from x2x_core.archive.guidance_objects import check_library
    from x2x_core.archive.settings import KEY_VARIABLE, DicomSettings
    from x2x_core.common.errors import InputError, MissingExtraError
    from x2x_core.imaging.kinds import DICOM

    given = {name: value for name, value in choices.items() if value not in (None, False)}
    if dicom and radiograph.kind != DICOM:
        raise InputError("`dicom=True` requires a DICOM input: other files have no study that a result belongs to.")
    if dicom is False or radiograph.kind != DICOM:
        if given:
            raise InputError(f"`{next(iter(given))}` is for DICOM results, and this edit writes none: leave it out.")
        return None
    settings = DicomSettings(**given, key=os.environ.get(KEY_VARIABLE, ""))
    try:
        check_library()
    except MissingExtraError as error:
        raise MissingExtraError(f"{error} Or leave the DICOM results out: add --no-dicom.") from error
    return settings
