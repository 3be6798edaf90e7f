"""The pipeline at work for the nodes: batches, seeds, the mask that is connected, and what to say of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.notes import Notes
from x2x_core.edit.looking import draws_at_once
from x2x_core.edit.settings import EditSettings, resolve_settings
from x2x_core.guidance.cfg import BRANCHES

from .checkpoints import LoadedPipeline
from .progress import Preview, Watch, as_preview
from .regions import alignment_lines
from .sentences import as_page_says, explain, page_words
from .settings import EditWidgets, MoreSettings, describe_settings, make_solver, read_levels
from .tensors import to_library, to_map

logger = logging.getLogger(__name__)

IMAGES_AT_ONCE = 4


@dataclass(frozen=True)
class EditResult:
    """Edits of a batch: `(B, C, H, W)` and `(B, 1, H, W)`, on the CPU in [0, 1]."""

    edited: torch.Tensor
    guidance: torch.Tensor
    mask: torch.Tensor
    info: str


def edit_images(
    loaded: LoadedPipeline,
    image: torch.Tensor,
    text: str,
    widgets: EditWidgets,
    guidance_mask: torch.Tensor | None,
    more: MoreSettings | None,
) -> EditResult:
    """Edit each image of a batch with the same seed, so that a batch gives what single images give.

    Args:
        loaded: the checkpoint.
        image: IMAGE.
        text: the instruction.
        widgets: of the node.
        guidance_mask: MASK, where the image may change; ``None``: it is found.
        more: of X2XSettings.

    Raises:
        InputError: inputs that can't be used; the message names the input.
    """
    widgets.check()
    more = more or MoreSettings()
    pixels = to_library(image)
    batch, size = len(pixels), tuple(pixels.shape[-2:])
    regions = _regions(guidance_mask, more, size, batch)
    recommended = loaded.pipe.config
    given = {**widgets.given(recommended), **more.given()}
    with page_words():
        settings = resolve_settings(given, recommended, widgets.reference)
    pipe = loaded.ready(BRANCHES * min(batch, IMAGES_AT_ONCE))
    starts = range(0, batch, IMAGES_AT_ONCE)
    calls = sum(_calls(settings, min(IMAGES_AT_ONCE, batch - start), guidance_mask is not None) for start in starts)
    parts, notes = [], Notes()
    with page_words(), _prepared(pipe, widgets.solver, more), Watch(pipe, calls) as watch, notes:
        for start in starts:
            chunk = slice(start, start + IMAGES_AT_ONCE)
            some = {name: values[chunk] for name, values in regions.items()}
            parts.append(_edit(pipe, pixels[chunk], text, widgets.seed, {**given, **some}, watch))
            watch.show(as_preview(_of(parts[-1], "images")[0]))
    info = _describe(loaded, text, widgets, settings, guidance_mask is not None, pixels, parts, notes.lines)
    return EditResult(*(torch.cat([_of(part, name) for part in parts]) for name in _FIELDS), info)


_FIELDS = ("images", "guidance_map", "guidance_mask")


def _of(part: Any, name: str) -> torch.Tensor:
    return getattr(part, name).detach().cpu().float()


def _regions(
    guidance_mask: torch.Tensor | None, more: MoreSettings, size: tuple[int, int], batch: int
) -> dict[str, torch.Tensor]:
    """The masks that are connected, one for each image."""
    if guidance_mask is not None:
        if more.pseudomask is not None:
            raise InputError(
                "`pseudomask` of the settings and `guidance_mask` must not both be connected: a guidance mask is used "
                "as it stands. Disconnect one of them."
            )
        return {"guidance_mask": to_map(guidance_mask, size, batch, "guidance_mask") >= 0.5}
    if more.pseudomask is not None:
        return {"pseudomask": to_map(more.pseudomask, size, batch, "pseudomask")}
    return {}


def _calls(settings: EditSettings, images: int, masked: bool) -> int:
    """How often the U-Net is called for some images at once."""
    draws = settings.relevance_levels * settings.relevance_samples
    look = 0 if masked else math.ceil(draws / draws_at_once(images))
    return look + settings.num_inference_steps * (2 if settings.twin else 1)


@contextmanager
def _prepared(pipe: Any, solver: str, more: MoreSettings) -> Iterator[None]:
    """The shared pipeline with the solver and the atlas of one run; afterwards with its own again."""
    scheduler, atlas = pipe.scheduler, pipe.pseudomasks
    pipe.scheduler = make_solver(solver, scheduler)
    if more.atlas is not None:
        pipe.pseudomasks = more.atlas
    try:
        yield
    finally:
        pipe.scheduler, pipe.pseudomasks = scheduler, atlas


def _edit(pipe: Any, pixels: torch.Tensor, text: str, seed: int, given: dict[str, Any], watch: Watch) -> Any:
    """The pipeline's output for some images at once."""
    preview = Preview(pipe, pixels[:1])

    def step_done(*_: Any) -> dict:
        watch.show(preview(watch.last))
        return {}

    return pipe(
        pixels,
        text,
        generator=_generators(seed, len(pixels)),
        output_type="pt",
        callback_on_step_end=step_done,
        **given,
    )


