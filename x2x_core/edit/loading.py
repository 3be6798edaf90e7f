"""Locating a checkpoint: a bundled name, a folder in diffusers layout, or a repository of the Hugging Face Hub."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from traceback import walk_tb
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from x2x_core.common.bundled import bundled_path
from x2x_core.common.checkpoint_layout import MODEL_INDEX, OPTIONAL_PARTS, SINGLE_FILE_SUFFIXES
from x2x_core.common.errors import InputError, InputNotFoundError, one_line

from .backbones.registry import INSTRUCT_PIX2PIX, check_class, refuse_other_models
from .hub_files import hub_file

BUNDLED_MODELS = ("demo",)
# Configurations for single files of InstructPix2Pix checkpoints; diffusers alone would take Stable Diffusion's.
SINGLE_FILE_CONFIG = "timbrooks/instruct-pix2pix"
_INSTRUCT_PIX2PIX = (INSTRUCT_PIX2PIX, "InstructX2XPipeline")
REQUIRED_PARTS = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
_WEIGHTS = (".safetensors", ".bin")
_CONFIGS = {"config.json", "adapter_config.json"}  # a part saved with LoRA layers on it holds those alone
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_VARIANT = re.compile(r"\.([a-z]\w*)(?:-\d+-of-\d+)?\.(?:safetensors|bin)$")  # "model.fp16.safetensors"
# Packages that load the parts of a checkpoint.
_LIBRARIES = {"diffusers", "transformers", "huggingface_hub", "safetensors", "torch", "accelerate", "peft"}
# Parts without weights, and the files that they have instead.
_FILES_OF = {
    "tokenizer": ("tokenizer.json", "vocab.json", "spiece.model"),
    "scheduler": ("scheduler_config.json",),
    "feature_extractor": ("preprocessor_config.json",),
}


def locate_checkpoint(name: str | Path) -> tuple[str, bool]:
    """Return the location of a checkpoint, without using the network.

    Args:
        name: "demo" (the bundled checkpoint), the path of a folder, or a repository of the Hugging Face Hub as
            "owner/name".

    Returns:
        A folder and True, or the name of a repository and False.

    Raises:
        InputNotFoundError: a path where there is nothing.
        InputError: a single file, or text that is neither a path nor a repository.
    """
    text = str(name)
    if text in BUNDLED_MODELS:
        return str(bundled_path(text)), True
    path = Path(text).expanduser()
    if os.path.isdir(path):
        return str(path), True
    if os.path.isfile(path):
        raise InputError(
            f"`{text}` is a single file; load it with `InstructX2XPipeline.from_single_file`, or make it a folder in "
            "diffusers layout with `x2x convert`."
        )
    if isinstance(name, Path) or _looks_like_path(text):
        raise InputNotFoundError(
            f"There is no checkpoint at `{text}`. Give a folder in diffusers layout (with {MODEL_INDEX}), a Hugging "
            'Face repository as "owner/name", or "demo".'
        )
    return text, False


def checkpoint_error(name: str, local: bool, error: Exception) -> InputError | None:
    """Return the error of a checkpoint that could not be loaded in one sentence; ``None`` for any other fault.

    Damaged folders make the libraries raise errors of any type, so it matters where one was raised. An error raised in
    this package, by its code or by what it called of Python's own modules, is a fault of this package. Exhausted memory
    says nothing about the checkpoint.

    Args:
        name: a folder, or "owner/name" on the Hugging Face Hub.
        local: it is a folder.
        error: from loading it.
    """
    if not local:
        return unreachable(name, error) if isinstance(error, OSError) else None
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or not _raised_by_libraries(error):
        return None
    bad = unreadable_weights(name)
    if bad is None:
        return InputError(f"The checkpoint `{name}` cannot be loaded: {one_line(error)[:300]}.")
    return InputError(
        f"`{bad}` must hold weights and nothing else, but it is damaged or holds more, which is never loaded. "
        "Download the checkpoint again, from a source that you trust."
    )


def _raised_by_libraries(error: BaseException) -> bool:
    """Return True if the deepest call in an error's traceback, of this package and the loading libraries, is theirs."""
    packages = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    ours, *_ = __name__.partition(".")
    deepest = next((name for name in reversed(packages) if name == ours or name in _LIBRARIES), ours)
    return deepest != ours


def unreachable(name: str, error: OSError) -> InputNotFoundError:
    """Return the error for a repository of the Hugging Face Hub that could not be loaded.

    Args:
        name: as "owner/name".
        error: of diffusers or of the hub's client; its first line is quoted.
    """
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].split(" (")[0].rstrip(".")
    return InputNotFoundError(
        f"There is no folder `{name}`, and no repository of this name could be loaded from the Hugging Face Hub: "
        f"{reason[:200]}. Check the name and the network, or give a folder in diffusers layout."
    )


def _looks_like_path(text: str) -> bool:
    """Return True if a text that names nothing on this machine looks like a path rather than "owner/name"."""
    if not _HUB_ID.fullmatch(text) or text.endswith(SINGLE_FILE_SUFFIXES):
        return True
    return os.path.isdir(Path(text).parent)


