"""X2XNativeCompose: merge a decoded edit into the original picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets
from .checks import check_finite
from .choices import DEFAULT, SOFT_EDGE, SOFT_EDGE_WORDS

if TYPE_CHECKING:
    import torch


class X2XNativeCompose(io.ComfyNode):
    """Merge a decoded edit into the original picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XNativeCompose",
            display_name="Compose Edit",
            category=sockets.NATIVE,
            description="Merge the edit into the original inside the mask. Pixels outside it stay identical.",
            inputs=[
                io.Image.Input("image", tooltip="The original picture."),
                io.Image.Input("edited", tooltip="The edit from VAE Decode."),
                io.Mask.Input("guidance_mask", tooltip="Where the image may change: the mask given to Region Guider."),
                sockets.number(
                    "soft_edge",
                    SOFT_EDGE,
                    (0.0, 0.5),
                    0.005,
                    "Width of the soft edge inside the mask, as a fraction of the image's longer side. Edit Radiograph "
                    f"uses {SOFT_EDGE_WORDS}.",
                ),
                sockets.number(
                    "strength",
                    DEFAULT.edit_strength,
                    (0.0, 1.0),
                    0.05,
                    "Opacity of the edit: 0 returns the original, 1 applies the full edit.",
                ),
                io.Image.Input(
                    "unchanged",
                    optional=True,
                    tooltip="The reference for a difference: the image's latent decoded, or the result of the same "
                    "noise "
                    "with guidance_scale 0. The difference is added to the original, which keeps its texture. Not "
                    "connected: the edit replaces the original.",
                ),
                io.Image.Input(
                    "encoded",
                    optional=True,
                    tooltip="The image that was given to VAE Encode, if it was scaled to a size that is not a multiple "
                    "of 8. VAE Encode crops such an image.",
                ),
            ],
            outputs=[
                io.Image.Output("result", display_name="result", tooltip="The original with the edit inside the mask.")
            ],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        edited: torch.Tensor,
        guidance_mask: torch.Tensor,
        soft_edge: float,
        strength: float,
        unchanged: torch.Tensor | None = None,
        encoded: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        """Merge the edit."""
        from .comfy_native.compose import Decoded, compose

        check_finite(soft_edge=soft_edge, strength=strength)
        size = None if encoded is None else (encoded.shape[1], encoded.shape[2])
        decoded = Decoded(edited, unchanged, size)
        return io.NodeOutput(compose(image, decoded, guidance_mask, soft_edge, strength))
