"""X2XEdit: edit a radiograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .checks import check_menus
from .choices import DEFAULT, PRESETS, SOLVERS

if TYPE_CHECKING:
    import torch

    from .work.checkpoints import LoadedPipeline
    from .work.more_settings import MoreSettings


class X2XEdit(io.ComfyNode):
    """Edit a radiograph from a text instruction, changing only the region the instruction refers to."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XEdit",
            display_name="Edit Radiograph",
            category=sockets.EDIT,
            **sockets.search_aliases("chest x-ray", "CXR", "counterfactual", "image edit", "inpaint"),
            description="Edit a radiograph from a text instruction, changing only the region the instruction refers "
            "to. "
            "Pixels outside the mask stay identical. The result is synthetic, for research use only.",
            is_output_node=True,
            inputs=[
                sockets.checkpoint_input(),
                io.Image.Input(
                    "image",
                    tooltip="The radiographs, of any size. Each image of a batch is edited with the same seed.",
                ),
                sockets.edit_instruction_input(),
                sockets.menu(
                    "preset",
                    PRESETS,
                    PRESETS[0],
                    "recommended: the checkpoint's own settings. fast: half the steps, one noise sample, and a small"
                    " window around the mask. balanced: a window around the mask, and no step that hardly counts. "
                    "best: all that the checkpoint recommends, on the whole image. reference: the published "
                    "algorithm and settings, for the authors' checkpoint. custom: the five widgets below. With other"
                    " presets these are greyed out and show the values in use.",
                ),
                *_custom_inputs(),
                *_sampling_inputs(),
                *sockets.edit_inputs(),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def validate_inputs(cls, preset: str | None, solver: str | None, edit_strength: float | None) -> bool | str:
        """Check inputs that contradict each other."""
        if error := check_menus(preset=(preset, PRESETS), solver=(solver, SOLVERS)):
            return error
        if edit_strength is not None and not 0 <= edit_strength <= 1:
            return f"`edit_strength` must be in [0, 1], got {edit_strength!r}."
        if preset == "reference" and solver not in (None, SOLVERS[0]):
            return (
                f"`solver` must be {SOLVERS[0]!r} with preset 'reference', which uses its own solver, got {solver!r}."
            )
        if preset == "reference" and edit_strength not in (None, 1):
            return (
                "`edit_strength` must be 1 with preset 'reference', because the published algorithm always applies the "
                f"full edit, got {edit_strength!r}."
            )
        return True

    @classmethod
    def execute(
        cls,
        pipeline: LoadedPipeline,
        image: torch.Tensor,
        instruction: str,
        preset: str,
        steps: int,
        guidance_scale: float,
        image_guidance_scale: float,
        mask_rule: str,
        threshold: float,
        solver: str,
        edit_strength: float,
        seed: int,
        guidance_mask: torch.Tensor | None = None,
        settings: MoreSettings | None = None,
    ) -> io.NodeOutput:
        """Edit the images."""
        from .work.editing import edit_images
        from .work.pictures import preview
        from .work.settings import EditWidgets
        from .work.tensors import to_image, to_mask

        widgets = EditWidgets(
            preset, steps, guidance_scale, image_guidance_scale, mask_rule, threshold, solver, edit_strength, seed
        )
        result = edit_images(pipeline, image, instruction, widgets, guidance_mask, settings)
        edited = to_image(result.edited)
        ui = {**preview(edited, cls), "x2x_text": [result.info]}
        return io.NodeOutput(edited, to_mask(result.guidance), to_mask(result.mask), result.info, ui=ui)


def _custom_inputs() -> list[sockets.Input]:
    """Return the widgets of the preset "custom"."""
    return [
        io.Int.Input(
            "steps",
            default=DEFAULT.num_inference_steps,
            min=1,
            max=1000,
            tooltip="Number of denoising steps. Used with preset 'custom'.",
        ),
        *sockets.scale_inputs(
            (-30.0, 30.0),
            "How strongly the instruction is followed. Used with preset 'custom'.",
            "How closely the input image is followed. Used with preset 'custom'.",
        ),
        sockets.mask_rule_input(
            "How the mask is derived from the guidance map. adaptive: the level is found automatically. threshold: "
            "`threshold` is used. Used with preset 'custom' and no guidance_mask."
        ),
        sockets.threshold_input(
            "Lowest value of the guidance map inside the mask. Used with preset 'custom', mask_rule 'threshold' and no "
            "guidance_mask."
        ),
    ]


def _sampling_inputs() -> list[sockets.Input]:
    """Return solver, strength and seed."""
    return [
        sockets.menu(
            "solver",
            SOLVERS,
            SOLVERS[0],
            "Sampling method. checkpoint's: the one saved with the checkpoint. Preset 'reference' uses its own.",
        ),
        sockets.number(
            "edit_strength",
            DEFAULT.edit_strength,
            (0.0, 1.0),
            0.01,
            "Opacity of the edit: 0 returns the input, 1 applies the full edit. Must be 1 with preset 'reference'.",
        ),
        sockets.seed_input("Noise seed. The same seed gives the same edit. Every image of a batch uses this seed."),
    ]


def _outputs() -> list[sockets.Input]:
    """Return the outputs."""
    return [
        io.Image.Output(
            "edited",
            display_name="edited",
            tooltip="The edited radiograph at the size of the input. Synthetic.",
        ),
        io.Mask.Output(
            "guidance",
            display_name="guidance",
            tooltip="The guidance map in [0, 1]: how strongly each location was a target of the edit.",
        ),
        io.Mask.Output(
            "edit_mask",
            display_name="edit_mask",
            tooltip="Where the image was allowed to change. Elsewhere the result equals the input.",
        ),
        io.String.Output(
            "info",
            display_name="info",
            tooltip="How the instruction was interpreted, the settings used, and warnings.",
        ),
    ]
