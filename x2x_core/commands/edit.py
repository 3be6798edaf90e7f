"""`x2x edit`: edit one radiograph by an instruction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .loading import load_pipeline, model_folder
from .outputs import fresh_folder, numbered_folder, save_picture
from .progress import progress_bar

RESULTS = ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png", "result.json")


def edit(
    image: Annotated[Path, typer.Argument(help="The radiograph: DICOM, PNG, JPEG, TIFF, BMP or WebP, 8 or 16-bit.")],
    prompt: Annotated[str, typer.Argument(help='What to edit: "Add the finding of moderate left pleural effusion."')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results; it is made.")] = Path("out"),
    model: Annotated[
        str, typer.Option(help='"demo", a folder in diffusers layout, or a Hugging Face repository "owner/name".')
    ] = "demo",
    steps: Annotated[int | None, typer.Option(help="Steps of denoising. [default: the model's]")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes on the same machine.")] = 0,
    mask_threshold: Annotated[
        float | None, typer.Option(help="Guidance from which the image may change, 0 to 1. [default: the model's]")
    ] = None,
    mask_rule: Annotated[
        str | None, typer.Option(help="From guidance to mask: threshold or adaptive. [default: the model's]")
    ] = None,
    relevance_samples: Annotated[
        int | None, typer.Option(help="Noise draws of the relevance map, at each level. [default: the model's]")
    ] = None,
    relevance_noise_level: Annotated[
        list[float] | None,
        typer.Option(help="Noise level of the relevance map, 0 to 1; again for more of them. [default: the model's]"),
    ] = None,
    edit_strength: Annotated[
        float | None, typer.Option(help="How much of the edit is laid over the image, 0 to 1. [default: 1]")
    ] = None,
    guidance_scale: Annotated[
        float | None, typer.Option(help="How strongly the instruction is followed. [default: the model's]")
    ] = None,
    image_guidance_scale: Annotated[
        float | None, typer.Option(help="How strongly the image is followed. [default: the model's]")
    ] = None,
    relevance_source: Annotated[
        str | None,
        typer.Option(help="What the relevance map is read from: noise, attention or both. [default: noise]"),
    ] = None,
    attention_gating: Annotated[
        bool, typer.Option("--attention-gating", help="Attention follows the instruction inside the mask only.")
    ] = False,
    pseudomasks: Annotated[
        Path | None, typer.Option(help="Atlas file or folder of pseudomasks. [default: the one that ships]")
    ] = None,
    align: Annotated[
        bool | None,
        typer.Option("--align/--no-align", help="Lay pseudomasks over this patient's lungs. [default: on]"),
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="The published code's arithmetic and settings.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps. [default: the best there is]")] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float32, float16 or bfloat16. [default: float16 on CUDA, else float32]")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are already in the folder.")
    ] = False,
    new_folder: Annotated[bool, typer.Option("--new-folder", help="Make a new numbered folder inside -o.")] = False,
) -> None:
    """Edit a radiograph by an instruction, only where the instruction is about.

    Writes edited.png (the size and bit depth of the input), guidance_map.png (in red where the model was led to change the
    image), guidance_mask.png (white where it could change), panel.png (before, guidance, after, difference) and
    result.json (the instruction as understood, the fit to the
    patient's lungs, settings, hashes, shares).

    Example: x2x edit chest.png "Add the finding of moderate right pleural effusion." -o result
    """
    from x2x_core import Instruction
    from x2x_core.common.notes import Notes
    from x2x_core.edit.settings import resolve_settings
    from x2x_core.imaging.files import read_image

    radiograph = read_image(image)  # everything that can be wrong with the input is found before the model loads
    notes = Notes()
    with notes:
        Instruction.parse(prompt)
    folder = fresh_folder(numbered_folder(out) if new_folder else out, RESULTS, overwrite)
    pipeline = load_pipeline(model, None if pseudomasks is None else str(pseudomasks), device, dtype)
    given = {
        "num_inference_steps": steps,
        "mask_threshold": mask_threshold,
        "mask_rule": mask_rule,
        "relevance_samples": relevance_samples,
        "relevance_noise_level": relevance_noise_level or None,
        "edit_strength": edit_strength,
        "guidance_scale": guidance_scale,
        "image_guidance_scale": image_guidance_scale,
        "relevance_source": relevance_source,
        "attention_gating": attention_gating,
        "align": align,
        "reference": reference,
    }
    settings = resolve_settings(given, pipeline.config, reference)
    with notes:
        result = _run(pipeline, radiograph.pixels, prompt, seed, given, settings.num_inference_steps)
    edited = _like(result.images, radiograph.pixels)
    record = _record(pipeline, result, edited, radiograph, prompt, seed, settings, model, notes.lines)
    _write(folder, radiograph, result, edited, record)
    typer.echo(f"Understood: {record['instruction']['canonical']}")
    typer.echo(f"Editable {record['editable_share']:.1%} of the image, changed {record['changed_share']:.1%}.")
    for name in RESULTS:
        typer.echo(str(folder / name))


def _run(pipeline, pixels, prompt: str, seed: int, given: dict[str, Any], total: int):
    import torch

    with progress_bar("Editing") as update:
        update(0, total)

        def step_done(pipe, step, timestep, tensors):
            update(step + 1, total)
            return {}

        return pipeline(
            pixels,
            prompt,
            generator=torch.Generator().manual_seed(seed),
            output_type="pt",
            callback_on_step_end=step_done,
            **{name: value for name, value in given.items() if value is not None},
        )


def _record(pipeline, result, edited, radiograph, prompt, seed, settings, model, warnings) -> dict[str, Any]:
    """What result.json says."""
    from dataclasses import asdict

    from x2x_core.imaging.provenance import SYNTHETIC_NOTICE, sha256_file, sha256_weights, versions

    folder = model_folder(model)
    changed = (edited != radiograph.pixels).any(1)
    return {
        "synthetic": True,
        "notice": SYNTHETIC_NOTICE,
        "prompt": prompt,
        "instruction": result.instructions[0].as_dict(),
        "alignment": result.alignments[0].as_dict() if result.alignments and result.alignments[0] else None,
        "settings": asdict(settings.settled(result.instructions[0])),
        "seed": seed,
        "model": model,
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
        "device": str(pipeline.device),
        "dtype": str(pipeline.dtype).removeprefix("torch."),
        "editable_share": float(result.guidance_mask.float().mean()),
        "changed_share": float(changed.float().mean()),
        "warnings": warnings,
        "versions": versions(),
    }


def _like(images, pixels):
    """The edited image with the input's channels, on the CPU."""
    edited = images.detach().cpu().float()
    return edited if edited.shape[1] >= pixels.shape[1] else edited.expand_as(pixels)


def _write(folder: Path, radiograph, result, edited, record: dict[str, Any]) -> None:
    from x2x_core.imaging.files import write_png
    from x2x_core.imaging.overlay import guidance_overlay, panel
    from x2x_core.imaging.provenance import synthetic_metadata

    kept = ("prompt", "settings", "seed", "model", "weights_sha256", "input", "versions")
    parameters = {name: record[name] for name in kept}
    notice = synthetic_metadata(parameters)
    write_png(folder / "edited.png", edited, radiograph.bit_depth, notice)
    write_png(folder / "guidance_mask.png", result.guidance_mask.float(), 8, notice)
    overlay = guidance_overlay(radiograph.pixels, result.guidance_map)
    save_picture(folder / "guidance_map.png", overlay, parameters)
    title = record["instruction"]["text"]
    picture = panel(radiograph.pixels, result.guidance_map, result.guidance_mask, edited, title)
    save_picture(folder / "panel.png", picture, parameters, dpi=(300, 300))
    (folder / "result.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
