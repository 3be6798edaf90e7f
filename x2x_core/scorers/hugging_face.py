"""Models of the Hugging Face library from folders, and pictures in the form that their processors take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image

from x2x_core.common.errors import InputError, InputNotFoundError

from .preparation import last_line
from .scorer import check_images


def load_model(folder: str | Path, processor: str, kind: str) -> tuple[Any, Any]:
    """Load a model and its processor from a folder; nothing is downloaded, and no code of the folder runs.

    Args:
        folder: of the model.
        processor: name of the processor's class in transformers.
        kind: of model, for messages: "vision model".

    Raises:
        InputNotFoundError: there is no such folder.
        InputError: it holds no such model.
    """
    import transformers

    if not Path(folder).is_dir():
        raise InputNotFoundError(f"There is no {kind} at `{folder}`. Give a folder.")
    try:
        model = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
        return model, getattr(transformers, processor).from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"`{folder}` must hold a {kind}: {last_line(error)}") from error


def as_pictures(images: torch.Tensor) -> list[Image.Image]:
    """Return images `(B, 1, H, W)` in [0, 1] as 8-bit RGB pictures.

    Raises:
        InputError: wrong images.
    """
    grey = (check_images(images)[:, 0].cpu() * 255).round().to(torch.uint8).numpy()
    return [Image.fromarray(picture).convert("RGB") for picture in grey]
