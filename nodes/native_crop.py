"""X2XCropToMask: a crop around a mask, to be edited at a finer scale than the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .checks import check_finite

if TYPE_CHECKING:
    import torch


class X2XCropToMask(io.ComfyNode):
    """Cut a square around a mask out of a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XCropToMask",
            display_name="Crop to Mask",
            category=sockets.NATIVE,
            **sockets.search_aliases("inpaint crop", "crop and stitch", "zoom", "bounding box"),
            description="Cut a square around the mask out of the picture and scale it, so that a small region is "
            "edited at the model's full resolution. Compose Edit puts the edit back.",
            inputs=[
                io.Image.Input("image", tooltip="The original picture."),
                io.Mask.Input(
                    "guidance_mask",
                    tooltip="The region of the edit (values of at least 0.5). Any size; one, or one per image.",
                ),
                io.Int.Input(
                    "size",
                    default=512,
                    min=64,
                    max=4096,
                    step=64,
                    tooltip="Side of the square in pixels: the resolution that the model was trained on.",
                ),
                sockets.number(
                    "margin",
                    0.1,
                    (0.0, 1.0),
                    0.01,
                    "Surroundings of the mask that the model sees, as a fraction of the image's longer side.",
                ),
            ],
            outputs=[
                io.Image.Output("cropped", display_name="cropped", tooltip="The square, for VAE Encode."),
                io.Mask.Output(
                    "cropped_mask",
                    display_name="cropped_mask",
                    tooltip="The mask in the square, for Region Guider or an inpainting node.",
                ),
                sockets.Crop.Output("crop", display_name="crop", tooltip="Where the square lies, for Compose Edit."),
            ],
        )

    @classmethod
    def execute(cls, image: torch.Tensor, guidance_mask: torch.Tensor, size: int, margin: float) -> io.NodeOutput:
        """Cut the square."""
        from .comfy_native.crops import crop_to_mask

        check_finite(margin=margin)
        return io.NodeOutput(*crop_to_mask(image, guidance_mask, size, margin))
