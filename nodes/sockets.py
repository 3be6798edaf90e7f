"""Socket types of the pack, node categories, and inputs that several nodes share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, cast

from comfy_api.latest import io

from .choices import DEFAULT, DTYPES, EXAMPLE, HINT_RECOMMENDED, LARGEST_SEED, MASK_RULES, RECOMMENDED

Pipeline = io.Custom("X2X_PIPELINE")
Atlas = io.Custom("X2X_ATLAS")
Settings = io.Custom("X2X_SETTINGS")
Places = io.Custom("X2X_PLACES")
Film = io.Custom("X2X_FILM")
Crop = io.Custom("X2X_CROP")

LOAD = "InstructX2X/Load"
INSTRUCT = "InstructX2X/Instruct"
GUIDE = "InstructX2X/Guide"
EDIT = "InstructX2X/Edit"
NATIVE = "InstructX2X/Native"

Input = Any  # one of ComfyUI's input classes, which have no stubs

_SCHEMA_FIELDS = {field.name for field in fields(io.Schema)}  # ComfyUI 0.3.64 lacks some


def search_aliases(*words: str) -> dict[str, list[str]]:
    """Return words by which the page's search finds a node beside its name, where ComfyUI's schema knows them."""
    return {"search_aliases": list(words)} if "search_aliases" in _SCHEMA_FIELDS else {}


def menu(name: str, options: Iterable[str], default: str, tooltip: str, **more: Any) -> Input:
    """Return a menu."""
    return io.Combo.Input(name, options=list(options), default=default, tooltip=tooltip, **more)


def number(name: str, default: float, bounds: tuple[float, float], step: float, tooltip: str, **more: Any) -> Input:
    """Return a field for a floating-point number in `bounds`."""
    return io.Float.Input(name, default=default, min=bounds[0], max=bounds[1], step=step, tooltip=tooltip, **more)


def dtype_input(tooltip: str) -> Input:
    """Return a menu of floating-point types."""
    return menu("dtype", DTYPES, DTYPES[0], tooltip)


def instruction_input(tooltip: str) -> Input:
    """Return the instruction as a text field, which a link can replace."""
    return io.String.Input("instruction", multiline=True, default=EXAMPLE, tooltip=tooltip)


def seed_input(tooltip: str, optional: bool = False) -> Input:
    """Return a seed with ComfyUI's control of its value after a run."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=LARGEST_SEED,
        control_after_generate=True,
        tooltip=tooltip,
        optional=optional,
    )


def noise_level_input(tooltip: str) -> Input:
    """Return the relevance map's noise levels as a text field; see `work.noise_levels.read_levels`."""
    return io.String.Input("noise_level", default=RECOMMENDED, tooltip=tooltip)


def draws_input(tooltip: str) -> Input:
    """Return the number of noise draws per level of the relevance map; 0 uses the checkpoint's recommendation."""
    return io.Int.Input("draws", default=0, min=0, max=64, tooltip=tooltip)


def mask_rule_input(tooltip: str) -> Input:
    """Return the menu of rules that turn a guidance map into a mask."""
    return menu("mask_rule", sorted(MASK_RULES), "adaptive", tooltip)


def threshold_input(tooltip: str) -> Input:
    """Return the level of the rule "threshold"."""
    return number("threshold", DEFAULT.mask_threshold, (0.0, 1.0), 0.01, tooltip)


def scale_inputs(bounds: tuple[float, float], text_tooltip: str, image_tooltip: str) -> list[Input]:
    """Return the guidance scales for the instruction and for the image."""
    text_scale = cast(float, DEFAULT.guidance_scale)  # a checkpoint can have one per finding, the default is a number
    return [
        number("guidance_scale", text_scale, bounds, 0.1, text_tooltip),
        number("image_guidance_scale", DEFAULT.image_guidance_scale, bounds, 0.1, image_tooltip),
    ]


def native_inputs() -> list[Input]:
    """Return the model and the conditionings of nodes that work with ComfyUI's own samplers."""
    return [
        io.Model.Input(
            "model",
            tooltip="An InstructPix2Pix model, or any other model of pictures: an inpainting model, FLUX.1 Kontext, "
            "Qwen-Image-Edit and so on.",
        ),
        io.Conditioning.Input(
            "positive",
            tooltip="The instruction from CLIP Text Encode; for models other than InstructPix2Pix, with what they see "
            "of the image (ReferenceLatent, InpaintModelConditioning).",
        ),
        io.Conditioning.Input("negative", tooltip="The same of an empty text, or of what the result must not show."),
    ]


def hint_input(name: str, tooltip: str, **more: Any) -> Input:
    """Return the strength of a place hint."""
    return number(name, HINT_RECOMMENDED, (HINT_RECOMMENDED, 10.0), 0.1, tooltip, **more)


def keep_mask_input() -> Input:
    """Return the mask of what must stay as it is."""
    return io.Mask.Input(
        "keep_mask",
        optional=True,
        tooltip="What must stay as it is, such as a pacemaker or a marker: no pixel changes where this mask is above "
        "0. Any size; one mask, or one per image.",
    )


def checkpoint_input() -> Input:
    """Return the socket of a loaded checkpoint."""
    return Pipeline.Input("pipeline", tooltip="The checkpoint.")


def edit_inputs() -> list[Input]:
    """Return the optional inputs of nodes that edit: a mask instead of the one that they find, and settings."""
    return [
        io.Mask.Input(
            "guidance_mask",
            optional=True,
            tooltip="Where the image may change (values of at least 0.5), instead of the mask that the node finds. Any "
            "size; one mask, or one per image.",
        ),
        Settings.Input(
            "settings",
            optional=True,
            tooltip="Further settings from Edit Settings. Preset 'reference' uses only its atlas and masks.",
        ),
    ]


def edit_instruction_input() -> Input:
    """Return the instruction of nodes that edit."""
    return instruction_input("The edit in words, for example: Add the finding of moderate left pleural effusion.")
