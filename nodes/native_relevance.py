"""X2XNativeRelevanceMap: the relevance map through ComfyUI's own sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import sockets
from .checks import check_finite, check_noise_level
from .choices import DEFAULT, HINT_RECOMMENDED

if TYPE_CHECKING:
    import torch


class X2XNativeRelevanceMap(io.ComfyNode):
    """Find where the instruction changes a MODEL's prediction."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        level, draws = DEFAULT.relevance_noise_level, DEFAULT.relevance_samples
        return io.Schema(
            node_id="X2XNativeRelevanceMap",
            display_name="Relevance Map (Native)",
            category=sockets.NATIVE,
            **sockets.search_aliases("heatmap", "saliency", "where would it edit", "instruction mask"),
            description="Add noise to the image's latent and compare the model's predictions with and without the "
            "instruction. The map is high where they differ.",
            inputs=[
                *sockets.native_inputs(),
                io.Latent.Input("latent", tooltip="The image's latent from VAE Encode."),
                sockets.noise_level_input(
                    "Noise level at which predictions are compared, 0 to 1. Several levels, separated by commas, are "
                    f"averaged (0.6, 0.7, 0.8). recommended: the checkpoint's setting, else {level}."
                ),
                sockets.draws_input(
                    "Noise samples averaged per level. More give a steadier map and take longer. 0: the checkpoint's "
                    f"setting, else {draws}."
                ),
                sockets.seed_input(
                    "Noise seed. With the seed of RandomNoise, the map equals that of Edit Radiograph with this seed."
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The image that was given to VAE Encode. Needed if a side is not a multiple of 8: VAE "
                    "Encode "
                    "crops it, and the map is then aligned to the whole image.",
                ),
                io.Mask.Input(
                    "place",
                    optional=True,
                    tooltip="Where the finding is to lie, from Pseudomask's `extent` or painted: the mask given to "
                    "Place Hint. Not connected, or empty: the model chooses.",
                ),
                sockets.hint_input(
                    "place_hint",
                    "How strongly `place` is told to the model, in standard deviations of the noise: the strength of "
                    "Place Hint. -1: the checkpoint's setting. 0: no hint.",
                    optional=True,
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "relevance",
                    display_name="relevance",
                    tooltip="R in [0, 1]: 0 where the instruction makes no difference, 1 where it makes the largest.",
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, noise_level: str | None) -> bool | str:
        """Check the noise levels."""
        return check_noise_level(noise_level)

    @classmethod
    def execute(
        cls,
        model: Any,
        positive: Any,
        negative: Any,
        latent: dict[str, Any],
        noise_level: str,
        draws: int,
        seed: int,
        image: torch.Tensor | None = None,
        place: torch.Tensor | None = None,
        place_hint: float = HINT_RECOMMENDED,
    ) -> io.NodeOutput:
        """Compute the map."""
        from .comfy_native.inputs import Conditionings
        from .comfy_native.relevance import RelevanceOptions, relevance_mask
        from .work.noise_levels import read_levels

        check_finite(place_hint=place_hint)
        options = RelevanceOptions(read_levels(noise_level), draws, seed, place, place_hint)
        size = None if image is None else (image.shape[1], image.shape[2])
        return io.NodeOutput(relevance_mask(model, Conditionings(positive, negative), latent, options, size))
