"""X2XLoadRadiograph: load a picture or DICOM file as IMAGE at its full bit depth."""

from __future__ import annotations

from comfy_api.latest import io

from x2x_core.imaging.kinds import PICTURE

from . import sockets
from .choices import BUNDLED_SAMPLE, SAMPLE
from .work.folders import input_radiographs


class X2XLoadRadiograph(io.ComfyNode):
    """Load a radiograph from ComfyUI's input folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XLoadRadiograph",
            display_name="Load Radiograph",
            category=sockets.LOAD,
            **sockets.search_aliases("load image", "chest x-ray", "CXR", "DICOM", "upload"),
            description="Load a radiograph from a picture or DICOM file. 16-bit files keep all grey levels. A "
            "simulated "
            "sample is included.",
            inputs=[
                sockets.menu(
                    "image",
                    input_radiographs(),
                    SAMPLE,
                    "PNG, JPEG, TIFF, BMP, WebP or DICOM file, 8 or 16 bits. Drop a file on the node or use one of the "
                    "buttons. The sample is simulated.",
                    upload=io.UploadType.image,
                    display_name="file",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "radiograph",
                    display_name="image",
                    tooltip="The radiograph at its own size. Grey pictures are RGB with three equal channels.",
                ),
                io.Mask.Output(
                    "painted",
                    display_name="mask",
                    tooltip="The area painted in the mask editor (1 where the picture is transparent). Empty if "
                    "nothing "
                    "was painted.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="File name, size, bit depth and colour. For DICOM, how the pixel values are displayed "
                    "instead "
                    "of the file name.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, image: str | None) -> bool | str:
        """Check that the file exists."""
        from .work.files import check_input_file

        return True if image in (None, BUNDLED_SAMPLE) else check_input_file(image, "image")

    @classmethod
    def fingerprint_inputs(cls, image: str) -> str:
        """Return a value that changes when the file changes."""
        from .work.files import file_digest, input_path

        return image if image == BUNDLED_SAMPLE else file_digest(input_path(image))

    @classmethod
    def execute(cls, image: str) -> io.NodeOutput:
        """Read the file."""
        from .work.files import describe, input_path, read_radiograph, sample_path
        from .work.pictures import preview
        from .work.tensors import to_image, to_mask

        radiograph, mask = read_radiograph(sample_path() if image == BUNDLED_SAMPLE else input_path(image))
        pixels = to_image(radiograph.pixels)
        # the page itself shows pictures
        shown = preview(pixels, cls, synthetic=False) if radiograph.kind != PICTURE else None
        return io.NodeOutput(pixels, to_mask(mask), describe(radiograph), ui=shown)
