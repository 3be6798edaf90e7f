"""`x2x edit`: edit a radiograph from an instruction."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .loading import load_pipeline, model_folder
from .options import Device, Dtype, Model, Pseudomasks, Seed, Strict
from .outputs import fresh_folder, numbered_folder, save_picture
from .progress import progress_bar

if TYPE_CHECKING:
    import torch

    from x2x_core import Instruction, InstructX2XPipeline, InstructX2XPipelineOutput
    from x2x_core.anatomy.alignment import Alignment
    from x2x_core.archive.settings import DicomSettings
    from x2x_core.edit.settings import EditSettings
    from x2x_core.imaging.crop_window import CropWindow
    from x2x_core.imaging.files import Radiograph

RESULTS = ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png", "result.json")
DICOM_RESULTS = tuple(name.replace(".png", ".dcm") for name in RESULTS if name.endswith(".png"))


def _read_margin(text: str) -> int:
    """Read the margin of a crop; False for "off"."""
    if text == "off":
        return False
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be a whole number or off, got {text!r}.") from None


Steps = Annotated[int | None, typer.Option(help="Denoising steps.", show_default="the model's")]
MaskThreshold = Annotated[
    float | None,
    typer.Option(
        help="Threshold of the guidance map above which pixels may change, 0 to 1.", show_default="the model's"
    ),
]
MaskRule = Annotated[
    str | None, typer.Option(help="Rule from guidance map to mask: threshold or adaptive.", show_default="the model's")
]
RelevanceSamples = Annotated[
    int | None, typer.Option(help="Noise draws per noise level of the relevance map.", show_default="the model's")
]
RelevanceNoiseLevel = Annotated[
    list[float] | None,
    typer.Option(help="Noise level of the relevance map, 0 to 1; repeat it for several.", show_default="the model's"),
]
EditStrength = Annotated[
    float | None, typer.Option(help="Opacity of the edit over the input, 0 to 1.", show_default="1")
]
GuidanceScale = Annotated[
    float | None, typer.Option(help="Weight of the instruction (classifier-free guidance).", show_default="the model's")
]
ImageGuidanceScale = Annotated[
    float | None, typer.Option(help="Weight of the input image (classifier-free guidance).", show_default="the model's")
]
RelevanceSource = Annotated[
    str | None, typer.Option(help="Source of the relevance map: noise, attention or both.", show_default="noise")
]
AttentionGating = Annotated[
    bool, typer.Option("--attention-gating", help="Restrict cross-attention to the instruction to the mask.")
]
Composition = Annotated[
    str | None,
    typer.Option(
        help="How the edit is combined with the input: difference, saturating or decoded.", show_default="the model's"
    ),
]
Align = Annotated[
    bool | None,
    typer.Option("--align/--no-align", help="Fit the pseudomasks to this patient's lungs.", show_default="on"),
]
DrawPlace = Annotated[
    bool | None,
    typer.Option(
        "--draw-place/--no-draw-place",
        help="Draw a side and zone of a finding to add if the instruction names none.",
        show_default="on",
    ),
]
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
SeriesDescription = Annotated[
    str | None, typer.Option(help="Series description of the DICOM result.", show_default="Synthetic: edit")
]
PaddingMaskCrop = Annotated[
    int | None,
    typer.Option(
        parser=_read_margin,
        metavar="INTEGER|off",
        help="Compute the edit on a crop around the region, with this margin in pixels of the model's canvas.",
        show_default="the model's",
    ),
]
KeepMask = Annotated[
    Path | None,
    typer.Option(help="Picture of the input's size; what is not black in it stays as it is, a pacemaker for example."),
]
Reference = Annotated[bool, typer.Option("--reference", help="Reproduce the published code exactly.")]


def edit(
    image: Annotated[Path, typer.Argument(help="The radiograph: DICOM, PNG, JPEG, TIFF, BMP or WebP, 8 or 16 bits.")],
    prompt: Annotated[
        str, typer.Argument(help='The instruction: "Add the finding of moderate left pleural effusion."')
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results; created if needed.")] = Path("out"),
    model: Model = "demo",
    steps: Steps = None,
    seed: Seed = 0,
    mask_threshold: MaskThreshold = None,
    mask_rule: MaskRule = None,
    relevance_samples: RelevanceSamples = None,
    relevance_noise_level: RelevanceNoiseLevel = None,
    edit_strength: EditStrength = None,
    guidance_scale: GuidanceScale = None,
    image_guidance_scale: ImageGuidanceScale = None,
    relevance_source: RelevanceSource = None,
    attention_gating: AttentionGating = False,
    composition: Composition = None,
    pseudomasks: Pseudomasks = None,
    align: Align = None,
    draw_place: DrawPlace = None,
    padding_mask_crop: PaddingMaskCrop = None,
    keep_mask: KeepMask = None,
    reference: Reference = False,
    dicom: Dicom = None,
    identifiers: Identifiers = None,
    new_study: NewStudy = False,
    burn_in: BurnIn = False,
    series_description: SeriesDescription = None,
    device: Device = None,
    dtype: Dtype = None,
    strict: Strict = True,
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

    Example: x2x edit chest.png "Add the finding of moderate right pleural effusion." -o result
    """
    from x2x_core.common.notes import Notes
    from x2x_core.imaging.files import read_image
    from x2x_core.language.open_places import write_drawn

    settings = {
        "num_inference_steps": steps,
        "mask_threshold": mask_threshold,
        "mask_rule": mask_rule,
        "relevance_samples": relevance_samples,
        "relevance_noise_level": relevance_noise_level or None,
        "edit_strength": edit_strength,
        "guidance_scale": guidance_scale,
        "image_guidance_scale": image_guidance_scale,
        "relevance_source": relevance_source,
        "attention_gating": attention_gating or None,
        "composition": composition,
        "align": align,
        "draw_place": draw_place,
        "padding_mask_crop": padding_mask_crop,
        "reference": reference or None,
        "strict": None if strict else False,
    }
    radiograph = read_image(image)  # input errors surface before the model is loaded
    choices = {"identifiers": identifiers, "new_study": new_study, "burn_in": burn_in}
    archive = _archive_settings(radiograph, dicom, {**choices, "series_description": series_description})
    names = (*RESULTS, *DICOM_RESULTS) if archive else RESULTS
    with Notes() as notes:
        instruction = _read(radiograph, prompt, reference, strict)
    settings["keep_mask"] = None if keep_mask is None else _read_keep_mask(keep_mask, radiograph.size)
    arguments = {name: value for name, value in settings.items() if value is not None}
    call = _Call(prompt, seed, model, arguments, keep_mask)
    if dry_run:
        typer.echo(str(_placed(instruction, call, pseudomasks).explain()))
        return
    folder = fresh_folder(numbered_folder(out) if new_folder else out, names, overwrite)
    pipeline = load_pipeline(model, None if pseudomasks is None else str(pseudomasks), device, dtype)
    with notes:
        finished = _run(pipeline, radiograph, call)
    record = _record(finished, radiograph, call, notes.lines)
    _write(folder, finished, radiograph, record, archive)
    typer.echo(f"Understood: {record['instruction']['canonical']}")
    if finished.instruction.drawn:
        typer.echo(write_drawn(finished.instruction.drawn))
    if finished.window:
        typer.echo(f"Computed on a crop of {finished.window}.")
    typer.echo(f"Editable {record['editable_share']:.1%} of the image, changed {record['changed_share']:.1%}.")
    for name in names:
        typer.echo(str(folder / name))


