"""Models of the Hugging Face library from folders, and pictures in the form that their processors take."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from PIL import Image

from x2x_core.common.errors import InputError, InputNotFoundError

from .preparation import last_line
from .scorer import check_images


class HuggingFaceModel:
    """A model of the Hugging Face library and its processor.

    Args:
        model: of the kind that the class takes.
        processor: its processor.
        name: name in reports.
        device: where the model runs.
    """

    processor_class: ClassVar[str]  # in transformers
    kind: ClassVar[str]  # for messages

    def __init__(self, model: Any, processor: Any, name: str, device: str | torch.device = "cpu") -> None:
        self.model, self.processor, self.name = model.to(device).eval(), processor, name
        self.device = torch.device(device)

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> Self:
        """Load a model from a folder; nothing is downloaded, and no code of the folder runs.

        Raises:
            InputNotFoundError: there is no such folder.
            InputError: it holds no such model.
        """
        import transformers

        if not Path(folder).is_dir():
            raise InputNotFoundError(f"There is no {cls.kind} at `{folder}`. Give a folder.")
        try:
            model = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
            processor = getattr(transformers, cls.processor_class).from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"`{folder}` must hold a {cls.kind}: {last_line(error)}") from error
        return cls(model, processor, Path(folder).name, device)


def as_pictures(images: torch.Tensor) -> list[Image.Image]:
    """Return images `(B, 1, H, W)` in [0, 1] as 8-bit RGB pictures.

    Raises:
        InputError: wrong images.
    """
    grey = (check_images(images)[:, 0].cpu() * 255).round().to(torch.uint8).numpy()
    return [Image.fromarray(picture).convert("RGB") for picture in grey]
