"""X2XSave: pictures that say what they are."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets

BIT_DEPTHS = ("8-bit", "16-bit")


class X2XSave(io.ComfyNode):
    """Save edits as PNG with their provenance and ComfyUI's workflow."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XSave",
            display_name="Save Edit",
            category=sockets.EDIT,
            description="Saves to the output folder. Each file says in its metadata that it is synthetic and for "
            "research, and how it was made; drop it on the page to get the workflow back.",
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="The edited radiograph, one or several."),
                io.String.Input(
                    "filename_prefix",
                    default="InstructX2X/edit",
                    tooltip="Folder and beginning of the name; ComfyUI's %date:yyyy-MM-dd% and the like work.",
                ),
                io.Combo.Input(
                    "bit_depth",
                    options=list(BIT_DEPTHS),
                    default="8-bit",
                    tooltip="16-bit keeps all grey levels of a 16-bit original.",
                ),
                io.Image.Input("before", optional=True, tooltip="Where it is connected, a panel is saved too."),
                io.String.Input("instruction", optional=True, force_input=True, tooltip="Recorded in the file."),
                io.Mask.Input("guidance", optional=True, tooltip="Where it is connected, its picture is saved too."),
                io.String.Input(
                    "info",
                    optional=True,
                    force_input=True,
                    tooltip="Of the editing node; recorded in the file.",
                ),
            ],
            outputs=[],
        )

    @classmethod
    def execute(
        cls,
        image,
        filename_prefix: str,
        bit_depth: str,
        before=None,
        instruction: str | None = None,
        guidance=None,
        info: str | None = None,
    ) -> io.NodeOutput:
        from .work.saving import save_edits

        depth = int(bit_depth.split("-")[0])
        saved = save_edits(cls, image, filename_prefix, depth, before, instruction, guidance, info)
        return io.NodeOutput(ui={"images": saved, "animated": (False,)})