def _read_keep_mask(path: Path, size: tuple[int, int]) -> torch.Tensor:
    """Read a keep mask `(1, 1, H, W)` bool of the input's size.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: no picture, or one of another size.
    """
    from PIL import Image, UnidentifiedImageError

    from x2x_core.common.errors import InputError, InputNotFoundError
    from x2x_core.pseudomasks.given import as_keep_mask

    try:
        with Image.open(path) as picture:
            return as_keep_mask(picture, size)
    except FileNotFoundError:
        raise InputNotFoundError(
            f"`keep_mask` must be a picture of the input's size, but there is no file `{path}`."
        ) from None
    except UnidentifiedImageError:
        raise InputError(f"`keep_mask` must be a picture, such as a PNG file, but `{path}` is none.") from None


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


def _read(radiograph: Radiograph, prompt: str, reference: bool, strict: bool) -> Instruction:
    """Return the instruction as the edit reads it."""
    from x2x_core.edit.reading import read_pictures, read_subject

    radiographs = read_pictures(radiograph.pixels, 4, 8, reference).radiographs
    subject = read_subject([prompt], radiographs, 1, reference=reference, region_given=False, strict=strict)
    return subject.instructions[0]


def _placed(instruction: Instruction, call: _Call, pseudomasks: Path | None) -> Instruction:
    """Return the instruction with the place that the edit draws; unchanged for a model of the hub, not read here."""
    import torch

    from x2x_core.edit.loading import locate_checkpoint, read_index
    from x2x_core.edit.places import draw_places
    from x2x_core.edit.reading import Subject
    from x2x_core.edit.saved_pseudomasks import as_atlas, saved_pseudomasks
    from x2x_core.edit.settings import resolve_settings
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    folder, local = locate_checkpoint(call.model)
    if not local:
        return instruction
    index = read_index(folder)
    if not resolve_settings(call.arguments, index, call.arguments.get("reference", False)).draw_place:
        return instruction
    atlas = as_atlas(pseudomasks) or saved_pseudomasks(index, folder) or PseudomaskAtlas.bundled()
    generator = torch.Generator().manual_seed(call.seed)
    return draw_places(Subject([(0, 0)], [instruction], 1), atlas, generator).instructions[0]


