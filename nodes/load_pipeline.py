"""X2XLoadPipeline: a checkpoint as a pipeline, ready to edit."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .work.folders import DEMO, checkpoint_places

DTYPES = ("auto", "float32", "float16", "bfloat16")


class X2XLoadPipeline(io.ComfyNode):
    """Load a checkpoint, once for all nodes that ask for the same."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XLoadPipeline",
            display_name="Load InstructX2X Pipeline",
            category=sockets.LOAD,
            description="Loads an InstructX2X or InstructPix2Pix checkpoint. The demo ships with the pack.",
            inputs=[
                io.Combo.Input(
                    "checkpoint",
                    options=list(checkpoint_places()),
                    default=DEMO,
                    tooltip="The demo that ships, a folder in diffusers layout (models/instructx2x, models/diffusers, "
                    "models/checkpoints, nested ones too), or a single file of models/checkpoints.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPES),
                    default="auto",
                    tooltip="Numbers that the model computes with. auto: half precision where the device is good at "
                    "it, else float32.",
                ),
            ],
            outputs=[
                sockets.Pipeline.Output(
                    "pipeline",
                    display_name="pipeline",
                    tooltip="The checkpoint, for the nodes that edit or look.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, checkpoint, dtype=None) -> bool | str:
        if wrong := sockets.check_choices(dtype=(dtype, DTYPES)):
            return wrong
        if checkpoint is None or checkpoint in checkpoint_places():
            return True
        return (
            f"`checkpoint` must be one that is on this machine, but {checkpoint!r} is not. Choose another one, or put "
            "it into models/instructx2x and refresh the page's node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, checkpoint, dtype) -> str:
        from .work.checkpoints import fingerprint

        return f"{fingerprint(checkpoint_places().get(checkpoint))} {dtype}"

    @classmethod
    def execute(cls, checkpoint: str, dtype: str) -> io.NodeOutput:
        from .work.checkpoints import load

        return io.NodeOutput(load(checkpoint, checkpoint_places()[checkpoint], dtype))
