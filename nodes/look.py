"""X2XPseudomask (where a finding can occur) and X2XRelevanceMap (where the model would edit)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .checks import check_noise_level
from .choices import DEFAULT, DRAW_EXTENT, DRAW_PLACE

if TYPE_CHECKING:
    import torch

    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    from .work.checkpoints import LoadedPipeline


class X2XPseudomask(io.ComfyNode):
    """Find the pseudomask P of an instruction in a radiograph."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XPseudomask",
            display_name="Pseudomask",
            category=sockets.GUIDE,
            **sockets.search_aliases("atlas", "anatomical prior", "finding location", "lungs"),
            description="Show where the findings of an instruction can occur, aligned to the lungs in the image.",
            inputs=[
                sockets.instruction_input("The findings, with their side and zone."),
                io.Image.Input("image", tooltip="The radiographs. Each is aligned separately."),
                io.Boolean.Input(
                    "align",
                    default=True,
                    tooltip="Detect the lungs and align the mask to them. Off: use the mask of the average chest, "
                    "stretched over the image.",
                ),
                sockets.Atlas.Input(
                    "atlas", optional=True, tooltip="Masks from Load Pseudomask, instead of the included atlas."
                ),
                io.Boolean.Input("draw_place", default=DEFAULT.draw_place, optional=True, tooltip=DRAW_PLACE),
                sockets.seed_input(
                    "Seed of a drawn place. With the same seed, Edit Radiograph draws the same place.", optional=True
                ),
                io.Boolean.Input("draw_extent", default=False, optional=True, tooltip=DRAW_EXTENT),
            ],
            outputs=[
                io.Mask.Output(
                    "pseudomask",
                    display_name="pseudomask",
                    tooltip="P in [0, 1], one per image: 1 where the finding typically occurs.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="How the instruction was interpreted and the mask aligned.",
                ),
                sockets.Places.Output(
                    "places",
                    display_name="places",
                    tooltip="The region of each clause and side, for Guidance Map, and extents, for Compose Edit.",
                ),
                io.String.Output(
                    "placed_instruction",
                    display_name="placed_instruction",
                    tooltip="The instruction, with the place if one was drawn, as the model receives it.",
                ),
                io.Mask.Output(
                    "extent",
                    display_name="extent",
                    tooltip="How much each pixel takes part in the finding, in [0, 1], for Place Hint; 0 where no "
                    "extent is known.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        instruction: str,
        image: torch.Tensor,
        align: bool,
        atlas: PseudomaskAtlas | None = None,
        draw_place: bool = DEFAULT.draw_place,
        seed: int = 0,
        draw_extent: bool = False,
    ) -> io.NodeOutput:
        """Find the pseudomask."""
        from .work.regions import Draws, pseudomask_of
        from .work.tensors import to_library, to_mask

        draws = Draws(seed, draw_place, draw_extent)
        pseudomask, info, places = pseudomask_of(to_library(image), instruction, atlas, align, draws)
        extents = pseudomask.new_zeros(pseudomask.shape) if places.drawn is None else places.drawn.shares
        return io.NodeOutput(to_mask(pseudomask), info, places, places.told, to_mask(extents), ui={"x2x_text": [info]})


class X2XRelevanceMap(io.ComfyNode):
    """Find the relevance map R: where the instruction changes the model's prediction."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XRelevanceMap",
            display_name="Relevance Map",
            category=sockets.GUIDE,
            **sockets.search_aliases("heatmap", "saliency", "where would it edit", "attention"),
            description="Show where the model would change the image for the instruction, without restriction to a "
            "region.",
            inputs=[
                sockets.checkpoint_input(),
                io.Image.Input("image", tooltip="The radiographs."),
                sockets.instruction_input("The edit instruction."),
                sockets.noise_level_input(
                    "Noise level at which predictions are compared, 0 to 1. Several levels, separated by commas, are "
                    "averaged (0.6, 0.7, 0.8). recommended: the checkpoint's setting."
                ),
                sockets.draws_input(
                    "Noise samples averaged per level. More give a steadier map and take longer. 0: the checkpoint's "
                    "setting."
                ),
                sockets.seed_input("Noise seed. With the same seed, Edit Radiograph computes the same map."),
            ],
            outputs=[
                io.Mask.Output("relevance", display_name="relevance", tooltip="R in [0, 1], one per image."),
                io.Mask.Output(
                    "uncertainty",
                    display_name="uncertainty",
                    tooltip="Standard error of R over noise samples, in the units of R. 0 for a single sample.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, noise_level: str | None) -> bool | str:
        """Check the noise levels."""
        return check_noise_level(noise_level)

    @classmethod
    def execute(
        cls, pipeline: LoadedPipeline, image: torch.Tensor, instruction: str, noise_level: str, draws: int, seed: int
    ) -> io.NodeOutput:
        """Compute the relevance map."""
        from .work.relevance import relevance_of
        from .work.tensors import to_library, to_mask

        relevance, uncertainty = relevance_of(pipeline, to_library(image), instruction, noise_level, draws, seed)
        return io.NodeOutput(to_mask(relevance), to_mask(uncertainty))
