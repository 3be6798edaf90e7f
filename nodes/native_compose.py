"""X2XNativeCompose: merge the edit of any graph into the original picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import sockets
from .checks import check_finite
from .choices import COMPOSITIONS, DEFAULT, EXTENT_EDGE, SOFT_EDGE, SOFT_EDGE_WORDS

if TYPE_CHECKING:
    import torch

    from .work.regions import Places

_ADDED = tuple(name for name in COMPOSITIONS if name != "decoded")  # "decoded" is what has no `unchanged`


class X2XNativeCompose(io.ComfyNode):
    """Merge a decoded edit into the original picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XNativeCompose",
            display_name="Compose Edit",
            category=sockets.NATIVE,
            **sockets.search_aliases("stitch", "paste", "inpaint composite", "difference", "uncrop"),
            description="Merge the edit of any graph, inpainting or instruction editing, into the original inside the "
            "mask, without a seam or a shift of colours. Pixels outside it stay identical.",
            inputs=[
                io.Image.Input("image", tooltip="The original picture."),
                io.Image.Input("edited", tooltip="The edit from VAE Decode."),
                io.Mask.Input(
                    "guidance_mask",
                    tooltip="Where the image may change: the mask given to Region Guider or to an inpainting node.",
                ),
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
                *_optional_inputs(),
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
        composition: str = _ADDED[0],
        remove_drift: bool = False,
        keep_mask: torch.Tensor | None = None,
        crop: Any = None,
        places: Places | None = None,
    ) -> io.NodeOutput:
        """Merge the edit."""
        from .comfy_native.compose import Blending, Decoded, compose

        check_finite(soft_edge=soft_edge, strength=strength)
        count = max(len(image), len(edited))
        size = None if encoded is None else (encoded.shape[1], encoded.shape[2])
        decoded = Decoded(edited, unchanged, size, crop)
        drawn = None if places is None else places.drawn_at((image.shape[1], image.shape[2]), count)
        blending = Blending(soft_edge, strength, composition, remove_drift)
        return io.NodeOutput(compose(image, decoded, guidance_mask, blending, keep_mask, drawn))


def _optional_inputs() -> list[sockets.Input]:
    """Return the reference of a difference, and how the difference is added."""
    return [
        io.Image.Input(
            "unchanged",
            optional=True,
            tooltip="The reference for a difference: the image's latent decoded, or the result of the same noise "
            "without the instruction (guidance_scale 0). The difference is added to the original, which keeps its "
            "texture. Not connected: the edit replaces the original.",
        ),
        io.Image.Input(
            "encoded",
            optional=True,
            tooltip="The image that was given to VAE Encode, if it was scaled to a size that is not a multiple "
            "of 8 (for some models of 16 or 32). VAE Encode crops such an image.",
        ),
        sockets.menu(
            "composition",
            _ADDED,
            _ADDED[0],
            "How the difference to `unchanged` is added. difference: as it is, with the original's texture. "
            "saturating: never brighter than the image's own soft tissue, for radiographs.",
            optional=True,
        ),
        io.Boolean.Input(
            "remove_drift",
            default=False,
            optional=True,
            tooltip="Subtract the change that the edit shows outside the mask, continued smoothly into it. For "
            "models that shift the colours of the whole image.",
        ),
        sockets.keep_mask_input(),
        sockets.Crop.Input(
            "crop",
            optional=True,
            tooltip="From Crop to Mask, if its crop was edited: the edit goes back to its place in `image`, at the "
            "image's own resolution.",
        ),
        sockets.Places.Input(
            "places",
            optional=True,
            tooltip="From Pseudomask with `draw_extent`: the difference to `unchanged` is given the detail of the "
            f"extents, as Edit Radiograph does: sharp edges, narrow lines. Set `soft_edge` to {EXTENT_EDGE:g} then.",
        ),
    ]
