"""An edit with everything that its record needs, and the record: the content of `result.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from x2x_core.edit.loading import BUNDLED_MODELS, locate_checkpoint
from x2x_core.edit.saved_pseudomasks import own_digest
from x2x_core.edit.settings import EditSettings, resolve_settings
from x2x_core.imaging.provenance import SYNTHETIC_NOTICE, sha256_file, versions

from .keep_mask import KeepMaskFile

if TYPE_CHECKING:  # the pipeline takes seconds to import, and input errors come before
    from x2x_core.anatomy.alignment import Alignment
    from x2x_core.anatomy.change import Change
    from x2x_core.edit.outputs import InstructX2XPipelineOutput
    from x2x_core.edit.prepared import PreparedImage
    from x2x_core.imaging.crop_window import CropWindow
    from x2x_core.imaging.radiograph import Radiograph
    from x2x_core.language.instruction import Instruction
    from x2x_core.pipeline import InstructX2XPipeline

# Entries of a record that pictures and DICOM objects carry, too.
_CARRIED = ("prompt", "settings", "seed", "model", "weights_sha256", "input", "versions")


@dataclass(frozen=True)
class EditCall:
    """The arguments of an edit that its record names."""

    prompt: str
    seed: int
    model: str  # as it was given: "demo", a folder or a repository of the hub
    arguments: Mapping[str, Any]  # settings of the pipeline's call, those that the caller gave
    keep_mask: KeepMaskFile | None = None

    def settings(self, config: Mapping[str, Any]) -> EditSettings:
        """Return the settings that the edit runs with.

        Args:
            config: the pipeline's.
        """
        return resolve_settings(self.arguments, config, bool(self.arguments.get("reference")))

    def given(self) -> dict[str, Any]:
        """Return the arguments of the pipeline's call besides image, prompt and seed."""
        kept = {} if self.keep_mask is None else {"keep_mask": self.keep_mask.mask}
        return {**self.arguments, **kept}


@dataclass(frozen=True)
class FinishedEdit:
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
    change: Change | None = None  # what changed and where, read off the pixels; None: not known
    pseudomasks_sha256: str | None = None  # of an atlas that is not the bundled one


def run_edit(
    pipeline: InstructX2XPipeline,
    radiograph: Radiograph,
    call: EditCall,
    settings: EditSettings,
    *,
    prepared: PreparedImage | None = None,
    **more: Any,
) -> FinishedEdit:
    """Edit a radiograph.

    Args:
        pipeline: on its device.
        radiograph: what to edit.
        call: how.
        settings: of this call.
        prepared: the radiograph, prepared by the pipeline.
        more: further arguments of the pipeline, such as a callback.
    """
    image = radiograph.pixels if prepared is None else prepared
    output = pipeline(image, call.prompt, generator=call.seed, output_type="pt", **{**call.given(), **more})
    return finish_edit(pipeline, radiograph, output, settings)


def finish_edit(
    pipeline: InstructX2XPipeline,
    radiograph: Radiograph,
    output: InstructX2XPipelineOutput,
    settings: EditSettings,
    number: int = 0,
) -> FinishedEdit:
    """Return one of the edits of a call for one radiograph and prompt, with ``output_type="pt"``.

    Args:
        pipeline: that made them.
        radiograph: what was edited.
        output: of the pipeline.
        settings: of the call.
        number: of the edit, among several seeds.
    """
    assert isinstance(output.images, torch.Tensor) and output.instructions
    assert output.guidance_map is not None and output.guidance_mask is not None
    edited = output.images[[number]].detach().cpu().float()
    if edited.shape[1] < radiograph.pixels.shape[1]:
        edited = edited.expand_as(radiograph.pixels)
    return FinishedEdit(
        edited,
        output.guidance_map[[number]],
        output.guidance_mask[[number]],
        output.instructions[number % len(output.instructions)],  # one for each edit where places were drawn
        output.alignments[number % len(output.alignments)] if output.alignments else None,
        output.windows[number] if output.windows else None,
        settings,
        str(pipeline.device),
        str(pipeline.dtype).removeprefix("torch."),
        output.changes[number] if output.changes else None,
        own_digest(pipeline.pseudomasks),
    )


def edit_record(
    finished: FinishedEdit, radiograph: Radiograph, call: EditCall, weights: str | None, warnings: Sequence[str]
) -> dict[str, Any]:
    """Return the content of `result.json`.

    Args:
        finished: the edit.
        radiograph: its input.
        call: its arguments.
        weights: hash of the model's weights; ``None`` for a repository of the hub.
        warnings: of the edit.
    """
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
        "keep_mask": None if call.keep_mask is None else call.keep_mask.as_dict(),
        "pseudomasks_sha256": finished.pseudomasks_sha256,
        "seed": call.seed,
        "model": call.model,
        "weights_sha256": weights,
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
        "change": None if finished.change is None else finished.change.as_dict(),
        "warnings": list(warnings),
        "versions": versions(),
    }


def carried(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a record that pictures and DICOM objects carry.

    They travel, and the path of a folder can name a user, a file's name a patient: of a local model only the last name
    of its path is carried, of a keep mask the hash and share. What an edit did without is left out.
    """
    model = record["model"]
    if model not in BUNDLED_MODELS:
        place, is_local = locate_checkpoint(model)
        model = Path(place).resolve().name if is_local else model
    entries = {**{name: record[name] for name in _CARRIED}, "model": model}
    if (kept := record.get("keep_mask")) is not None:
        entries["keep_mask"] = {name: kept[name] for name in ("sha256", "share")}
    if (own := record.get("pseudomasks_sha256")) is not None:
        entries["pseudomasks_sha256"] = own
    return entries
