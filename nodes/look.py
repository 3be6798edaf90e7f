"""Looking before an edit: X2XPseudomask (where a finding can be), X2XRelevanceMap (where the model would edit)."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets


class X2XPseudomask(io.ComfyNode):
    """The pseudomask P of an instruction, laid over this patient."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XPseudomask",
            display_name="Pseudomask",
            category=sockets.GUIDE,
            description="Where the findings of an instruction can be, laid over the lungs that are found in the image.",
            inputs=[
                sockets.instruction_input("Which findings, on which side and in which zone."),
                io.Image.Input("image", tooltip="The radiograph that the mask is laid over; several are aligned each."),
                io.Boolean.Input(
                    "align",
                    default=True,
                    tooltip="Find the patient's lungs and lay the mask over them. Off: the image is taken for the "
                    "typical radiograph.",
                ),
                sockets.Atlas.Input(
                    "atlas", optional=True, tooltip="Other masks than those that ship, from Load Pseudomask."
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "pseudomask",
                    display_name="pseudomask",
                    tooltip="P in [0, 1], one for each image: 1 where the finding is at home.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="What was understood, and how the mask was aligned.",
                ),
                sockets.Places.Output(
                    "places",
                    display_name="places",
                    tooltip="Where each clause and each side of it is at home, for Guidance Map.",
                ),
            ],
        )

    @classmethod
    def execute(cls, instruction: str, image, align: bool, atlas=None) -> io.NodeOutput:
        from .work.regions import pseudomask_of
        from .work.tensors import to_library, to_mask

        pseudomask, info, places = pseudomask_of(to_library(image), instruction, atlas, align)
        return io.NodeOutput(to_mask(pseudomask), info, places, ui={"x2x_text": [info]})


class X2XRelevanceMap(io.ComfyNode):
    """The relevance map R: where the instruction changes what the model predicts."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XRelevanceMap",
            display_name="Relevance Map",
            category=sockets.GUIDE,
            description="Where the model itself would change the image for the instruction, wherever that is.",
            inputs=[
                sockets.Pipeline.Input("pipeline", tooltip="The checkpoint that is asked."),
                io.Image.Input("image", tooltip="The radiograph."),
                sockets.instruction_input("What would be edited."),
                sockets.noise_level_input(
                    "Noise at which the model is asked, 0 to 1; several with commas are averaged (0.6, 0.7, "
                    "0.8). 'recommended': the checkpoint's own."
                ),
                sockets.draws_input(
                    "Noise draws that are averaged at each level; more are steadier and slower. 0: the "
                    "checkpoint's own number."
                ),
                sockets.seed_input("Of the noise. The same seed gives the edit node's own map."),
            ],
            outputs=[
                io.Mask.Output("relevance", display_name="relevance", tooltip="R in [0, 1], one for each image."),
                io.Mask.Output(
                    "uncertainty",
                    display_name="uncertainty",
                    tooltip="How far R would move with other noise, in its own units; 0 where there is a single draw.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, noise_level) -> bool | str:
        return sockets.check_noise_level(noise_level)

    @classmethod
    def execute(cls, pipeline, image, instruction: str, noise_level: str, draws: int, seed: int) -> io.NodeOutput:
        from .work.running import relevance_of
        from .work.tensors import to_library, to_mask

        found, uncertainty = relevance_of(pipeline, to_library(image), instruction, noise_level, draws, seed)
        return io.NodeOutput(to_mask(found), to_mask(uncertainty))