def _generators(seed: int, count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for _ in range(count)]


def _describe(
    loaded: LoadedPipeline,
    text: str,
    widgets: EditWidgets,
    settings: EditSettings,
    masked: bool,
    pixels: torch.Tensor,
    parts: list,
    warnings: list[str],
) -> str:
    """What was done, in lines for people: first what the node's small box should show without scrolling."""
    mask = torch.cat([_of(part, "guidance_mask") for part in parts])
    edited = torch.cat([_of(part, "images") for part in parts])
    changed = (edited != pixels).any(dim=1).float().mean()
    alignments = [one for part in parts for one in part.alignments or ()]
    settings = settings.settled(parts[0].instructions[0])
    return "\n".join(
        [
            explain(text),
            f"Editable {float(mask.mean()):.1%} of the image, changed {float(changed):.1%}.",
            *(f"Warning: {as_page_says(line)}" for line in warnings),
            "Synthetic, for research. Not for diagnosis.",
            *alignment_lines(alignments),
            f"Checkpoint {loaded.name}, {str(loaded.pipe.dtype).removeprefix('torch.')}, seed {widgets.seed}.",
            *describe_settings(widgets.preset, widgets.solver, settings, masked),
        ]
    )


def relevance_of(
    loaded: LoadedPipeline, pixels: torch.Tensor, text: str, noise_level: str, draws: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """R and its uncertainty for each image of a batch, each with the same seed.

    Args:
        loaded: the checkpoint.
        pixels: `(B, C, H, W)` in [0, 1].
        text: the instruction.
        noise_level: see `settings.read_levels`.
        draws: at each level; 0: as the checkpoint recommends.
        seed: of the noise.

    Returns:
        Both `(B, 1, H, W)` in [0, 1]; the uncertainty is 0 where there was one draw.
    """
    levels = read_levels(noise_level)
    given = {"relevance_noise_level": levels, "relevance_samples": draws or None}
    given = {name: value for name, value in given.items() if value is not None}
    with page_words():
        settings = resolve_settings(given, loaded.pipe.config)
    batch = len(pixels)
    pipe = loaded.ready(2 * min(batch, IMAGES_AT_ONCE))
    starts = range(0, batch, IMAGES_AT_ONCE)
    calls = sum(
        _calls(settings, min(IMAGES_AT_ONCE, batch - start), False) - settings.num_inference_steps for start in starts
    )
    maps, uncertain = [], []
    with page_words(), Watch(pipe, calls):
        for start in starts:
            some = pixels[start : start + IMAGES_AT_ONCE]
            found = pipe.relevance(some, text, generator=_generators(seed, len(some)), **given)
            maps.append(found.relevance_map)
            unknown = found.relevance_uncertainty
            uncertain.append(torch.zeros_like(found.relevance_map) if unknown is None else unknown)
    return torch.cat(maps), torch.cat(uncertain)
