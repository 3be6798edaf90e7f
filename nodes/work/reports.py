"""Text of the output `info`."""

from __future__ import annotations

from typing import Any

from x2x_core.anatomy.change import Change
from x2x_core.edit.settings import EditSettings
from x2x_core.imaging.crop_window import CropWindow


def describe_settings(preset: str, solver: str, settings: EditSettings, masked: bool) -> list[str]:
    """Return the settings of an edit as lines of text.

    Args:
        preset: of X2XEdit.
        solver: of X2XEdit.
        settings: the settings of the instruction.
        masked: True if a guidance mask was connected.
    """
    lines = [
        f"Preset {preset}: {settings.num_inference_steps} steps, guidance {settings.guidance_scale:g}, image guidance "
        f"{settings.image_guidance_scale:g}, solver {solver}, composition {settings.composition}"
        f"{', twin' if settings.twin else ''}, strength {settings.edit_strength:g}."
    ]
    if masked:
        return [*lines, "Mask: from the input `guidance_mask`; `mask_rule` and `threshold` are not used."]
    rule = f"threshold {settings.mask_threshold:g}" if settings.mask_rule == "threshold" else settings.mask_rule
    noise = settings.relevance_noise_level
    levels = ", ".join(f"{level:g}" for level in (noise if isinstance(noise, tuple) else (noise,)))
    return [*lines, f"Mask: {rule}; relevance at noise {levels}, draws {settings.relevance_samples}."]


def window_lines(windows: list[CropWindow | None]) -> list[str]:
    """Return a line for each image that was edited on a crop."""
    if len(windows) == 1:
        return [f"Computed on a crop of {window}." for window in windows if window]
    return [f"Image {index}: computed on a crop of {window}." for index, window in enumerate(windows) if window]


def change_lines(changes: list[Change]) -> list[str]:
    """Return for each image what changed in it and where."""
    if len(changes) == 1:
        return [changes[0].sentence()]
    return [f"Image {index}: {change.sentence()}" for index, change in enumerate(changes)]


def alignment_lines(alignments: list[Any] | None) -> list[str]:
    """Return a line for each image that the masks were aligned to."""
    notes = [alignment.note for alignment in alignments or () if alignment is not None]
    if len(notes) == 1:
        return notes
    return [f"Image {index}: {note}" for index, note in enumerate(notes)]
