"""Conversion of a checkpoint from one layout to the other."""

from __future__ import annotations

from pathlib import Path

import torch

from x2x_core.common.checkpoint_layout import PICKLE_SUFFIXES, SAFETENSORS_SUFFIX
from x2x_core.common.errors import InputError, OutputExistsError

from .checkpoint import Checkpoint
from .folder import check_replaceable, read_folder, read_small_files, write_folder
from .single_file import read_single_file, write_single_file
from .tokenizer import with_tokenizer


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
        source: a diffusers folder or a single file (`.safetensors`, `.ckpt`).
        target: a file name that ends in `.safetensors`, or a folder; an existing checkpoint is replaced.
        weights: of the U-Net in a single file: "auto" (the EMA if there is one), "ema" or "trained".
        dtype: data type to convert the weights to; ``None``: that of the source.
        like: a diffusers folder whose configurations and tokenizer apply to a single file; ``None``: those embedded in
            the file, or Stable Diffusion 1's.
        tokenizer: a folder, or a repository of the Hugging Face Hub, with a CLIP tokenizer, for a file without one.

    Returns:
        The checkpoint that was written; its `left_out` lists what of the source was not.

    Raises:
        InputNotFoundError: the source or a part of it is missing.
        OutputExistsError: something other than a checkpoint is at the target.
        InputError: weights are not as expected, not finite, or overflow `dtype`, each named; a pickle holds more than
            weights; the tokenizer is missing or does not fit; source and target are the same.
    """
    source, target = Path(source), Path(target)
    single = target.suffix.lower() == SAFETENSORS_SUFFIX
    if source.resolve() == target.resolve():
        raise InputError(f"`target` must be another place than the source, got `{target}` for both.")
    if target.suffix.lower() in PICKLE_SUFFIXES:
        raise InputError(
            f"`{target}`: pickles are read but not written. Use a name that ends in {SAFETENSORS_SUFFIX}, or a folder."
        )
    if single and target.is_dir():
        raise OutputExistsError(f"`{target}` is a folder, so no file can be written there.")
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
    """Read a checkpoint in either layout; arguments and errors are those of `convert`."""
    source = Path(source)
    if source.is_dir():
        if weights != "auto" or like is not None:
            raise InputError("`weights` and `like` are for single files, but the source is a folder. Leave them out.")
        checkpoint = read_folder(source)
    else:
        files = None if like is None else read_small_files(like)
        checkpoint = read_single_file(source, files, weights)
    return checkpoint if tokenizer is None else with_tokenizer(checkpoint, tokenizer)
