"""Edits for X2XEdit: connected masks, presets, solvers, and the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.notes import Notes
from x2x_core.edit.published import stable_diffusion_ddim
from x2x_core.edit.settings import MASK_FINDING, EditSettings, resolve_settings
from x2x_core.guidance.cfg import BRANCHES
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .batches import IMAGES_AT_ONCE, chunks_of, relevance_calls, seeded_generators
from .checkpoints import LoadedPipeline
from .more_settings import MoreSettings
from .progress import Preview, Watch, as_preview
from .reports import alignment_lines, change_lines, describe_settings, window_lines
from .sentences import as_page_says, explain_instruction, page_words
from .settings import EditWidgets
from .solvers import make_solver
from .tensors import size_of, to_library, to_map


@dataclass(frozen=True)
class EditResult:
    """Edits of a batch: images `(B, C, H, W)`, maps and masks `(B, 1, H, W)`, on the CPU in [0, 1]."""

    edited: torch.Tensor
    guidance: torch.Tensor
    mask: torch.Tensor
    info: str


@dataclass(frozen=True)
class Job:
    """Checked inputs of an edit."""

    loaded: LoadedPipeline
    pixels: torch.Tensor  # (B, C, H, W) in [0, 1]
    text: str
    widgets: EditWidgets
    settings: EditSettings
    arguments: dict[str, Any]  # of the pipeline
    masks: dict[str, torch.Tensor]  # connected masks by the pipeline's argument, one per image
    atlas: PseudomaskAtlas | None

    @property
    def masked(self) -> bool:
        """True if a guidance mask is connected."""
        return "guidance_mask" in self.masks

    @property
    def region_given(self) -> bool:
        """True if the region is connected, so that it is not looked up in the atlas."""
        return self.masked or "pseudomask" in self.masks

    @property
    def chunks(self) -> list[slice]:
        """Images that are edited together."""
        return chunks_of(len(self.pixels))


def edit_images(
    loaded: LoadedPipeline,
    image: torch.Tensor,
    text: str,
    widgets: EditWidgets,
    guidance_mask: torch.Tensor | None,
    more: MoreSettings | None,
) -> EditResult:
    """Edit each image of a batch with the same seed, so that a batch gives the same results as single images.

    Args:
        loaded: the checkpoint.
        image: IMAGE.
        text: the instruction.
        widgets: of X2XEdit.
        guidance_mask: MASK where the image may change; ``None``: the pipeline finds it.
        more: settings of X2XSettings.

    Raises:
        InputError: invalid inputs; the message names the input.
    """
    with Notes() as notes:
        job = check_edit(loaded, image, text, widgets, guidance_mask, more or MoreSettings())
    pipe = loaded.ready(BRANCHES * min(len(job.pixels), IMAGES_AT_ONCE))
    calls = sum(unet_calls(job.settings, chunk.stop - chunk.start, job.masked) for chunk in job.chunks)
    outputs = []
    with page_words(), as_asked(pipe, widgets.solver, job.atlas), Watch(pipe, calls) as watch, notes:
        for chunk in job.chunks:
            outputs.append(_edit(pipe, job, chunk, watch))
            watch.show(as_preview(_joined(outputs[-1:], "images")[0]))
    edited, mask = _joined(outputs, "images"), _joined(outputs, "guidance_mask")
    info = _describe(job, outputs, edited, mask, notes.lines)
    return EditResult(edited, _joined(outputs, "guidance_map"), mask, info)


def check_edit(
    loaded: LoadedPipeline,
    image: torch.Tensor,
    text: str,
    widgets: EditWidgets,
    guidance_mask: torch.Tensor | None,
    more: MoreSettings,
) -> Job:
    """Check the inputs of an edit.

    Raises:
        InputError: invalid inputs.
    """
    widgets.check()
    pixels = to_library(image)
    masks = _masks(guidance_mask, more, size_of(pixels), len(pixels))
    recommended = loaded.pipe.config
    arguments = {**widgets.arguments(), **more.arguments()}
    with page_words():
        settings = resolve_settings(arguments, recommended, widgets.reference)
    if guidance_mask is not None:  # the widgets always have values; those that find a mask are not used
        arguments = {name: value for name, value in arguments.items() if name not in MASK_FINDING}
    return Job(loaded, pixels, text, widgets, settings, arguments, masks, more.atlas)


def _masks(
    guidance_mask: torch.Tensor | None, more: MoreSettings, size: tuple[int, int], batch: int
) -> dict[str, torch.Tensor]:
    """Return the connected masks, one per image."""
    masks = {}
    if more.keep_mask is not None:
        masks["keep_mask"] = to_map(more.keep_mask, size, batch, "keep_mask") > 0
    if guidance_mask is not None:
        if more.pseudomask is not None:
            raise InputError(
                "`guidance_mask` and `pseudomask` of Edit Settings must not both be connected, because a guidance mask "
                "replaces the pseudomask. Disconnect one of them."
            )
        masks["guidance_mask"] = to_map(guidance_mask, size, batch, "guidance_mask") >= 0.5
    elif more.pseudomask is not None:
        masks["pseudomask"] = to_map(more.pseudomask, size, batch, "pseudomask")
    return masks


def unet_calls(settings: EditSettings, images: int, masked: bool) -> int:
    """Return the largest number of U-Net calls of an edit of `images` images; a twin shares those of the edit."""
    relevance = 0 if masked else relevance_calls(settings, images)
    apart = settings.twin and settings.attention_gating
    return relevance + settings.num_inference_steps * (2 if apart else 1)


@contextmanager
def as_asked(pipe: Any, solver: str, atlas: PseudomaskAtlas | None) -> Iterator[None]:
    """Give the shared pipeline the solver and atlas of one run, and restore its own afterwards."""
    own_scheduler, own_atlas = pipe.scheduler, pipe.pseudomasks
    pipe.scheduler = make_solver(solver, own_scheduler)
    if atlas is not None:
        pipe.pseudomasks = atlas
    try:
        yield
    finally:
        pipe.scheduler, pipe.pseudomasks = own_scheduler, own_atlas


def _edit(pipe: Any, job: Job, chunk: slice, watch: Watch) -> Any:
    """Return the pipeline's output for some of the images."""
    images = chunk.stop - chunk.start
    return pipe(**call_arguments(pipe, job, chunk, watch), generator=seeded_generators(job.widgets.seed, images))


