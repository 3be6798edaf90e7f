"""X2XLoadNative: load a checkpoint as ComfyUI's MODEL, CLIP and VAE."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .checks import check_menus
from .choices import DEMO, DTYPES
from .work.folders import diffusers_places


class X2XLoadNative(io.ComfyNode):
    """Load a checkpoint in diffusers layout as ComfyUI's MODEL, CLIP and VAE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XLoadNative",
            display_name="Load InstructX2X (Native)",
            category=sockets.NATIVE,
            **sockets.search_aliases("checkpoint loader", "diffusers", "InstructPix2Pix"),
            description="Load an InstructPix2Pix or InstructX2X checkpoint in diffusers layout for ComfyUI's own "
            "samplers.",
            inputs=[
                sockets.menu(
                    "checkpoint",
                    diffusers_places(),
                    DEMO,
                    "The included demo, or a folder in diffusers layout (in models/instructx2x, models/diffusers or "
                    "models/checkpoints, at any depth).",
                ),
                sockets.dtype_input("Floating-point type of the U-Net. auto: chosen by ComfyUI."),
            ],
            outputs=[
                io.Model.Output(
                    "model",
                    display_name="model",
                    tooltip="The U-Net, conditioned on the latent of the input image.",
                ),
                io.Clip.Output("clip", display_name="clip", tooltip="The text encoder, for CLIP Text Encode."),
                io.Vae.Output("vae", display_name="vae", tooltip="The autoencoder, for VAE Encode and VAE Decode."),
            ],
        )

    @classmethod
    def validate_inputs(cls, checkpoint: str | None, dtype: str | None) -> bool | str:
        """Check that the checkpoint exists."""
        if error := check_menus(dtype=(dtype, DTYPES)):
            return error
        if checkpoint is None or checkpoint in diffusers_places():
            return True
        return (
            f"`checkpoint` must be a folder in diffusers layout, but {checkpoint!r} was not found on this machine. "
            "Choose another one, or copy it to models/instructx2x and refresh the node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, checkpoint: str, dtype: str) -> str:
        """Return a value that changes when the files of the checkpoint change."""
        from .work.checkpoints import fingerprint

        return f"{fingerprint(diffusers_places().get(checkpoint))} {dtype}"

    @classmethod
    def execute(cls, checkpoint: str, dtype: str) -> io.NodeOutput:
        """Load the checkpoint."""
        from .comfy_native.loading import load_native

        return io.NodeOutput(*load_native(diffusers_places()[checkpoint], dtype))
