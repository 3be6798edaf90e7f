"""X2XLoadPipeline: load a checkpoint as a pipeline."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .checks import check_menus
from .choices import DEMO, DTYPES
from .work.folders import checkpoint_places


class X2XLoadPipeline(io.ComfyNode):
    """Load a checkpoint once and share it between nodes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XLoadPipeline",
            display_name="Load InstructX2X Pipeline",
            category=sockets.LOAD,
            **sockets.search_aliases("checkpoint", "load model", "InstructPix2Pix", "diffusers"),
            description="Load an InstructX2X or InstructPix2Pix checkpoint. A demo checkpoint is included.",
            inputs=[
                sockets.menu(
                    "checkpoint",
                    checkpoint_places(),
                    DEMO,
                    "The included demo, a folder in diffusers layout (in models/instructx2x, models/diffusers or "
                    "models/checkpoints, at any depth), or a single file in models/checkpoints.",
                ),
                sockets.dtype_input(
                    "Floating-point type of the model. auto: half precision on devices that support it well, otherwise "
                    "float32."
                ),
            ],
            outputs=[
                sockets.Pipeline.Output(
                    "pipeline",
                    display_name="pipeline",
                    tooltip="The loaded checkpoint, for Edit Radiograph and Relevance Map.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, checkpoint: str | None, dtype: str | None = None) -> bool | str:
        """Check that the checkpoint exists."""
        if error := check_menus(dtype=(dtype, DTYPES)):
            return error
        if checkpoint is None or checkpoint in checkpoint_places():
            return True
        return (
            f"`checkpoint` {checkpoint!r} was not found on this machine. Choose another one, or copy it to "
            "models/instructx2x and refresh the node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, checkpoint: str, dtype: str) -> str:
        """Return a value that changes when the files of the checkpoint change."""
        from .work.checkpoints import fingerprint

        return f"{fingerprint(checkpoint_places().get(checkpoint))} {dtype}"

    @classmethod
    def execute(cls, checkpoint: str, dtype: str) -> io.NodeOutput:
        """Load the checkpoint."""
        from .work.checkpoints import load

        return io.NodeOutput(load(checkpoint, checkpoint_places()[checkpoint], dtype))