def call_arguments(pipe: Any, job: Job, chunk: slice, watch: Watch) -> dict[str, Any]:
    """Return the arguments of the pipeline's call for some of the images, without the seeds."""
    pixels = job.pixels[chunk]
    scheduler = pipe.scheduler
    if job.widgets.reference:  # the published algorithm runs on a schedule of its own
        scheduler = stable_diffusion_ddim(scheduler.config.get("prediction_type", "epsilon"))
    preview = Preview(pipe, scheduler, pixels[:1])

    def on_step_end(_: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if watch.last is not None and watch.last.belongs_to(timestep):
            watch.show(preview(watch.last))
        return {}

    align = job.settings.align and not job.region_given
    return {
        "image": job.loaded.prepared.of(pipe, pixels, reference=job.widgets.reference, align=align),
        "prompt": job.text,
        "output_type": "pt",
        "callback_on_step_end": on_step_end,
        **{name: mask[chunk] for name, mask in job.masks.items()},
        **job.arguments,
    }


def _joined(outputs: list[Any], name: str) -> torch.Tensor:
    return torch.cat([getattr(output, name).detach().cpu().float() for output in outputs])


def _describe(job: Job, outputs: list[Any], edited: torch.Tensor, mask: torch.Tensor, warnings: list[str]) -> str:
    """Return the report; its first lines are those that the small text box on the node shows without scrolling."""
    changed = (edited != job.pixels).any(dim=1).float().mean()
    alignments = [alignment for output in outputs for alignment in output.alignments or ()]
    windows = [window for output in outputs for window in output.windows or [None] * len(output.images)]
    instruction = outputs[0].instructions[0]
    settings = job.settings.settled(instruction)
    dtype = str(job.loaded.pipe.dtype).removeprefix("torch.")
    return "\n".join(
        [
            explain_instruction(instruction),
            f"Editable {float(mask.mean()):.1%} of the image, changed {float(changed):.1%}.",
            *(f"Warning: {as_page_says(line)}" for line in warnings),
            *_kept_lines(job.masks.get("keep_mask")),
            "Synthetic, for research. Not for diagnosis.",
            *change_lines([change for output in outputs for change in output.changes]),
            *alignment_lines(alignments),
            *window_lines(windows),
            f"Checkpoint {job.loaded.name}, {dtype}, seed {job.widgets.seed}.",
            *describe_settings(job.widgets.preset, job.widgets.solver, settings, job.masked),
        ]
    )


def _kept_lines(keep: torch.Tensor | None) -> list[str]:
    """Return what the report says about a keep mask `(B, 1, H, W)` bool."""
    return [] if keep is None else [f"Kept as it is: {float(keep.float().mean()):.1%} of the image (`keep_mask`)."]
