"""X2XLoadArchive: load a radiograph from an archive by its study."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets


class X2XLoadArchive(io.ComfyNode):
    """Load a radiograph from an archive over DICOMweb or DIMSE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XLoadArchive",
            display_name="Load from Archive",
            category=sockets.LOAD,
            **sockets.search_aliases("PACS", "DICOMweb", "load study", "Orthanc"),
            description="Load a radiograph from a DICOM archive (PACS) by its study. The address and credentials are "
            "those of the environment that ComfyUI was started in.",
            inputs=[
                io.String.Input("study", default="", tooltip="Study instance UID."),
                io.String.Input(
                    "series", default="", tooltip="Series instance UID. Empty: all series of the study.", optional=True
                ),
                io.String.Input(
                    "instance",
                    default="",
                    tooltip="SOP instance UID. Empty: the only frontal radiograph that is not synthetic.",
                    optional=True,
                ),
            ],
            outputs=[
                io.Image.Output(
                    "radiograph",
                    display_name="image",
                    tooltip="The radiograph at its own size. Grey pictures are RGB with three equal channels.",
                ),
                sockets.Film.Output(
                    "film", display_name="film", tooltip="The DICOM object, for `film` of Save to Archive."
                ),
                io.String.Output(
                    "info", display_name="info", tooltip="Size, bit depth, and how the pixel values are displayed."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, study: str | None, series: str | None = None, instance: str | None = None) -> bool | str:
        """Check that UIDs are UIDs."""
        from .work.archive import check_place

        return True if study is None else check_place(study, series or "", instance or "")

    @classmethod
    def fingerprint_inputs(cls, study: str, series: str = "", instance: str = "") -> list[str]:
        """Return a value that changes with the place and the archive; objects of archives do not change."""
        from .work.archive import archive_address

        return [archive_address(), study, series, instance]

    @classmethod
    def execute(cls, study: str, series: str = "", instance: str = "") -> io.NodeOutput:
        """Fetch the radiograph."""
        from .work.archive import load_film
        from .work.files import describe
        from .work.pictures import preview
        from .work.tensors import to_image

        film = load_film(study, series, instance)
        pixels = to_image(film.radiograph.pixels)
        return io.NodeOutput(pixels, film, describe(film.radiograph), ui=preview(pixels, cls, synthetic=False))
