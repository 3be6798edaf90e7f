"""X2XEdit: the edit; X2XSettings: everything about it that the node itself has no widget for."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .guidance import MASK_RULES
from .sockets import RECOMMENDED

PRESETS = ("recommended", "fast", "reference", "custom")
SOLVERS = ("checkpoint's", "DDIM", "Euler", "DPM++ 2M", "UniPC")
AS_RECOMMENDED = (RECOMMENDED, "on", "off")
COMPOSITIONS = ("difference", "decoded")
SOURCES = ("noise", "attention", "both")
BY_FINDING = -1.0  # a soft edge as suits the finding


class X2XEdit(io.ComfyNode):
    """Edit a radiograph by an instruction, and only where the instruction is about."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XEdit",
            display_name="Edit Radiograph",
            category=sockets.EDIT,
            description="Edits a radiograph by an instruction, and only where the instruction is about. Outside the "
            "mask nothing changes. The result is synthetic, for research.",
            is_output_node=True,
            inputs=[
                sockets.Pipeline.Input("pipeline", tooltip="The checkpoint that edits."),
                io.Image.Input(
                    "image",
                    tooltip="The radiograph, any size; several are edited each with the same seed.",
                ),
                sockets.instruction_input("What to edit, in words: Add the finding of moderate left pleural effusion."),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default="recommended",
                    tooltip="recommended: the checkpoint's own settings. fast: the same with half the steps and one "
                    "noise draw. reference: the published arithmetic and settings, for the authors' checkpoint. "
                    "custom: the five widgets under this one count; with the other presets they are greyed and show "
                    "what is used.",
                ),
                io.Int.Input(
                    "steps", default=20, min=1, max=1000, tooltip="Steps of denoising. Counts with preset 'custom'."
                ),
                io.Float.Input(
                    "guidance_scale",
                    default=7.5,
                    min=-30.0,
                    max=30.0,
                    step=0.1,
                    tooltip="How strongly the instruction is followed. Counts with preset 'custom'.",
                ),
                io.Float.Input(
                    "image_guidance_scale",
                    default=1.5,
                    min=-30.0,
                    max=30.0,
                    step=0.1,
                    tooltip="How strongly the image is kept to. Counts with preset 'custom'.",
                ),
                io.Combo.Input(
                    "mask_rule",
                    options=list(MASK_RULES),
                    default="adaptive",
                    tooltip="From guidance map to mask: adaptive finds the level itself, threshold takes the widget's. "
                    "Counts with preset 'custom' and without a guidance mask.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.1,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The guidance map's level from which the image may change. Counts with preset 'custom', "
                    "the rule 'threshold' and without a guidance mask.",
                ),
                io.Combo.Input(
                    "solver",
                    options=list(SOLVERS),
                    default=SOLVERS[0],
                    tooltip="How the steps are taken. checkpoint's: the one that was saved with it. Not with preset "
                    "'reference', which has its own.",
                ),
                io.Float.Input(
                    "edit_strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="How much of the edit is laid over the image: 0 gives the image back, 1 is the full edit. "
                    "1 with preset 'reference'.",
                ),
                sockets.seed_input(
                    "Of the noise: the same seed gives the same edit. Each image of a batch gets this seed."
                ),
                io.Mask.Input(
                    "guidance_mask",
                    optional=True,
                    tooltip="Where the image may change (0.5 and up), instead of what would be found: from Guidance "
                    "Map, the mask editor, or any mask node. Any size; one, or one for each image.",
                ),
                sockets.Settings.Input(
                    "settings",
                    optional=True,
                    tooltip="Everything else, from Edit Settings. With preset 'reference' "
                    "only its atlas and pseudomask.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "edited",
                    display_name="edited",
                    tooltip="The edited radiograph, of the image's size. Synthetic.",
                ),
                io.Mask.Output(
                    "guidance",
                    display_name="guidance",
                    tooltip="The guidance map, 0 to 1: where the model was led to change it.",
                ),
                io.Mask.Output(
                    "edit_mask",
                    display_name="edit_mask",
                    tooltip="Where it was allowed to change; elsewhere it is the input.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="What was understood, the settings that were used, and warnings.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, preset, solver, edit_strength) -> bool | str:
        wrong = sockets.check_choices(preset=(preset, PRESETS), solver=(solver, SOLVERS))
        if wrong:
            return wrong
        if edit_strength is not None and not 0 <= edit_strength <= 1:
            return f"`edit_strength` must lie in [0, 1], got {edit_strength!r}."
        if preset == "reference" and solver not in (None, SOLVERS[0]):
            return f"`solver` must be {SOLVERS[0]!r} with preset 'reference', which has its own, got {solver!r}."
        if preset == "reference" and edit_strength not in (None, 1):
            return (
                "`edit_strength` must be 1 with preset 'reference': the published code makes the full edit, got "
                f"{edit_strength!r}."
            )
        return True

    @classmethod
    def execute(
        cls,
        pipeline,
        image,
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
        guidance_mask=None,
        settings=None,
    ) -> io.NodeOutput:
        from .work.pictures import preview
        from .work.running import edit_images
        from .work.settings import EditWidgets
        from .work.tensors import to_image, to_mask

        widgets = EditWidgets(
            preset, steps, guidance_scale, image_guidance_scale, mask_rule, threshold, solver, edit_strength, seed
        )
        result = edit_images(pipeline, image, instruction, widgets, guidance_mask, settings)
        edited = to_image(result.edited)
        ui = {**preview(edited, cls), "x2x_text": [result.info]}
        return io.NodeOutput(edited, to_mask(result.guidance), to_mask(result.mask), result.info, ui=ui)


