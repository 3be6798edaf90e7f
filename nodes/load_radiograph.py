"""X2XLoadRadiograph: a picture or DICOM file as IMAGE, with the depth of its numbers kept."""

from __future__ import annotations

from comfy_api.latest import io

from x2x_core.imaging.kinds import DICOM

from . import sockets
from .work.folders import SAMPLE, input_radiographs

BUNDLED = "sample (bundled)"  # the sample by the place where it ships, for a server whose input folder is closed


class X2XLoadRadiograph(io.ComfyNode):
    """Read a radiograph from ComfyUI's input folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XLoadRadiograph",
            display_name="Load Radiograph",
            category=sockets.LOAD,
            description="Reads a radiograph, DICOM too. 16-bit files keep all their grey levels. The sample ships with the "
            "pack.",
            inputs=[
                io.Combo.Input(
                    "image",
                    options=input_radiographs(),
                    default=SAMPLE,
                    upload=io.UploadType.image,
                    display_name="file",
                    tooltip="A PNG, JPEG, TIFF, BMP, WebP or DICOM file, 8 or 16-bit. Drop one here, or use a button. The "
                    "sample is simulated.",
                ),
            ],
            outputs=[
                io.Image.Output("radiograph", display_name="image", tooltip="The radiograph, any size, grey as RGB."),
                io.Mask.Output(
                    "painted",
                    display_name="mask",
                    tooltip="What was painted on it in the mask editor (1 where it is transparent); empty if nothing.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="Name, size, bit depth and colour of the file; of DICOM, in place of its name, how it is shown.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, image) -> bool | str:
        from .work.files import check_input_file

        return True if image in (None, BUNDLED) else check_input_file(image, "image")

    @classmethod
    def fingerprint_inputs(cls, image) -> str:
        from .work.files import file_digest, input_path

        return image if image == BUNDLED else file_digest(input_path(image))

    @classmethod
    def execute(cls, image: str) -> io.NodeOutput:
        from .work.files import describe, input_path, read_radiograph, sample_path
        from .work.pictures import preview
        from .work.tensors import to_image, to_mask

        radiograph, mask = read_radiograph(sample_path() if image == BUNDLED else input_path(image))
        pixels = to_image(radiograph.pixels)
        # the page shows other files by itself
        shown = preview(pixels, cls, synthetic=False) if radiograph.kind == DICOM else None
        return io.NodeOutput(pixels, to_mask(mask), describe(radiograph), ui=shown)
