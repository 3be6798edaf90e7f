"""Tokenizer of a checkpoint, as files of the diffusers folder."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from transformers import CLIPTokenizer

from x2x_core.common.errors import InputError

from .checkpoint import CONFIGS, Checkpoint, read_json

TOKENIZER = "tokenizer"


def has_tokenizer(checkpoint: Checkpoint) -> bool:
    """Return True if a checkpoint has a tokenizer."""
    return any(path.startswith(f"{TOKENIZER}/") for path in checkpoint.files)


def with_tokenizer(checkpoint: Checkpoint, tokenizer: str | Path) -> Checkpoint:
    """Return a checkpoint with a tokenizer, which replaces the one it has.

    Args:
        checkpoint: not changed.
        tokenizer: a folder, or a repository of the Hugging Face Hub, with a CLIP tokenizer.

    Raises:
        InputError: the tokenizer cannot be read, or does not fit the text encoder.
    """
    others = {path: text for path, text in checkpoint.files.items() if not path.startswith(f"{TOKENIZER}/")}
    return replace(checkpoint, files=others | _tokenizer_files(tokenizer, checkpoint))


def _tokenizer_files(tokenizer: str | Path, checkpoint: Checkpoint) -> dict[str, str]:
    try:
        loaded = CLIPTokenizer.from_pretrained(str(tokenizer))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"`tokenizer` must be a folder with a CLIP tokenizer, but `{tokenizer}` cannot be read: {error}"
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