@dataclass(frozen=True)
class _Call:
    """The arguments of a run that result.json records."""

    prompt: str
    seed: int
    model: str
    arguments: dict[str, Any]  # of the pipeline, those that the user gave
    keep_mask: Path | None = None  # the file of `arguments["keep_mask"]`


@dataclass(frozen=True)
class _Finished:
    """An edit with the settings that it was made with."""

    edited: torch.Tensor  # (1, C, H, W) float32 in [0, 1] on the CPU, with the input's channels
    guidance_map: torch.Tensor  # (1, 1, H, W) in [0, 1]
    guidance_mask: torch.Tensor  # (1, 1, H, W) bool
    instruction: Instruction
    alignment: Alignment | None
    window: CropWindow | None  # the crop that the edit was computed on
    settings: EditSettings
    device: str
    dtype: str


def _run(pipeline: InstructX2XPipeline, radiograph: Radiograph, call: _Call) -> _Finished:
    """Edit the radiograph behind a progress bar."""
    from x2x_core.edit.settings import resolve_settings

    settings = resolve_settings(call.arguments, pipeline.config, call.arguments.get("reference", False))
    with progress_bar("Editing") as update:
        update(0, settings.num_inference_steps)

        def report_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            update(step + 1, settings.num_inference_steps)
            return {}

        output = pipeline(
            radiograph.pixels,
            call.prompt,
            generator=call.seed,
            output_type="pt",
            callback_on_step_end=report_step,
            **call.arguments,
        )
    return _finish(output, radiograph, settings, pipeline)


def _finish(
    output: InstructX2XPipelineOutput, radiograph: Radiograph, settings: EditSettings, pipeline: InstructX2XPipeline
) -> _Finished:
    """Collect the results of one edit."""
    import torch

    assert isinstance(output.images, torch.Tensor) and output.instructions
    assert output.guidance_map is not None and output.guidance_mask is not None
    edited = output.images.detach().cpu().float()
    if edited.shape[1] < radiograph.pixels.shape[1]:
        edited = edited.expand_as(radiograph.pixels)
    return _Finished(
        edited,
        output.guidance_map,
        output.guidance_mask,
        output.instructions[0],
        output.alignments[0] if output.alignments else None,
        output.windows[0] if output.windows else None,
        settings,
        str(pipeline.device),
        str(pipeline.dtype).removeprefix("torch."),
    )