def check_folder(folder: str | Path, given: Collection[str] = ()) -> list[str]:
    """Check that a folder holds all parts of a checkpoint.

    Args:
        folder: in diffusers layout.
        given: parts that the caller passes.

    Returns:
        The optional parts that the index names but that are missing.

    Raises:
        InputNotFoundError: the index or a part is missing; the message names it.
        InputError: an index that can't be read.
    """
    folder = Path(folder)
    missing = []
    for part in _parts(folder):
        if part in given or _is_whole(folder / part, part):
            continue
        if part not in OPTIONAL_PARTS:
            files = _FILES_OF.get(part, ("weights as .safetensors (or .bin)",))
            raise InputNotFoundError(
                f"The checkpoint `{folder}` lacks its {part}: there is no folder `{folder / part}` with "
                f"{' or '.join(files)}. Copy that part too, or download the checkpoint again."
            )
        missing.append(part)
    return missing


def saved_variant(folder: str | Path) -> str | None:
    """Return the variant that all weights of a checkpoint were saved in, such as "fp16"; ``None`` for the usual files.

    Args:
        folder: in diffusers layout.
    """
    variants: set[str | None] = set()
    for part in _parts(Path(folder)):
        names = [file.name for file in (Path(folder) / part).glob("*") if file.suffix in _WEIGHTS]
        found = {match.group(1) if (match := _VARIANT.search(name)) else None for name in names}
        if None in found:
            return None
        variants |= found
    return variants.pop() if len(variants) == 1 else None


def read_index(folder: str | Path) -> dict[str, Any]:
    """Read the index of a checkpoint in diffusers layout.

    Raises:
        InputNotFoundError: the index is missing.
        InputError: the index can't be read.
    """
    index = Path(folder) / MODEL_INDEX
    if not index.is_file():
        raise InputNotFoundError(
            f"`{folder}` is not a checkpoint in diffusers layout: it lacks {MODEL_INDEX}. Give the folder that holds "
            "it."
        )
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"`{index}` must be a JSON object that names the checkpoint's parts, got: {error}.") from error
    if not isinstance(entries, dict):
        raise InputError(
            f"`{index}` must be a JSON object that names the checkpoint's parts, got: {type(entries).__name__}."
        )
    return entries


def index_of(checkpoint: str, local: bool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the index of a checkpoint.

    Of a repository on the Hugging Face Hub, the index alone is downloaded.

    Args:
        checkpoint: a folder, or "owner/name".
        local: it is a folder.
        arguments: of `from_pretrained`.

    Returns:
        The entries; none if the index can't be downloaded.

    Raises:
        InputNotFoundError: a folder without an index.
        InputError: an index that can't be read.
    """
    folder = Path(checkpoint)
    if not local:
        try:
            folder = hub_file(checkpoint, MODEL_INDEX, arguments).parent
        except OSError:
            return {}  # loading says what is wrong
    return read_index(folder)


def check_instruct_pix2pix(name: str | Path) -> None:
    """Check that a checkpoint is not one of another kind of model, by its index alone.

    Args:
        name: as for `locate_checkpoint`; what can't be found passes, and loading says what is wrong.

    Raises:
        InputError: it is of another kind.
    """
    checkpoint, local = locate_checkpoint(name)
    refuse_other_models(index_of(checkpoint, local, {}).get("_class_name"), checkpoint)


def check_named_parts(index: Mapping[str, Any], checkpoint: str | Path) -> None:
    """Check that the index of a checkpoint names the parts of an InstructPix2Pix model.

    Raises:
        InputError: it is of a class of pipelines that is not known.
        InputNotFoundError: another index without one of the parts; the message names it.
    """
    missing = [name for name in REQUIRED_PARTS if name not in index]
    if not missing:
        return
    kind = index.get("_class_name")
    if isinstance(kind, str) and kind not in _INSTRUCT_PIX2PIX:
        check_class(kind, checkpoint)
    raise InputNotFoundError(
        f"`{Path(checkpoint) / MODEL_INDEX}` does not name the {missing[0]}: this is not an InstructPix2Pix checkpoint "
        "in diffusers layout."
    )


def _parts(folder: Path) -> list[str]:
    """Return the parts that the index names."""
    entries = read_index(folder)
    refuse_other_models(entries.get("_class_name"), folder)
    check_named_parts(entries, folder)
    # A part is [library, class]; settings can be lists too, of numbers.
    lists = {name: value for name, value in entries.items() if isinstance(value, list) and value}
    return [name for name, value in lists.items() if isinstance(value[0], str)]


def _is_whole(folder: Path, part: str) -> bool:
    if not folder.is_dir():
        return False
    names = {file.name for file in folder.iterdir()}
    if part in _FILES_OF:
        return any(name in names for name in _FILES_OF[part])
    return bool(names & _CONFIGS) and any(name.endswith(_WEIGHTS) for name in names)


def unreadable_weights(folder: str | Path) -> Path | None:
    """Return the first weights file of a checkpoint that can't be read as weights alone, or ``None``.

    No code in the files is run.
    """
    for file in sorted(Path(folder).glob("*/*")):
        try:
            if file.suffix == ".bin":
                torch.load(file, map_location="meta", weights_only=True)
            elif file.suffix == ".safetensors":
                safe_open(file, framework="pt")
        except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError):
            return file
    return None
