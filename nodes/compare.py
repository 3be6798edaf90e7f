"""X2XCompare: before and after, side by side and under a slider."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets


class X2XCompare(io.ComfyNode):
    """A panel of before, guidance, after and difference; a slider on the node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XCompare",
            display_name="Compare Before and After",
            category=sockets.EDIT,
            description="A slider between before and after on the node, and a panel with guidance and difference for "
            "print.",
            is_output_node=True,
            inputs=[
                io.Image.Input("before", tooltip="The radiograph."),
                io.Image.Input("after", tooltip="The edited one, of the same size."),
                io.Mask.Input("guidance", optional=True, tooltip="The guidance map, shown in the panel."),
                io.Mask.Input(
                    "guidance_mask",
                    optional=True,
                    tooltip="Where it was allowed to change: its outline is drawn.",
                ),
                io.String.Input("instruction", optional=True, force_input=True, tooltip="The panel's title."),
            ],
            outputs=[
                io.Image.Output(
                    "panel",
                    display_name="panel",
                    tooltip="Before, guidance, after and difference in a row.",
                ),
            ],
        )

    @classmethod
    def execute(cls, before, after, guidance=None, guidance_mask=None, instruction: str | None = None) -> io.NodeOutput:
        from .work.pictures import panels, preview, slider_pictures

        panel = panels(before, after, guidance, guidance_mask, instruction or "")
        ui = {**preview(panel, cls), **slider_pictures(before, after, cls)}
        return io.NodeOutput(panel, ui=ui)
