"""X2XSettings: edit settings without a widget on X2XEdit."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import sockets
from .checks import check_noise_level
from .choices import (
    COMPOSITIONS,
    CONTEXT_RECOMMENDED,
    CROP_RECOMMENDED,
    DEFAULT,
    DRAW_PLACE,
    EDGE_BY_FINDING,
    LARGEST_CROP_MARGIN,
    RECOMMENDED,
    SATURATING_EDGE,
    SOFT_EDGE_WORDS,
    SOURCES,
    SWITCH,
    WHOLE_CANVAS,
)


class X2XSettings(io.ComfyNode):
    """Collect edit settings for X2XEdit."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XSettings",
            display_name="Edit Settings",
            category=sockets.EDIT,
            **sockets.search_aliases("options", "parameters", "advanced"),
            description="Settings without a widget on Edit Radiograph. 'recommended' keeps the checkpoint's setting.",
            inputs=[
                *_composition_inputs(),
                *_relevance_inputs(),
                _switch("remove_islands", "Remove small components of the mask."),
                _switch("close_holes", "Fill holes in the mask, within the pseudomask."),
                _switch("limit_area", "Limit the mask to the expected size of the findings."),
                io.Boolean.Input(
                    "align",
                    default=DEFAULT.align,
                    tooltip="Align the pseudomask to the patient's lungs. Off: use the mask of the average chest, "
                    "stretched over the image.",
                ),
                io.String.Input("negative", default="", tooltip="Negative prompt. Empty: none."),
                io.Boolean.Input("draw_place", default=DEFAULT.draw_place, optional=True, tooltip=DRAW_PLACE),
                io.Int.Input(
                    "padding_mask_crop",
                    default=CROP_RECOMMENDED,
                    min=CROP_RECOMMENDED,
                    max=LARGEST_CROP_MARGIN,
                    optional=True,
                    tooltip="Compute the edit on a crop around the region, at a finer scale than the whole image: the "
                    "margin around the region, in pixels of the model's canvas. 0: no crop. -1: the checkpoint's "
                    "setting.",
                ),
                io.Int.Input(
                    "mask_context",
                    default=CONTEXT_RECOMMENDED,
                    min=WHOLE_CANVAS,
                    max=LARGEST_CROP_MARGIN,
                    optional=True,
                    tooltip="Denoise only a window around the mask, at the scale of the whole image, so that a small "
                    "edit takes less time: the context around the mask, in pixels of the model's canvas. 0: the mask "
                    "alone. -1: the checkpoint's or the preset's setting. -2: the whole image.",
                ),
                sockets.Atlas.Input("atlas", optional=True, tooltip="Pseudomasks from Load Pseudomask."),
                io.Mask.Input(
                    "pseudomask",
                    optional=True,
                    tooltip="The region where editing is allowed, instead of the atlas. The relevance map still "
                    "selects "
                    "the location within it.",
                ),
                sockets.keep_mask_input(),
            ],
            outputs=[sockets.Settings.Output("settings", display_name="settings", tooltip="For Edit Radiograph.")],
        )

    @classmethod
    def validate_inputs(cls, noise_level: str | None) -> bool | str:
        """Check the noise levels."""
        return check_noise_level(noise_level)

    @classmethod
    def execute(cls, **widgets: Any) -> io.NodeOutput:
        """Collect the settings."""
        from .work.more_settings import MoreSettings

        return io.NodeOutput(MoreSettings.from_widgets(**widgets))


def _switch(name: str, tooltip: str) -> sockets.Input:
    """Return a menu of on, off, and the checkpoint's recommendation."""
    return sockets.menu(name, SWITCH, RECOMMENDED, tooltip)


def _composition_inputs() -> list[sockets.Input]:
    """Return the settings of how the edit is merged into the original."""
    return [
        _switch(
            "twin",
            "Take the difference to a second result, denoised from the same noise without the instruction. For "
            "checkpoints trained to reproduce the image without an instruction, such as the demo.",
        ),
        sockets.menu(
            "composition",
            (RECOMMENDED, *COMPOSITIONS),
            RECOMMENDED,
            "recommended: the checkpoint's setting. difference: the change is added to the original, which keeps its "
            "texture. saturating: the same, but never brighter than the image's own soft tissue. decoded: the model's "
            "output replaces the original, as published.",
        ),
        sockets.number(
            "soft_edge",
            EDGE_BY_FINDING,
            (EDGE_BY_FINDING, 0.5),
            0.005,
            "Width of the soft edge inside the mask, as a fraction of the image's longer side. Negative: chosen from "
            f"the finding ({SOFT_EDGE_WORDS}; with a saturating composition {SATURATING_EDGE:g} for opacities and "
            "atelectasis).",
        ),
    ]


def _relevance_inputs() -> list[sockets.Input]:
    """Return the settings of the relevance map and of attention."""
    return [
        sockets.noise_level_input(
            "Noise level of the relevance map, 0 to 1. Several levels, separated by commas, are averaged."
        ),
        sockets.draws_input("Noise samples of the relevance map per level. 0: the checkpoint's setting."),
        sockets.menu(
            "relevance_source",
            SOURCES,
            DEFAULT.relevance_source,
            "Source of the relevance map: the predicted noise, the attention to the words of the instruction, or both.",
        ),
        io.Boolean.Input(
            "attention_gating",
            default=DEFAULT.attention_gating,
            tooltip="Restrict the attention to the instruction to the mask while denoising.",
        ),
    ]
