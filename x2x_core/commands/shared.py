"""What several commands need: places for results, progress bars, quiet libraries, the pipeline on its device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from x2x_core.common.errors import InputError, OutputExistsError, OutputNotAFolderError

DTYPES = ("float32", "float16", "bfloat16")


def fresh_folder(folder: Path, names: tuple[str, ...], overwrite: bool) -> Path:
    """Make the folder for results, or refuse where it already holds some of them.

    Raises:
        OutputExistsError: one of `names` is there and `overwrite` is off.
        OutputNotAFolderError: a file of that name is in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputNotAFolderError(f"`-o` must name a folder, but `{folder}` is a file. Give another name.")
    present = [name for name in names if (folder / name).exists()]
    if present and not overwrite:
        raise OutputExistsError(
            f"`{folder}` already holds {present[0]}. Give another folder with -o, or add --overwrite to replace it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def numbered_folder(parent: Path) -> Path:
    """The first of `parent/001`, `parent/002`, ... that does not exist yet."""
    number = 1
    while (parent / f"{number:03d}").exists():
        number += 1
    return parent / f"{number:03d}"


def fresh_file(path: Path, overwrite: bool) -> Path:
    """The path of a result file, refused where something is there and `overwrite` is off."""
    if path.exists() and not overwrite:
        raise OutputExistsError(
            f"`{path}` already exists. Give another name with -o, or add --overwrite to replace it."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def fresh_png(path: Path, overwrite: bool) -> Path:
    """`fresh_file` for a picture, refused where the name does not end in .png."""
    if path.suffix.lower() != ".png":
        raise InputError(f"A picture's name must end in .png, got `{path}`. Give it another name.")
    return fresh_file(path, overwrite)


def save_picture(path: Path, picture, parameters: dict, **options) -> None:
    """Write a Pillow picture as PNG that says that it is synthetic and how it was made; `options` are Pillow's."""
    from PIL.PngImagePlugin import PngInfo

    from x2x_core.imaging.provenance import synthetic_metadata

    chunks = PngInfo()
    for key, text in synthetic_metadata(parameters).items():
        chunks.add_itxt(key, text)
    picture.save(path, pnginfo=chunks, **options)


@contextmanager
def progress_bar(text: str) -> Iterator:
    """A progress bar on standard error; yields `update(done, total, note="")`."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(text, total=None, note="")
        yield lambda done, total, note="": bar.update(task, completed=done, total=total, note=note)


def quiet_libraries() -> None:
    """Turn off the libraries' own loading bars and advice, in this process; their errors still show."""
    import diffusers
    import transformers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def choose_device(name: str | None):
    """A torch device by name; ``None``: CUDA or MPS where there is one, else the CPU.

    Raises:
        InputError: no such device here.
    """
    import torch

    if name is None:
        available = torch.accelerator.current_accelerator(check_available=True)
        return torch.device(available.type if available is not None else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"`--device` must be a device of this machine, such as cpu or cuda, got {name!r}.") from error
    return device


def choose_dtype(name: str | None, device):
    """A torch dtype by name; ``None``: float16 on CUDA, float32 elsewhere.

    Raises:
        InputError: another name.
    """
    import torch

    if name is None:
        return torch.float16 if device.type == "cuda" else torch.float32
    if name not in DTYPES:
        raise InputError(f"`--dtype` must be one of {', '.join(DTYPES)}, got {name!r}.")
    return getattr(torch, name)


def load_pipeline(model: str, pseudomasks: str | None, device_name: str | None, dtype_name: str | None):
    """The pipeline on its device, without progress bars of its own."""
    quiet_libraries()
    from x2x_core import InstructX2XPipeline

    device = choose_device(device_name)
    dtype = choose_dtype(dtype_name, device)
    pipeline = InstructX2XPipeline.from_pretrained(model, pseudomasks=pseudomasks, dtype=dtype)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def model_folder(model: str) -> Path | None:
    """The folder of a model on this machine, to be hashed; ``None`` for a repository of the hub."""
    from x2x_core.edit.loading import locate_checkpoint

    place, local = locate_checkpoint(model)
    return Path(place) if local else None
