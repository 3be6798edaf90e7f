"""X2XSaveArchive: store an edit in the study of its original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from . import sockets

if TYPE_CHECKING:
    import torch

    from .work.archive import Film


class X2XSaveArchive(io.ComfyNode):
    """Store an edit, its guidance mask and map, and a panel in an archive, beside the original."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XSaveArchive",
            display_name="Save to Archive",
            category=sockets.EDIT,
            **sockets.search_aliases("PACS", "DICOMweb", "save DICOM", "Orthanc"),
            description="Store an edit in the archive that its original came from: in the same study, in new series, "
            "marked as synthetic. All objects are stored or none, and the same edit only once.",
            is_output_node=True,
            inputs=[
                sockets.Film.Input("film", tooltip="`film` of Load from Archive."),
                io.Image.Input("image", tooltip="`edited` of Edit Radiograph: one image of the film's size."),
                io.Mask.Input("guidance", tooltip="`guidance` of Edit Radiograph. Stored as Parametric Map."),
                io.Mask.Input(
                    "edit_mask",
                    tooltip="`edit_mask` of Edit Radiograph. Stored as Segmentation. Outside it the stored values are "
                    "the original's.",
                ),
                io.String.Input(
                    "instruction", force_input=True, tooltip="The instruction. Recorded as it is: name nobody in it."
                ),
                io.Boolean.Input("burn_in", default=False, tooltip="Write the synthetic mark into the edit's pixels."),
                io.String.Input(
                    "info", optional=True, force_input=True, tooltip="`info` of Edit Radiograph. Recorded, too."
                ),
            ],
            outputs=[
                io.String.Output("stored", display_name="stored", tooltip="The objects that the archive has now.")
            ],
        )

    @classmethod
    def execute(
        cls,
        film: Film,
        image: torch.Tensor,
        guidance: torch.Tensor,
        edit_mask: torch.Tensor,
        instruction: str,
        burn_in: bool,
        info: str | None = None,
    ) -> io.NodeOutput:
        """Store the objects."""
        from .work.archive import ArchivedEdit, store_edit

        said = store_edit(film, ArchivedEdit(image, guidance, edit_mask, instruction, info), burn_in)
        return io.NodeOutput(said, ui={"x2x_text": [said]})
