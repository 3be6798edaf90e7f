"""X2XLoadFolder: all radiographs of a folder, one after the other."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets

SAMPLES = "samples (bundled)"


class X2XLoadFolder(io.ComfyNode):
    """Read the radiographs of a folder in ComfyUI's input folder as a list, each at its own size."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        from .work.radiograph_folders import folder_names

        return io.Schema(
            node_id="X2XLoadFolder",
            display_name="Load Radiographs from Folder",
            category=sockets.LOAD,
            description="Reads every radiograph of a folder, DICOM too. The nodes behind it work on one after the other, so "
            "that they can be of different sizes. Three simulated ones ship with the pack.",
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=[SAMPLES, *folder_names()],
                    default=SAMPLES,
                    tooltip="A folder in ComfyUI's input folder. After you make a new one, refresh the page's node "
                    "definitions (R).",
                ),
                io.Int.Input("skip", default=0, min=0, max=1_000_000, tooltip="Files to leave out at the beginning."),
                io.Int.Input("limit", default=0, min=0, max=1_000_000, tooltip="Files to read at most; 0: all."),
                io.String.Input(
                    "save_to",
                    default="InstructX2X/batch",
                    tooltip="Folder below ComfyUI's output folder that `save_as` begins with.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "radiographs",
                    display_name="images",
                    is_output_list=True,
                    tooltip="The radiographs by name, grey as RGB.",
                ),
                io.String.Output(
                    "save_as",
                    display_name="save_as",
                    is_output_list=True,
                    tooltip="save_to/name of each file, for `filename_prefix` of a saving node.",
                ),
                io.String.Output("info", display_name="info", tooltip="How many files, and their names."),
            ],
        )

    @classmethod
    def validate_inputs(cls, folder) -> bool | str:
        from .work.radiograph_folders import folder_names

        if folder is None or folder in (SAMPLES, *folder_names()):
            return True
        return (
            f"`folder` must be a folder in ComfyUI's input folder, but {folder!r} is not there. Make it, put radiographs "
            "into it, and refresh the page's node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, folder, skip, limit, save_to) -> list:
        from .work.radiograph_folders import folder_files

        return [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in folder_files(folder, skip, limit)]

    @classmethod
    def execute(cls, folder: str, skip: int, limit: int, save_to: str) -> io.NodeOutput:
        from x2x_core.imaging.kinds import stem

        from .work.files import read_radiograph
        from .work.radiograph_folders import folder_files
        from .work.tensors import to_image

        paths = folder_files(folder, skip, limit)
        images = [to_image(read_radiograph(path)[0].pixels) for path in paths]
        prefixes = ["/".join(part for part in (save_to.strip("/ "), stem(path)) if part) for path in paths]
        info = f"{len(paths)} radiographs: {', '.join(path.name for path in paths)}."
        return io.NodeOutput(images, prefixes, info)
