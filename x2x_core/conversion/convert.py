"""From one layout to the other."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from x2x_core.common.errors import InputError, OutputExistsError

from .checkpoint import CONFIGS, Checkpoint, read_json
from .folder import TOKENIZER, check_replaceable, read_folder, read_small_files, write_folder
from .reading import PICKLES, SAFETENSORS
from .single_file import read_single_file, write_single_file


def convert(
    source: str | Path,
    target: str | Path,
    *,
    weights: str = "auto",
    dtype: torch.dtype | None = None,
    like: str | Path | None = None,
    tokenizer: str | Path | None = None,
) -> Checkpoint:
    """Convert a checkpoint between a diffusers folder and a single file in the original layout, weights bit for bit.

    Args:
        source: a folder in the diffusers layout, or a single file (`.safetensors`, `.ckpt`).
        target: a file name ending in `.safetensors`, or else a folder; a checkpoint that is there is replaced.
        weights: of a single file's U-Net: "auto" (the running average where there is one), "ema" or "trained".
        dtype: to change the weights to; ``None``: as they are.
        like: a diffusers folder whose configurations and tokenizer a single file is read with; ``None``: those that
            the file carries, or Stable Diffusion 1's.
        tokenizer: a folder (or a repository of the Hugging Face Hub) with a CLIP tokenizer, for a file without one.

    Returns:
        What was written; its `left_out` says what of the source was not.

    Raises:
        InputNotFoundError: the source or a part of it is missing.
        OutputExistsError: something else than a checkpoint is in the target's place.
        InputError: weights that are not those expected, each named; a pickle that holds more than weights; a
            tokenizer that is missing or doesn't fit; the target is the source.
    """
    source, target = Path(source), Path(target)
    single = target.suffix.lower() == SAFETENSORS
    if source.resolve() == target.resolve():
        raise InputError(f"The target must be another place than the source, got `{target}` for both.")
    if target.suffix.lower() in PICKLES:
        raise InputError(
            f"`{target}`: pickles are read but not written. Give a name ending in {SAFETENSORS}, or a folder."
        )
    if single and target.is_dir():
        raise OutputExistsError(f"`{target}` is a folder: no file can be written there.")
    if not single:
        check_replaceable(target)
    checkpoint = read_checkpoint(source, weights=weights, like=like, tokenizer=tokenizer).cast(dtype)
    target.parent.mkdir(parents=True, exist_ok=True)
    if single:
        write_single_file(checkpoint, target)
    else:
        write_folder(checkpoint, target)
    return checkpoint


def read_checkpoint(
    source: str | Path,
    *,
    weights: str = "auto",
    like: str | Path | None = None,
    tokenizer: str | Path | None = None,
) -> Checkpoint:
    """Read a checkpoint of either layout; arguments and errors are those of `convert`."""
    source = Path(source)
    if source.is_dir():
        if weights != "auto" or like is not None:
            raise InputError("`weights` and `like` are for single files, but the source is a folder. Leave them out.")
        checkpoint = read_folder(source)
    else:
        files = None if like is None else read_small_files(like)
        checkpoint = read_single_file(source, files, weights)
    return checkpoint if tokenizer is None else with_tokenizer(checkpoint, tokenizer)


def with_tokenizer(checkpoint: Checkpoint, tokenizer: str | Path) -> Checkpoint:
    """A checkpoint with another tokenizer, or its first.

    Args:
        checkpoint: stays as it is.
        tokenizer: a folder (or a repository of the Hugging Face Hub) with a CLIP tokenizer.

    Raises:
        InputError: it can't be read, or does not fit the text encoder.
    """
    others = {path: text for path, text in checkpoint.files.items() if not path.startswith(f"{TOKENIZER}/")}
    return Checkpoint(checkpoint.weights, others | _tokenizer_files(tokenizer, checkpoint), checkpoint.left_out)


def _tokenizer_files(tokenizer: str | Path, checkpoint: Checkpoint) -> dict[str, str]:
    """A CLIP tokenizer's files, checked against the text encoder."""
    from transformers import CLIPTokenizer

    try:
        loaded = CLIPTokenizer.from_pretrained(str(tokenizer))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"`tokenizer` must be a folder with a CLIP tokenizer, but `{tokenizer}` can't be read: {error}"
        ) from error
    size = read_json(checkpoint.files, CONFIGS["text_encoder"]).get("vocab_size")
    if len(loaded) != size:
        raise InputError(
            f"`tokenizer` must have the {size} tokens of the text encoder, got {len(loaded)} in `{tokenizer}`."
        )
    with tempfile.TemporaryDirectory() as place:
        loaded.save_pretrained(place)
        files = sorted(file for file in Path(place).iterdir() if file.is_file())
        return {f"{TOKENIZER}/{file.name}": file.read_text(encoding="utf-8") for file in files}
