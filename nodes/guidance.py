"""X2XGuidanceMap (pseudomask times relevance, and the mask) and X2XGuidancePreview (the picture of them)."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets

MASK_RULES = ("adaptive", "threshold")
STYLES = ("colour map", "red")


class X2XGuidanceMap(io.ComfyNode):
    """G = P * R, and the mask M of where an edit may change the image."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XGuidanceMap",
            display_name="Guidance Map",
            category=sockets.GUIDE,
            description="Joins where a finding can be with where the model would edit, and cuts the mask that an edit "
            "is held to. Both come out as MASK: paint on them, grow them, join them with any mask node.",
            inputs=[
                io.Mask.Input("pseudomask", tooltip="Where the finding can be, P."),
                io.Mask.Input("relevance", tooltip="Where the model would edit, R. Its size is taken."),
                io.Combo.Input(
                    "mask_rule",
                    options=list(MASK_RULES),
                    default="adaptive",
                    tooltip="adaptive: the smallest region that holds 98 % of the map's energy. threshold: everything "
                    "from `threshold` up, as published.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.1,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The map's level from which the image may change. Counts with the rule 'threshold' only.",
                ),
                io.Boolean.Input("remove_islands", default=True, tooltip="Drop small parts of the mask."),
                io.Boolean.Input("close_holes", default=True, tooltip="Fill holes of the mask, within the pseudomask."),
                io.Float.Input(
                    "soft_edge",
                    default=0.0,
                    min=0.0,
                    max=0.5,
                    step=0.005,
                    tooltip="Width of a soft inner edge of the mask, share of the image's longer side, for other mask "
                    "nodes. The editing node softens the edge by itself and takes a mask from 0.5 up.",
                ),
                io.String.Input(
                    "instruction",
                    optional=True,
                    force_input=True,
                    tooltip="Where it is connected, the mask is held to a size that the findings can have.",
                ),
                sockets.Places.Input(
                    "places",
                    optional=True,
                    tooltip="From Pseudomask. Where it is connected, the mask is the one that Edit Radiograph finds: a "
                    "piece of it is kept for each clause and on each side, and it is held to a size that the findings "
                    "can have.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "guidance",
                    display_name="guidance",
                    tooltip="G in [0, 1]: how much the model is led to change each place.",
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
        pseudomask,
        relevance,
        mask_rule: str,
        threshold: float,
        remove_islands: bool,
        close_holes: bool,
        soft_edge: float,
        instruction: str | None = None,
        places=None,
    ) -> io.NodeOutput:
        from .work.regions import guidance_of
        from .work.tensors import to_mask

        rules = {
            "mask_rule": mask_rule,
            "mask_threshold": threshold,
            "remove_islands": remove_islands,
            "close_holes": close_holes,
        }
        guidance, mask = guidance_of(pseudomask, relevance, rules, soft_edge, instruction, places)
        return io.NodeOutput(to_mask(guidance), to_mask(mask))


class X2XGuidancePreview(io.ComfyNode):
    """The guidance map over the radiograph."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XGuidancePreview",
            display_name="Guidance Preview",
            category=sockets.GUIDE,
            description="The picture that explains an edit: the guidance map over the radiograph, and the mask's "
            "outline.",
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="The radiograph."),
                io.Mask.Input("guidance", tooltip="The map to show: guidance, relevance or pseudomask."),
                io.Combo.Input(
                    "style",
                    options=list(STYLES),
                    default="colour map",
                    tooltip="colour map: dark is 0, bright is 1, with a legend. red: over a faded radiograph, as in "
                    "the paper's figures.",
                ),
                io.Mask.Input("guidance_mask", optional=True, tooltip="Its outline is drawn."),
            ],
            outputs=[
                io.Image.Output(
                    "overlay",
                    display_name="overlay",
                    tooltip="The picture, with the legend on its right.",
                ),
            ],
        )

    @classmethod
    def execute(cls, image, guidance, style: str, guidance_mask=None) -> io.NodeOutput:
        from .work.pictures import overlays, preview

        overlay = overlays(image, guidance, guidance_mask, style)
        return io.NodeOutput(overlay, ui=preview(overlay, cls))
