"""Checkpoint in memory: weights under their diffusers names, and the small files that go with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from x2x_core.common.errors import InputError

from .weight_check import Shapes, check_finite, check_names_and_shapes, check_range

PARTS = ("unet", "vae", "text_encoder")
CONFIGS = {part: f"{part}/config.json" for part in PARTS}
SCHEDULER = "scheduler/scheduler_config.json"


@dataclass(frozen=True)
class Checkpoint:
    """An InstructPix2Pix checkpoint, independent of its layout on disk.

    Raises:
        InputError: the weights do not match the configurations, or are not finite; the message names every such weight.
    """

    weights: dict[str, dict[str, torch.Tensor]]  # by part ("unet", "vae", "text_encoder") and diffusers name
    files: dict[str, str]  # texts by path in the diffusers folder: index, configurations, tokenizer
    left_out: dict[str, str] = field(default_factory=dict)  # what the source had and this lacks, with the reason

    def __post_init__(self) -> None:
        for part, shapes in expected_shapes(self.files).items():
            check_names_and_shapes(self.weights[part], shapes, f"the {part}")
            check_finite(self.weights[part], f"the {part}")

    def cast(self, dtype: torch.dtype | None) -> Checkpoint:
        """Return the checkpoint with weights of another data type; ``None`` leaves them unchanged.

        Raises:
            InputError: a value would overflow; the message names every such weight.
        """
        if dtype is None:
            return self
        for part, own in self.weights.items():
            check_range(own, dtype, f"the {part}")
        weights = {part: {name: value.to(dtype) for name, value in own.items()} for part, own in self.weights.items()}
        config = json.loads(self.files[CONFIGS["text_encoder"]])
        kept = {name: value for name, value in config.items() if name not in ("dtype", "torch_dtype")}
        kept["dtype"] = str(dtype).removeprefix("torch.")  # the type that transformers loads the weights in
        files = self.files | {CONFIGS["text_encoder"]: json.dumps(kept, indent=2, sort_keys=True) + "\n"}
        return replace(self, weights=weights, files=files)

    @property
    def prediction_type(self) -> str:
        """Prediction type of the U-Net: "epsilon" or "v_prediction"."""
        return json.loads(self.files[SCHEDULER]).get("prediction_type", "epsilon")


def expected_shapes(files: Mapping[str, str]) -> dict[str, Shapes]:
    """Return the shapes of all weights by part and diffusers name, according to the configurations in `files`.

    Raises:
        InputError: a configuration is missing or cannot be read.
    """
    configs = {part: read_json(files, path) for part, path in CONFIGS.items()}
    with torch.device("meta"):
        models = {
            "unet": UNet2DConditionModel.from_config(configs["unet"]),
            "vae": AutoencoderKL.from_config(configs["vae"]),
            "text_encoder": CLIPTextModel(CLIPTextConfig.from_dict(configs["text_encoder"])),
        }
    return {part: _shapes(model.state_dict()) for part, model in models.items()}


def _shapes(state: Mapping[str, torch.Tensor]) -> Shapes:
    return {name.removeprefix("text_model."): tuple(value.shape) for name, value in state.items()}


def read_json(files: Mapping[str, str], path: str) -> dict[str, Any]:
    """Return one of the small files as a mapping.

    Raises:
        InputError: the file is missing, or is not a JSON object.
    """
    if path not in files:
        raise InputError(f"The checkpoint has no `{path}`.")
    try:
        values = json.loads(files[path])
    except ValueError as error:
        raise InputError(f"`{path}` must be JSON: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"`{path}` must be a JSON object, got {type(values).__name__}.")
    return values