def _record(finished: _Finished, radiograph: Radiograph, call: _Call, warnings: list[str]) -> dict[str, Any]:
    """Return the content of result.json."""
    from x2x_core.imaging.provenance import SYNTHETIC_NOTICE, sha256_file, sha256_weights, versions

    folder = model_folder(call.model)
    instruction, alignment = finished.instruction, finished.alignment
    changed = (finished.edited != radiograph.pixels).any(1)
    return {
        "synthetic": True,
        "notice": SYNTHETIC_NOTICE,
        "prompt": call.prompt,
        "instruction": {**instruction.as_dict(), "explained": instruction.explain().as_dict()},
        "alignment": alignment.as_dict() if alignment else None,
        "window": finished.window.as_dict() if finished.window else None,
        "settings": asdict(finished.settings.settled(instruction)),
        "keep_mask": None if call.keep_mask is None else _record_keep_mask(call),
        "seed": call.seed,
        "model": call.model,
        "weights_sha256": sha256_weights(folder) if folder else None,
        "input": {
            "file": radiograph.record_name,
            "kind": radiograph.kind,
            "sha256": sha256_file(radiograph.path),
            "height": radiograph.size[0],
            "width": radiograph.size[1],
            "bit_depth": radiograph.bit_depth,
            "notes": list(radiograph.notes),
        },
        "device": finished.device,
        "dtype": finished.dtype,
        "editable_share": float(finished.guidance_mask.float().mean()),
        "changed_share": float(changed.float().mean()),
        "warnings": warnings,
        "versions": versions(),
    }


def _record_keep_mask(call: _Call) -> dict[str, Any]:
    from x2x_core.imaging.provenance import sha256_file

    assert call.keep_mask is not None
    kept = float(call.arguments["keep_mask"].float().mean())
    return {"file": call.keep_mask.name, "sha256": sha256_file(call.keep_mask), "share": kept}


def _write(
    folder: Path,
    finished: _Finished,
    radiograph: Radiograph,
    record: dict[str, Any],
    archive: DicomSettings | None,
) -> None:
    """Write the pictures, the DICOM results and result.json."""
    from x2x_core.archive.writing import Results, write_dicom
    from x2x_core.imaging.files import to_values, write_png
    from x2x_core.imaging.overlay import guidance_overlay
    from x2x_core.imaging.panel import panel
    from x2x_core.imaging.provenance import Proof, synthetic_metadata

    title = record["instruction"]["text"]
    picture = panel(radiograph.pixels, finished.guidance_map, finished.guidance_mask, finished.edited, title)
    recorded = ("prompt", "settings", "seed", "model", "weights_sha256", "input", "versions")
    parameters = {name: record[name] for name in recorded}
    if Path(record["model"]).exists():  # pictures travel, and the path of a folder can name a user
        parameters["model"] = Path(record["model"]).resolve().name
    guidance_map, guidance_mask, depth = finished.guidance_map, finished.guidance_mask, radiograph.bit_depth
    if archive is not None:  # first: if it fails, nothing is left in the folder
        results = Results(finished.edited, guidance_map.cpu(), guidance_mask.cpu(), picture)
        write_dicom(folder, radiograph.path, results, record["prompt"], parameters, archive)
    before, after = (to_values(pixels, depth) for pixels in (radiograph.pixels, finished.edited))
    proof = Proof(after, before, guidance_mask[0, 0].cpu().numpy())
    write_png(folder / "edited.png", finished.edited, depth, synthetic_metadata(parameters, proof))
    white = guidance_mask.float()
    notice = synthetic_metadata(parameters, Proof(to_values(white, 8)))
    write_png(folder / "guidance_mask.png", white, 8, notice)
    overlay = guidance_overlay(radiograph.pixels, guidance_map)
    save_picture(folder / "guidance_map.png", overlay, parameters)
    save_picture(folder / "panel.png", picture, parameters, dpi=(300, 300))
    (folder / "result.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
