"""X2XPlaceHint: tell a model in its noise where a finding is to lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import sockets
from .checks import check_finite

if TYPE_CHECKING:
    import torch


class X2XPlaceHint(io.ComfyNode):
    """Shift noise where a finding is to lie."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XPlaceHint",
            display_name="Place Hint",
            category=sockets.NATIVE,
            **sockets.search_aliases("hinted noise", "noise mask", "where to add", "extent"),
            description="Shift the noise of a sampler where the finding is to lie, which tells a model that was "
            "trained for such hints (the demo) where to add it. Without a hint, such a model adds a thin veil wherever "
            "the finding could be.",
            inputs=[
                io.Noise.Input("noise", tooltip="From RandomNoise."),
                io.Model.Input("model", tooltip="The model that is told. Its checkpoint may recommend a strength."),
                io.Mask.Input(
                    "place",
                    tooltip="Where the finding is to lie: `extent` of Pseudomask, or a painted mask. Values between 0 "
                    "and 1 hint in proportion; a mask of 0 and 1 hints from its border inwards. Empty: no "
                    "hint. Any size; one, or one per image.",
                ),
                sockets.hint_input(
                    "strength",
                    "The shift, in standard deviations of the noise. -1: the checkpoint's setting (3 for the demo). 0: "
                    "no hint.",
                ),
            ],
            outputs=[
                io.Noise.Output(
                    "hinted",
                    display_name="noise",
                    tooltip="For SamplerCustomAdvanced, with the instruction and without it.",
                )
            ],
        )

    @classmethod
    def execute(cls, noise: Any, model: Any, place: torch.Tensor, strength: float) -> io.NodeOutput:
        """Wrap the noise."""
        from .comfy_native.hinting import HintedNoise, hint_strength

        check_finite(strength=strength)
        return io.NodeOutput(HintedNoise(noise, place, hint_strength(model, strength)))
