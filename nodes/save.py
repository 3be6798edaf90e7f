"""X2XSave: save edits with their provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .choices import BIT_DEPTHS

if TYPE_CHECKING:
    import torch


class X2XSave(io.ComfyNode):
    """Save edits as PNG with their provenance and ComfyUI's workflow."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XSave",
            display_name="Save Edit",
            category=sockets.EDIT,
            **sockets.search_aliases("save image", "16-bit", "provenance", "PNG"),
            description="Save images to the output folder as PNG. The metadata marks each file as synthetic and "
            "records "
            "how it was made. Drop a file on the page to restore its workflow.",
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="The edited radiographs."),
                io.String.Input(
                    "filename_prefix",
                    default="InstructX2X/edit",
                    tooltip="Folder and start of the file name. ComfyUI's placeholders such as %date:yyyy-MM-dd% can "
                    "be "
                    "used.",
                ),
                sockets.menu(
                    "bit_depth", BIT_DEPTHS, BIT_DEPTHS[0], "16-bit keeps all grey levels of a 16-bit original."
                ),
                io.Image.Input("before", optional=True, tooltip="The original. Adds a panel file."),
                io.String.Input(
                    "instruction", optional=True, force_input=True, tooltip="Recorded in the metadata of the file."
                ),
                io.Mask.Input(
                    "guidance",
                    optional=True,
                    tooltip="The guidance map. Adds a file with its overlay on the radiograph.",
                ),
                io.String.Input(
                    "info",
                    optional=True,
                    force_input=True,
                    tooltip="`info` of Edit Radiograph. Recorded in the metadata of the file.",
                ),
            ],
            outputs=[],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        filename_prefix: str,
        bit_depth: str,
        before: torch.Tensor | None = None,
        instruction: str | None = None,
        guidance: torch.Tensor | None = None,
        info: str | None = None,
    ) -> io.NodeOutput:
        """Write the files."""
        from .work.saving import EditRecord, save_edits

        depth = int(bit_depth.split("-")[0])
        saved = save_edits(cls, image, filename_prefix, depth, EditRecord(before, instruction, guidance, info))
        return io.NodeOutput(ui={"images": saved, "animated": (False,)})
