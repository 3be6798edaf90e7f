"""Single-file checkpoints in Stable Diffusion's original layout."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import comfy.sd1_clip
import folder_paths
import torch

# Stable Diffusion 1's tokenizer, included in ComfyUI: few single files have one.
_TOKENIZER = Path(comfy.sd1_clip.__file__).parent / "sd1_tokenizer"


def read_single_file(path: Path, dtype: torch.dtype) -> Any:
    """Return the pipeline of a single file, converted by way of a temporary folder in diffusers layout.

    Raises:
        InputError: not an InstructPix2Pix checkpoint of Stable Diffusion 1's size; the message names the weights.
    """
    from x2x_core import InstructX2XPipeline
    from x2x_core.conversion.convert import read_checkpoint
    from x2x_core.conversion.folder import write_folder
    from x2x_core.conversion.tokenizer import has_tokenizer, with_tokenizer

    checkpoint = read_checkpoint(path)
    if not has_tokenizer(checkpoint):
        checkpoint = with_tokenizer(checkpoint, _TOKENIZER)
    temporary = Path(folder_paths.get_temp_directory())
    temporary.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="instructx2x-", dir=temporary) as folder:
        write_folder(checkpoint.cast(dtype), Path(folder) / "checkpoint")
        return InstructX2XPipeline.from_pretrained(Path(folder) / "checkpoint", dtype=dtype)
