"""X2XLoadPseudomask: load an atlas of pseudomasks, published masks, or a single mask."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .choices import BUNDLED_ATLAS
from .work.pseudomask_files import pseudomask_places, read_pseudomask


class X2XLoadPseudomask(io.ComfyNode):
    """Load an atlas (output `atlas`) or a single mask (output `mask`)."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XLoadPseudomask",
            display_name="Load Pseudomask",
            category=sockets.LOAD,
            **sockets.search_aliases("atlas", "anatomical prior", "load mask"),
            description="Load the regions where findings can occur. A file with one mask per finding is an `atlas`; a "
            "file with a single mask is a `mask`. The other output stops the nodes connected to it with a message.",
            inputs=[
                sockets.menu(
                    "file",
                    pseudomask_places(),
                    BUNDLED_ATLAS,
                    "The included atlas, or a file in models/instructx2x or the input folder: an atlas (.safetensors), "
                    "a folder of published masks (pseudo_mask_<Category>.npy), a single published mask, or a picture "
                    "(white where editing is allowed).",
                ),
            ],
            outputs=[
                sockets.Atlas.Output(
                    "atlas",
                    display_name="atlas",
                    tooltip="Masks by finding, for Pseudomask and Edit Settings.",
                ),
                io.Mask.Output(
                    "mask",
                    display_name="mask",
                    tooltip="A single mask, 1 where editing is allowed.",
                ),
                io.String.Output("info", display_name="info", tooltip="A description of the file's contents."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None) -> bool | str:
        """Check that the file exists."""
        if file is None or file in pseudomask_places():
            return True
        return (
            f"`file` {file!r} was not found on this machine. Choose another one, or copy it to models/instructx2x or "
            "the input folder and refresh the node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, file: str) -> str:
        """Return a value that changes when the file changes."""
        from .work.checkpoints import fingerprint

        return fingerprint(pseudomask_places().get(file))

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        """Read the file."""
        from comfy_execution.graph_utils import ExecutionBlocker

        contents = read_pseudomask(file, pseudomask_places()[file])
        atlas, mask = contents.atlas, contents.mask
        if atlas is None:
            atlas = ExecutionBlocker(f"`{file}` is a single mask, not an atlas: connect the output `mask`.")
        if mask is None:
            mask = ExecutionBlocker(f"`{file}` is an atlas, not a single mask: connect the output `atlas`.")
        return io.NodeOutput(atlas, mask, contents.info)
