"""X2XGuidanceMap (pseudomask times relevance, and the mask) and X2XGuidancePreview (an overlay of them)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .checks import check_finite
from .choices import STYLES

if TYPE_CHECKING:
    import torch

    from .work.regions import Places


class X2XGuidanceMap(io.ComfyNode):
    """Compute G = P * R and the mask M where an edit may change the image."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XGuidanceMap",
            display_name="Guidance Map",
            category=sockets.GUIDE,
            **sockets.search_aliases("combine masks", "edit region", "threshold"),
            description="Multiply the pseudomask by the relevance map and derive the mask that restricts an edit. Both "
            "outputs are MASKs that any mask node can modify.",
            inputs=[
                io.Mask.Input("pseudomask", tooltip="P: where the finding can occur."),
                io.Mask.Input(
                    "relevance", tooltip="R: where the model would edit. The outputs have the size of this map."
                ),
                *_mask_inputs(),
                io.String.Input(
                    "instruction",
                    optional=True,
                    force_input=True,
                    tooltip="Limits the mask to the expected size of these findings.",
                ),
                sockets.Places.Input(
                    "places",
                    optional=True,
                    tooltip="From Pseudomask. With it, the mask is the one that Edit Radiograph finds: one component "
                    "is "
                    "kept per clause and side, and the mask is limited to the expected size of the findings.",
                ),
                sockets.keep_mask_input(),
            ],
            outputs=[
                io.Mask.Output(
                    "guidance",
                    display_name="guidance",
                    tooltip="G in [0, 1]: how strongly each location is a target of the edit.",
                ),
                io.Mask.Output(
                    "guidance_mask",
                    display_name="guidance_mask",
                    tooltip="M: 1 where the image may change.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        pseudomask: torch.Tensor,
        relevance: torch.Tensor,
        mask_rule: str,
        threshold: float,
        remove_islands: bool,
        close_holes: bool,
        soft_edge: float,
        instruction: str | None = None,
        places: Places | None = None,
        keep_mask: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        """Compute the map and the mask."""
        from .work.regions import guidance_of
        from .work.tensors import to_mask

        check_finite(threshold=threshold, soft_edge=soft_edge)
        rules = {
            "mask_rule": mask_rule,
            "mask_threshold": threshold,
            "remove_islands": remove_islands,
            "close_holes": close_holes,
        }
        guidance, mask = guidance_of(pseudomask, relevance, rules, soft_edge, instruction, places, keep_mask)
        return io.NodeOutput(to_mask(guidance), to_mask(mask))


def _mask_inputs() -> list[sockets.Input]:
    """Return the widgets that turn the map into a mask."""
    return [
        sockets.mask_rule_input(
            "adaptive: the smallest region with 98 % of the map's energy. threshold: all values of at least "
            "`threshold`, as published."
        ),
        sockets.threshold_input("Lowest value of the map inside the mask. Used with mask_rule 'threshold'."),
        io.Boolean.Input("remove_islands", default=True, tooltip="Remove small components of the mask."),
        io.Boolean.Input("close_holes", default=True, tooltip="Fill holes in the mask, within the pseudomask."),
        sockets.number(
            "soft_edge",
            0.0,
            (0.0, 0.5),
            0.005,
            "Width of a soft edge inside the mask, as a fraction of the image's longer side, for use with other mask "
            "nodes. Edit Radiograph softens the edge itself and uses values of at least 0.5.",
        ),
    ]


class X2XGuidancePreview(io.ComfyNode):
    """Overlay a map on the radiograph."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XGuidancePreview",
            display_name="Guidance Preview",
            category=sockets.GUIDE,
            **sockets.search_aliases("overlay", "heatmap", "show mask"),
            description="Overlay a guidance map and the outline of a mask on the radiograph.",
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="The radiograph."),
                io.Mask.Input("guidance", tooltip="The map to show: guidance, relevance, uncertainty or pseudomask."),
                sockets.menu(
                    "style",
                    STYLES,
                    STYLES[0],
                    "colour map: dark is 0, bright is 1, with a legend. red: over a faded radiograph, as in the "
                    "paper's figures.",
                ),
                io.Mask.Input("guidance_mask", optional=True, tooltip="A mask to outline."),
            ],
            outputs=[
                io.Image.Output(
                    "overlay",
                    display_name="overlay",
                    tooltip="The overlay. With 'colour map', a legend is on the right.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls, image: torch.Tensor, guidance: torch.Tensor, style: str, guidance_mask: torch.Tensor | None = None
    ) -> io.NodeOutput:
        """Draw the overlay."""
        from .work.pictures import overlays, preview

        overlay = overlays(image, guidance, guidance_mask, style)
        return io.NodeOutput(overlay, ui=preview(overlay, cls))
