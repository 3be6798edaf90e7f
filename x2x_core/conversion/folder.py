"""Checkpoints in the diffusers layout, as InstructPix2Pix's stock pipeline writes them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from x2x_core.common.checkpoint_layout import MODEL_INDEX, OPTIONAL_PARTS
from x2x_core.common.errors import InputError, InputNotFoundError, OutputExistsError

from .checkpoint import CONFIGS, PARTS, SCHEDULER, Checkpoint, read_json
from .tokenizer import TOKENIZER, has_tokenizer
from .weight_files import read_weights

_STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
_OLD_STEMS = {"text_encoder": "pytorch_model"}
_POSITIONS = "embeddings.position_ids"
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def read_small_files(folder: str | Path) -> dict[str, str]:
    """Return index, configurations and tokenizer of a folder as texts by their path in it.

    Raises:
        InputNotFoundError: the folder is not in the diffusers layout, or a file is missing.
    """
    folder = Path(folder)
    required = (MODEL_INDEX, *CONFIGS.values(), SCHEDULER)
    for path in required:
        if not (folder / path).is_file():
            raise InputNotFoundError(f"`{folder}` must be a checkpoint in the diffusers layout, but lacks `{path}`.")
    words = sorted(f"{TOKENIZER}/{file.name}" for file in (folder / TOKENIZER).glob("*") if file.is_file())
    return {path: (folder / path).read_text(encoding="utf-8") for path in (*required, *words)}


def read_folder(folder: str | Path) -> Checkpoint:
    """Read a checkpoint in the diffusers layout, with weights in safetensors (one file or shards) or `.bin`.

    Raises:
        InputNotFoundError: a part is missing.
        InputError: weights cannot be read, or do not match the configuration.
    """
    folder = Path(folder)
    files, left_out = read_small_files(folder), {}
    index = read_json(files, MODEL_INDEX)
    for part in OPTIONAL_PARTS:
        if index.get(part, [None])[0] is not None:
            left_out[part] = "a part that the original layout has no place for"
            index[part] = [None, None]
    if left_out:
        files[MODEL_INDEX] = json.dumps(index | {"requires_safety_checker": False}, indent=2, sort_keys=True) + "\n"
    weights = {part: _read_part(folder / part, part) for part in PARTS}
    weights["vae"] = {_current_attention_name(name): value for name, value in weights["vae"].items()}
    text = {name.removeprefix("text_model."): value for name, value in weights["text_encoder"].items()}
    if text.pop(_POSITIONS, None) is not None:
        left_out[f"text_encoder: {_POSITIONS}"] = "position numbers, which the text encoder computes itself"
    return Checkpoint(weights | {"text_encoder": text}, files, left_out)


def _read_part(folder: Path, part: str) -> dict[str, torch.Tensor]:
    stem, old = _STEMS[part], _OLD_STEMS.get(part, _STEMS[part])
    names = [f"{stem}.safetensors", f"{stem}.fp16.safetensors", f"{old}.bin", f"{old}.fp16.bin"]
    shards = folder / f"{stem}.safetensors.index.json"
    if shards.is_file():
        parts = sorted(set(json.loads(shards.read_text(encoding="utf-8"))["weight_map"].values()))
        return {name: value for shard in parts for name, value in read_weights(folder / shard)[0].items()}
    for name in names:
        if (folder / name).is_file():
            return read_weights(folder / name)[0]
    raise InputNotFoundError(f"`{folder}` lacks the weights of the {part}: it has none of {', '.join(names)}.")


def _current_attention_name(name: str) -> str:
    """Return the current name of an attention weight of the autoencoder; older folders have query, key, value."""
    stem, _, end = name.rpartition(".")
    place, _, part = stem.rpartition(".")
    return f"{place}.{_OLD_ATTENTION[part]}.{end}" if ".attentions." in name and part in _OLD_ATTENTION else name


def write_folder(checkpoint: Checkpoint, folder: str | Path) -> None:
    """Write a checkpoint in the diffusers layout, completely or not at all.

    Raises:
        InputError: the checkpoint has no tokenizer.
    """
    folder = Path(folder)
    if not has_tokenizer(checkpoint):
        raise InputError(
            "A folder in the diffusers layout needs a tokenizer, and the source has none. Set `tokenizer` to a folder "
            "with CLIP's vocabulary (vocab.json and merges.txt, or tokenizer.json), such as that of any Stable "
            "Diffusion 1 checkpoint in the diffusers layout, or ComfyUI's comfy/sd1_tokenizer."
        )
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path, text in checkpoint.files.items():
        (partial / path).parent.mkdir(parents=True, exist_ok=True)
        (partial / path).write_text(text, encoding="utf-8")
    for part in PARTS:
        weights = {name: value.contiguous() for name, value in checkpoint.weights[part].items()}
        save_file(weights, partial / part / f"{_STEMS[part]}.safetensors", {"format": "pt"})
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)


def check_replaceable(folder: Path) -> None:
    """Check that a folder is new, empty, or a checkpoint; nothing else is ever replaced.

    Raises:
        OutputExistsError: the folder holds something else, or a file has its name.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / MODEL_INDEX).is_file()):
        raise OutputExistsError(
            f"`{folder}` exists and is not a checkpoint in the diffusers layout: it isn't replaced."
        )
