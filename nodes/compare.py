"""X2XCompare: before and after, side by side and under a slider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets

if TYPE_CHECKING:
    import torch


class X2XCompare(io.ComfyNode):
    """Show a slider on the node and draw a panel of before, guidance, after and difference."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XCompare",
            display_name="Compare Before and After",
            category=sockets.EDIT,
            **sockets.search_aliases("image compare", "slider", "difference", "before after"),
            description="Compare two images with a slider on the node, and draw a panel that also shows the guidance "
            "map "
            "and the difference.",
            is_output_node=True,
            inputs=[
                io.Image.Input("before", tooltip="The original radiograph."),
                io.Image.Input("after", tooltip="The edited radiograph, of the same size."),
                io.Mask.Input("guidance", optional=True, tooltip="A guidance map to show in the panel."),
                io.Mask.Input("guidance_mask", optional=True, tooltip="A mask to outline on the guidance map."),
                io.String.Input("instruction", optional=True, force_input=True, tooltip="The title of the panel."),
            ],
            outputs=[
                io.Image.Output(
                    "panel",
                    display_name="panel",
                    tooltip="Before, guidance, after and difference, side by side.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        before: torch.Tensor,
        after: torch.Tensor,
        guidance: torch.Tensor | None = None,
        guidance_mask: torch.Tensor | None = None,
        instruction: str | None = None,
    ) -> io.NodeOutput:
        """Draw the panel."""
        from .work.pictures import panels, preview, slider_pictures

        panel = panels(before, after, guidance, guidance_mask, instruction or "")
        ui = {**preview(panel, cls), **slider_pictures(before, after, cls)}
        return io.NodeOutput(panel, ui=ui)
