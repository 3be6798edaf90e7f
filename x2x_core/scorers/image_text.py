"""Fit of an image and a text, by a model of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch

from x2x_core.common.errors import InputError

from .hugging_face import HuggingFaceModel, as_pictures


@runtime_checkable
class ImageTextScorer(Protocol):
    """A model that compares images with texts.

    Attributes:
        name: name in reports.
    """

    name: str

    def similarity(self, images: torch.Tensor, texts: Sequence[str]) -> torch.Tensor:
        """Return the cosine of image and text, `(B,)`, for images `(B, 1, H, W)` in [0, 1] with a text each."""
        ...


class DualEncoder(HuggingFaceModel):
    """A model of the Hugging Face library with an image and a text encoder (CLIP, SigLIP), as an `ImageTextScorer`.

    Args:
        model: whose output has `image_embeds` and `text_embeds`.
        processor: of images and texts.
        name: name in reports.
        device: where the model runs.
    """

    processor_class, kind = "AutoProcessor", "model of images and texts"

    @torch.no_grad()
    def similarity(self, images: torch.Tensor, texts: Sequence[str]) -> torch.Tensor:
        """Return the cosine of each image `(B, 1, H, W)` in [0, 1] and its text, `(B,)` float64.

        Raises:
            InputError: wrong images, another number of texts, or a model that does not embed both.
        """
        pictures = as_pictures(images)
        if len(texts) != len(pictures):
            raise InputError(f"`texts` must be one for each of {len(pictures)} images, got {len(texts)}.")
        inputs = self.processor(
            text=list(texts), images=pictures, padding="max_length", truncation=True, return_tensors="pt"
        )
        output = self.model(**{name: value.to(self.device) for name, value in inputs.items()})
        embeds = [getattr(output, name) for name in ("image_embeds", "text_embeds") if hasattr(output, name)]
        if len(embeds) < 2:
            raise InputError(f"{self.name!r} must embed images and texts, as CLIP does.")
        first, second = (torch.nn.functional.normalize(embed.double().cpu(), dim=1) for embed in embeds)
        return (first * second).sum(1)
