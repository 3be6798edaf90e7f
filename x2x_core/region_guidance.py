"""Classifier-free guidance restricted to a region, as a guider of diffusers.

diffusers marks its guiders as experimental; this one was tried with diffusers 0.42.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from diffusers.guiders.guider_utils import BaseGuidance, GuiderOutput

from x2x_core.common.errors import InputError


class RegionGuidance(BaseGuidance):
    """Follow the prompt inside a region, and predict without it outside.

    With two predictions, ``uncond + scale * M * (cond - uncond)``; with an `image_guidance_scale`, for models with a
    third prediction as InstructPix2Pix has, ``uncond + image_scale * (image - uncond) + scale * M * (cond - image)``.
    Where M is 1 everywhere, this is classifier-free guidance.

    Args:
        guidance_scale: of the prompt.
        image_guidance_scale: of the image; ``None``: two predictions. The modular pipelines of diffusers have two:
            three are for denoising loops of your own, which prepare three inputs for each prediction.
        start: share of the steps before which the prompt is followed everywhere without guidance, [0, 1).
        stop: share of the steps from which it is again, [start, 1].
        enabled: ``False``: never guide.
        mask: M, `(B, 1, h, w)` bool or in [0, 1], at the latents' size or another; ``None``: everywhere. It is not
            saved with the configuration: set `guider.mask` before each run.

    Raises:
        InputError: a mask of another shape or range.
    """

    ignore_for_config = ["mask"]  # noqa: RUF012 (diffusers reads a list of the class)
    _input_predictions = ["pred_cond", "pred_image", "pred_uncond"]  # noqa: RUF012

    @register_to_config
    def __init__(
        self,
        guidance_scale: float = 7.5,
        image_guidance_scale: float | None = None,
        start: float = 0.0,
        stop: float = 1.0,
        enabled: bool = True,
        mask: torch.Tensor | None = None,
    ) -> None:
        super().__init__(start, stop, enabled)
        self.guidance_scale = guidance_scale
        self.image_guidance_scale = image_guidance_scale
        self.mask = mask

    @property
    def mask(self) -> torch.Tensor | None:
        """The region M, float32; ``None``: everywhere."""
        return self._mask

    @mask.setter
    def mask(self, mask: torch.Tensor | None) -> None:
        self._mask = None if mask is None else _checked(mask)

    @property
    def is_conditional(self) -> bool:
        """True while the prediction with the prompt is prepared."""
        return self._count_prepared == 1

    @property
    def num_conditions(self) -> int:
        """Predictions of each step: 1 without guidance, else 2, or 3 with an image scale."""
        if not self._is_active():
            return 1
        return 2 if self.image_guidance_scale is None else 3

    def prepare_inputs(self, data: dict[str, Any]) -> list[Any]:
        """Return the model's inputs for each prediction.

        Args:
            data: inputs by name: a tensor for all predictions, or one for each, in the order with the prompt, (with the
                image alone,) without.

        Raises:
            InputError: an `image_guidance_scale`, but inputs for two predictions, as modular pipelines have.
        """
        names = self._names()
        _check_count(data, len(names))
        return [self._prepare_batch(data, index, name) for index, name in enumerate(names)]

    def prepare_inputs_from_block_state(self, data: Any, input_fields: dict[str, Any]) -> list[Any]:
        """Return the model's inputs for each prediction, from a block's state; raises as `prepare_inputs`."""
        names = self._names()
        _check_count(input_fields, len(names))
        return [
            self._prepare_batch_from_block_state(input_fields, data, index, name) for index, name in enumerate(names)
        ]

    def forward(
        self,
        pred_cond: torch.Tensor,
        pred_uncond: torch.Tensor | None = None,
        pred_image: torch.Tensor | None = None,
    ) -> GuiderOutput:
        """Combine the predictions, `(B, C, h, w)` or token sequences `(B, N, C)`."""
        pred = pred_cond
        if pred_uncond is not None:
            base = pred_uncond if pred_image is None else pred_image
            pred = base + self.guidance_scale * self._region(pred_cond) * (pred_cond - base)
            if pred_image is not None:
                assert self.image_guidance_scale is not None
                pred = pred + (self.image_guidance_scale - 1) * (pred_image - pred_uncond)
        return GuiderOutput(pred=pred, pred_cond=pred_cond, pred_uncond=pred_uncond)

    def _names(self) -> list[str]:
        count = self.num_conditions
        return {1: ["pred_cond"], 2: ["pred_cond", "pred_uncond"]}.get(count, list(self._input_predictions))

    def _is_active(self) -> bool:
        if not self._enabled:
            return False
        if self._num_inference_steps is None:
            return True
        first, last = (int(share * self._num_inference_steps) for share in (self._start, self._stop))
        return first <= self._step < last

    def _region(self, prediction: torch.Tensor) -> torch.Tensor | float:
        """Return the mask on a prediction's grid; a cell that it touches belongs to it."""
        if self._mask is None:
            return 1.0
        mask = self._mask.to(prediction)
        if prediction.ndim == 4:
            return F.adaptive_max_pool2d(mask, prediction.shape[-2:])
        side = (mask[0, 0].numel() / prediction.shape[1]) ** 0.5
        height, width = round(mask.shape[-2] / side), round(mask.shape[-1] / side)
        if height * width != prediction.shape[1]:
            raise InputError(
                f"`mask` must have the shape of the grid of {prediction.shape[1]} tokens, got "
                f"{mask.shape[-2]}x{mask.shape[-1]}."
            )
        return F.adaptive_max_pool2d(mask, (height, width)).flatten(2).transpose(1, 2)


def _check_count(inputs: Mapping[str, Any], count: int) -> None:
    """Check that inputs are for so many predictions."""
    for name, value in inputs.items():
        if isinstance(value, tuple) and len(value) < count:
            raise InputError(
                f"`image_guidance_scale` must be None here: the pipeline prepares `{name}` for {len(value)} "
                f"predictions, and guidance with a scale of the image needs {count}."
            )


def _checked(mask: torch.Tensor) -> torch.Tensor:
    shape = tuple(mask.shape)
    if mask.ndim != 4 or shape[1] != 1 or 0 in shape or not bool(((mask >= 0) & (mask <= 1)).all()):
        raise InputError(f"`mask` must be (B, 1, h, w) in [0, 1], got {shape}.")
    return mask.float()
