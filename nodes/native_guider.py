"""X2XRegionGuider: guidance of any MODEL, restricted to a mask, for ComfyUI's own samplers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import sockets
from .checks import check_finite

if TYPE_CHECKING:
    import torch


class X2XRegionGuider(io.ComfyNode):
    """Guide a sampler by an instruction inside a mask."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XRegionGuider",
            display_name="Region Guider",
            category=sockets.NATIVE,
            **sockets.search_aliases("masked guidance", "CFG guider", "inpaint", "regional prompt"),
            description="Guide SamplerCustomAdvanced by the instruction inside a mask only, with any model of "
            "pictures; InstructPix2Pix models with a second scale for the image. Outside the mask the latent stays "
            "identical.",
            inputs=[
                *sockets.native_inputs(),
                io.Latent.Input(
                    "image_latent",
                    tooltip="The latent of the image to edit, from VAE Encode. Connect it to `latent_image` of the "
                    "sampler as well.",
                ),
                *sockets.scale_inputs(
                    (0.0, 100.0),
                    "How strongly the instruction is followed. 0 ignores it: the result is what the same noise gives "
                    "without the instruction. For models whose guidance is distilled (FLUX.1 Kontext) 1, which skips "
                    "the negative text.",
                    "How closely the input image is followed, by InstructPix2Pix models alone: others have no such "
                    "scale. At 1, a step takes two U-Net calls instead of three.",
                ),
                io.Mask.Input(
                    "guidance_mask",
                    optional=True,
                    tooltip="Where the image may change (values of at least 0.5). Not connected: everywhere.",
                ),
                sockets.keep_mask_input(),
            ],
            outputs=[io.Guider.Output("guider", display_name="guider", tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        positive: Any,
        negative: Any,
        image_latent: dict[str, Any],
        guidance_scale: float,
        image_guidance_scale: float,
        guidance_mask: torch.Tensor | None = None,
        keep_mask: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        """Make the guider."""
        from .comfy_native.guider import region_guider
        from .comfy_native.inputs import Conditionings

        check_finite(guidance_scale=guidance_scale, image_guidance_scale=image_guidance_scale)
        conditionings, scales = Conditionings(positive, negative), (guidance_scale, image_guidance_scale)
        return io.NodeOutput(region_guider(model, conditionings, image_latent, scales, guidance_mask, keep_mask))
