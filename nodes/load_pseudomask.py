"""X2XLoadPseudomask: where findings can be, from a file: an atlas, published masks, or a single mask."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets


class X2XLoadPseudomask(io.ComfyNode):
    """Read an atlas (`atlas`) or a single mask (`mask`)."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        from .work.pseudomask_files import BUNDLED, pseudomask_places

        return io.Schema(
            node_id="X2XLoadPseudomask",
            display_name="Load Pseudomask",
            category=sockets.LOAD,
            description="Reads where findings can be. A file that holds masks of findings by their names gives `atlas`; "
            "one that is a single mask gives `mask`. The output that a file has no answer for stops what is connected "
            "to it, and says why.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=list(pseudomask_places()),
                    default=BUNDLED,
                    tooltip="The atlas that ships; from models/instructx2x or the input folder: an atlas file "
                    "(.safetensors), a folder of published masks (pseudo_mask_<Category>.npy), one such mask, or a "
                    "picture (white is where editing is allowed).",
                ),
            ],
            outputs=[
                sockets.Atlas.Output(
                    "atlas",
                    display_name="atlas",
                    tooltip="Masks by finding, for Pseudomask and for the editing node's settings.",
                ),
                io.Mask.Output(
                    "mask",
                    display_name="mask",
                    tooltip="The single mask of the file, 1 where editing is allowed.",
                ),
                io.String.Output("info", display_name="info", tooltip="What the file holds."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file) -> bool | str:
        from .work.pseudomask_files import pseudomask_places

        if file is None or file in pseudomask_places():
            return True
        return (
            f"`file` must be one that is on this machine, but {file!r} is not. Choose another one, or put it into "
            "models/instructx2x or the input folder and refresh the page's node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, file) -> str:
        from .work.checkpoints import fingerprint
        from .work.pseudomask_files import pseudomask_places

        return fingerprint(pseudomask_places().get(file))

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        from comfy_execution.graph_utils import ExecutionBlocker

        from .work.pseudomask_files import pseudomask_places, read_pseudomask

        found = read_pseudomask(file, pseudomask_places()[file])
        atlas = found.atlas or ExecutionBlocker(f"`{file}` is a single mask and no atlas: connect the output `mask`.")
        mask = found.mask
        if mask is None:
            mask = ExecutionBlocker(f"`{file}` is an atlas and no single mask: connect the output `atlas`.")
        return io.NodeOutput(atlas, mask, found.info)
