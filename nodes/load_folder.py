"""X2XLoadFolder: load all radiographs in a folder."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .choices import BUNDLED_SAMPLES
from .work.radiograph_folders import folder_files, folder_names

LARGEST_COUNT = 1_000_000


class X2XLoadFolder(io.ComfyNode):
    """Load the radiographs in a subfolder of ComfyUI's input folder as a list."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XLoadFolder",
            display_name="Load Radiographs from Folder",
            category=sockets.LOAD,
            **sockets.search_aliases("load images", "batch", "directory", "DICOM"),
            description="Load all radiographs in a folder, including DICOM files. Downstream nodes process them one at "
            "a "
            "time, so their sizes may differ. Three simulated samples are included.",
            inputs=[
                sockets.menu(
                    "folder",
                    [BUNDLED_SAMPLES, *folder_names()],
                    BUNDLED_SAMPLES,
                    "A subfolder of ComfyUI's input folder. After creating a folder, refresh the node definitions (R).",
                ),
                _count("skip", "Number of files to skip at the start."),
                _count("limit", "Maximum number of files to load. 0 loads all."),
                io.String.Input(
                    "save_to",
                    default="InstructX2X/batch",
                    tooltip="Folder inside ComfyUI's output folder, used as the start of `save_as`.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "radiographs",
                    display_name="images",
                    is_output_list=True,
                    tooltip="The radiographs in alphabetical order. Grey pictures are RGB with three equal channels.",
                ),
                io.String.Output(
                    "save_as",
                    display_name="save_as",
                    is_output_list=True,
                    tooltip="save_to/name for each file. Connect it to `filename_prefix` of Save Edit or Save Image.",
                ),
                io.String.Output("info", display_name="info", tooltip="The number of files and their names."),
            ],
        )

    @classmethod
    def validate_inputs(cls, folder: str | None) -> bool | str:
        """Check that the folder exists."""
        if folder is None or folder in (BUNDLED_SAMPLES, *folder_names()):
            return True
        return (
            f"`folder` {folder!r} was not found in ComfyUI's input folder, or it holds no radiographs. Create it, copy "
            "radiographs into it, and refresh the node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, folder: str, skip: int, limit: int, save_to: str) -> list[tuple[str, int, int]]:
        """Return a value that changes when a file in the folder changes."""
        return [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in folder_files(folder, skip, limit)]

    @classmethod
    def execute(cls, folder: str, skip: int, limit: int, save_to: str) -> io.NodeOutput:
        """Read the files."""
        from x2x_core.imaging.kinds import stem

        from .work.files import read_radiograph
        from .work.tensors import to_image

        paths = folder_files(folder, skip, limit)
        images = [to_image(read_radiograph(path)[0].pixels) for path in paths]
        prefixes = ["/".join(part for part in (save_to.strip("/ "), stem(path)) if part) for path in paths]
        info = f"{len(paths)} radiographs: {', '.join(path.name for path in paths)}."
        return io.NodeOutput(images, prefixes, info)


def _count(name: str, tooltip: str) -> sockets.Input:
    return io.Int.Input(name, default=0, min=0, max=LARGEST_COUNT, tooltip=tooltip)