def _switch(name: str, tooltip: str):
    """A menu of on, off, and what the checkpoint recommends."""
    return io.Combo.Input(name, options=list(AS_RECOMMENDED), default=RECOMMENDED, tooltip=tooltip)


class X2XSettings(io.ComfyNode):
    """What an expert can set beyond the widgets of X2XEdit."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XSettings",
            display_name="Edit Settings",
            category=sockets.EDIT,
            description="Everything that Edit Radiograph has no widget for. What is 'recommended' here stays as the "
            "checkpoint recommends.",
            inputs=[
                _switch(
                    "twin",
                    "Take the change as the difference to the same noise denoised without the instruction. For "
                    "checkpoints that were trained to change nothing without a text, such as the demo.",
                ),
                io.Combo.Input(
                    "composition",
                    options=list(COMPOSITIONS),
                    default="difference",
                    tooltip="difference: the change is laid over the original, whose grain stays. decoded: the model's "
                    "picture itself, as published.",
                ),
                io.Float.Input(
                    "soft_edge",
                    default=BY_FINDING,
                    min=BY_FINDING,
                    max=0.5,
                    step=0.005,
                    tooltip="Width of the mask's soft inner edge, share of the image's longer side; below 0: as suits "
                    "the finding (0.05 for pleural effusion, else 0.02).",
                ),
                sockets.noise_level_input(
                    "Noise at which the relevance map is read, 0 to 1; several with commas are averaged."
                ),
                sockets.draws_input("Noise draws of the relevance map; 0: as recommended."),
                io.Combo.Input(
                    "relevance_source",
                    options=list(SOURCES),
                    default="noise",
                    tooltip="What the relevance map is read from: predicted noise, attention to the words, or both.",
                ),
                io.Boolean.Input(
                    "attention_gating",
                    default=False,
                    tooltip="Hold the model's attention to the words to the mask, while it denoises.",
                ),
                _switch("remove_islands", "Drop small parts of the mask."),
                _switch("close_holes", "Fill holes of the mask, within the pseudomask."),
                _switch("limit_area", "Hold the mask to a size that the findings can have."),
                io.Boolean.Input(
                    "align",
                    default=True,
                    tooltip="Lay the pseudomask over the patient's lungs. Off: the image is the typical radiograph.",
                ),
                io.String.Input("negative", default="", tooltip="What to lead away from; empty: nothing."),
                sockets.Atlas.Input("atlas", optional=True, tooltip="Other pseudomasks, from Load Pseudomask."),
                io.Mask.Input(
                    "pseudomask",
                    optional=True,
                    tooltip="Where editing is allowed at all, instead of the atlas: the relevance map still decides "
                    "where within it.",
                ),
            ],
            outputs=[sockets.Settings.Output("settings", display_name="settings", tooltip="For Edit Radiograph.")],
        )

    @classmethod
    def validate_inputs(cls, noise_level) -> bool | str:
        return sockets.check_noise_level(noise_level)

    @classmethod
    def execute(cls, **chosen) -> io.NodeOutput:
        from .work.settings import MoreSettings

        return io.NodeOutput(MoreSettings.from_widgets(**chosen))
