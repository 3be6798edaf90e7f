"""The steps of an edit that several commands share: reading the instruction, the edit itself, its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .loading import load_pipeline, model_folder
from .progress import progress_bar
from .setting_options import EditOptions

if TYPE_CHECKING:
    from x2x_core import Instruction, InstructX2XPipeline
    from x2x_core.archive.edit_record import EditCall, FinishedEdit
    from x2x_core.candidates import Candidates, Verifier
    from x2x_core.common.notes import Notes
    from x2x_core.imaging.radiograph import Radiograph


@dataclass(frozen=True)
class Resources:
    """Choices of what an edit runs on."""

    pseudomasks: Path | None
    device: str | None
    dtype: str | None


def make_edit(
    radiograph: Radiograph, call: EditCall, resources: Resources, notes: Notes
) -> tuple[FinishedEdit, dict[str, Any]]:
    """Load the model and edit behind a progress bar; return the edit and its record.

    Args:
        radiograph: what to edit.
        call: how.
        resources: see `Resources`.
        notes: warnings so far, to which those of the edit are added.
    """
    finished, record, _ = make_judged_edit(radiograph, call, resources, notes)
    return finished, record


def make_judged_edit(
    radiograph: Radiograph,
    call: EditCall,
    resources: Resources,
    notes: Notes,
    number: int | None = None,
    verifier: Verifier | None = None,
) -> tuple[FinishedEdit, dict[str, Any], Candidates | None]:
    """Load the model and edit behind a progress bar; return the best edit, its record and all candidates.

    Args:
        radiograph: what to edit.
        call: how; the record names the seed of the best candidate.
        resources: see `Resources`.
        notes: warnings so far, to which those of the edit are added.
        number: of candidates; ``None``: a plain edit, which has none.
        verifier: judges the candidates.
    """
    from x2x_core.archive.edit_record import edit_record
    from x2x_core.imaging.provenance import sha256_weights

    atlas = None if resources.pseudomasks is None else str(resources.pseudomasks)
    pipeline = load_pipeline(call.model, atlas, resources.device, resources.dtype)
    with notes:
        finished, found = _run(pipeline, radiograph, call, number, verifier)
    if found is not None:
        call = replace(call, seed=found.best.seed)
    weights = model_folder(call.model)
    record = edit_record(finished, radiograph, call, sha256_weights(weights) if weights else None, notes.lines)
    return finished, record, found


def print_edit(finished: FinishedEdit, record: Mapping[str, Any]) -> None:
    """Print what was understood and how much of the image changed."""
    from x2x_core.language.open_places import write_drawn

    typer.echo(f"Understood: {record['instruction']['canonical']}")
    if finished.instruction.drawn:
        typer.echo(write_drawn(finished.instruction.drawn))
    if finished.window:
        typer.echo(f"Computed on a crop of {finished.window}.")
    typer.echo(f"Editable {record['editable_share']:.1%} of the image, changed {record['changed_share']:.1%}.")
    if finished.change:
        typer.echo(finished.change.sentence())


def read_instruction(radiograph: Radiograph, prompt: str, settings: EditOptions) -> Instruction:
    """Return the instruction as the edit reads it."""
    from x2x_core.edit.reading import read_pictures, read_subject

    radiographs = read_pictures(radiograph.pixels, 4, 8, settings.reference).radiographs
    subject = read_subject(
        [prompt], radiographs, 1, reference=settings.reference, region_given=False, strict=settings.strict
    )
    return subject.instructions[0]


def with_place(instruction: Instruction, call: EditCall, pseudomasks: Path | None) -> Instruction:
    """Return the instruction with the place that the edit draws; unchanged for a model of the hub, not read here."""
    import torch

    from x2x_core.edit.loading import locate_checkpoint, read_index
    from x2x_core.edit.places import draw_places
    from x2x_core.edit.reading import Subject
    from x2x_core.edit.saved_pseudomasks import as_atlas, saved_pseudomasks
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    folder, local = locate_checkpoint(call.model)
    if not local:
        return instruction
    index = read_index(folder)
    if not call.settings(index).draw_place:
        return instruction
    atlas = as_atlas(pseudomasks) or saved_pseudomasks(index, folder) or PseudomaskAtlas.bundled()
    generator = torch.Generator().manual_seed(call.seed)
    return draw_places(Subject([(0, 0)], [instruction], 1), atlas, generator).instructions[0]


def _run(
    pipeline: InstructX2XPipeline, radiograph: Radiograph, call: EditCall, number: int | None, verifier: Verifier | None
) -> tuple[FinishedEdit, Candidates | None]:
    """Edit the radiograph behind a progress bar; with a number of candidates, return the best and all of them."""
    from x2x_core.archive.edit_record import finish_edit, run_edit

    settings = call.settings(pipeline.config)
    with progress_bar("Editing") as update:
        update(0, settings.num_inference_steps)

        def report_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            update(step + 1, settings.num_inference_steps)
            return {}

        if number is None:
            return run_edit(pipeline, radiograph, call, settings, callback_on_step_end=report_step), None
        from x2x_core.candidates import edit_candidates

        found = edit_candidates(
            pipeline, radiograph.pixels, call.prompt, num_candidates=number, seed=call.seed, verifier=verifier,
            output_type="pt", callback_on_step_end=report_step, **call.given(),
        )  # fmt: skip
        return finish_edit(pipeline, radiograph, found.output, settings, found.best.number), found
