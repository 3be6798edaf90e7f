"""X2XCandidates: edit a radiograph with several seeds, and choose the best edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .choices import CANDIDATE_SCORERS, DEFAULT, MOST_CANDIDATES, PRESETS, SOLVERS

if TYPE_CHECKING:
    import torch

    from .work.checkpoints import LoadedPipeline
    from .work.more_settings import MoreSettings

_PRESETS = tuple(preset for preset in PRESETS if preset != "custom")


def _outputs() -> list[io.Output]:
    """Return the node's outputs."""
    return [
        io.Image.Output(
            "edited",
            display_name="edited",
            tooltip="The best edit of each image: fewest reasons against it, then highest score. Synthetic.",
        ),
        io.Mask.Output(
            "edit_mask",
            display_name="edit_mask",
            tooltip="Where the best edit was allowed to change the image. Elsewhere it equals the input.",
        ),
        io.Image.Output(
            "all_edits",
            display_name="all_edits",
            tooltip="All edits of all images, image by image, each image's from the best to the worst.",
        ),
        io.String.Output(
            "scores",
            display_name="scores",
            tooltip="All scores, ranks, reasons against and changes as JSON, image by image.",
        ),
        io.String.Output(
            "info",
            display_name="info",
            tooltip="How the instruction was interpreted, the best seed of each image, and what speaks against "
            "each edit.",
        ),
    ]


class X2XCandidates(io.ComfyNode):
    """Edit each radiograph with several seeds, check each edit, and return the best with all scores."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XCandidates",
            display_name="Edit and Choose",
            category=sockets.EDIT,
            **sockets.search_aliases("several seeds", "best of", "verify", "batch"),
            description="Edit each radiograph with several seeds, check each edit, and return the best with the scores "
            "of all. The results are synthetic, for research use only.",
            is_output_node=True,
            inputs=[
                sockets.checkpoint_input(),
                io.Image.Input("image", tooltip="The radiographs, of any size. Each is edited with the same seeds."),
                sockets.edit_instruction_input(),
                io.Int.Input(
                    "candidates",
                    default=4,
                    min=1,
                    max=MOST_CANDIDATES,
                    tooltip="Number of seeds that each image is edited with, as one batch.",
                ),
                sockets.menu(
                    "scorer",
                    CANDIDATE_SCORERS,
                    CANDIDATE_SCORERS[0],
                    "What judges the edits. pixels alone: whether something changed, on the side and in the zone that "
                    "the instruction names, without an edge at the border of the mask. bundled: the bundled classifier "
                    "of findings too, which was trained on simulated radiographs and is right for them alone.",
                ),
                sockets.menu(
                    "preset",
                    _PRESETS,
                    _PRESETS[0],
                    "Settings of the edits, as on Edit Radiograph. recommended: the checkpoint's own.",
                ),
                sockets.seed_input("Seed of the first candidate; the others have the seeds that follow it."),
                *sockets.edit_inputs(),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def execute(
        cls,
        pipeline: LoadedPipeline,
        image: torch.Tensor,
        instruction: str,
        candidates: int,
        scorer: str,
        preset: str,
        seed: int,
        guidance_mask: torch.Tensor | None = None,
        settings: MoreSettings | None = None,
    ) -> io.NodeOutput:
        """Edit the images, and choose."""
        from .work.candidates import edit_best
        from .work.pictures import preview
        from .work.settings import EditWidgets
        from .work.tensors import to_image, to_mask

        widgets = EditWidgets(
            preset,
            DEFAULT.num_inference_steps,
            DEFAULT.guidance_scale,
            DEFAULT.image_guidance_scale,
            DEFAULT.mask_rule,
            DEFAULT.mask_threshold,
            SOLVERS[0],
            DEFAULT.edit_strength,
            seed,
        )
        best = edit_best(pipeline, image, instruction, widgets, (candidates, scorer), guidance_mask, settings)
        edited = to_image(best.edited)
        ui = {**preview(edited, cls), "x2x_text": [best.info]}
        return io.NodeOutput(edited, to_mask(best.mask), to_image(best.every), best.scores, best.info, ui=ui)
