"""A checkpoint in memory: weights under their diffusers names, and the small files that go with them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import torch

from x2x_core.common.errors import InputError

from .keys import Shapes, check_keys

PARTS = ("unet", "vae", "text_encoder")
INDEX = "model_index.json"
CONFIGS = {part: f"{part}/config.json" for part in PARTS}
SCHEDULER = "scheduler/scheduler_config.json"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of InstructPix2Pix, whatever layout it came in."""

    weights: dict[str, dict[str, torch.Tensor]]  # "unet", "vae", "text_encoder": by diffusers name
    files: dict[str, str]  # text by path in the diffusers folder: index, configurations, tokenizer
    left_out: dict[str, str] = field(default_factory=dict)  # what was in the source and is not here: why

    def __post_init__(self) -> None:
        for part, shapes in expected_shapes(self.files).items():
            check_keys(self.weights[part], shapes, f"the {part}")

    def cast(self, dtype: torch.dtype | None) -> Checkpoint:
        """The same with weights of another type; ``None``: as they are."""
        if dtype is None:
            return self
        weights = {part: {name: value.to(dtype) for name, value in own.items()} for part, own in self.weights.items()}
        config = json.loads(self.files[CONFIGS["text_encoder"]])
        kept = {name: value for name, value in config.items() if name not in ("dtype", "torch_dtype")}
        kept["dtype"] = str(dtype).removeprefix("torch.")  # what transformers loads the weights as
        files = self.files | {CONFIGS["text_encoder"]: json.dumps(kept, indent=2, sort_keys=True) + "\n"}
        return Checkpoint(weights, files, self.left_out)

    @property
    def prediction_type(self) -> str:
        """What the U-Net predicts: "epsilon" or "v_prediction"."""
        return json.loads(self.files[SCHEDULER]).get("prediction_type", "epsilon")


def expected_shapes(files: dict[str, str]) -> dict[str, Shapes]:
    """The shapes of all weights of each part, by diffusers name, that the configurations in `files` ask for.

    Raises:
        InputError: a configuration is missing or can't be read.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    configs = {part: read_json(files, path) for part, path in CONFIGS.items()}
    with torch.device("meta"):
        models = {
            "unet": UNet2DConditionModel.from_config(configs["unet"]),
            "vae": AutoencoderKL.from_config(configs["vae"]),
            "text_encoder": CLIPTextModel(CLIPTextConfig.from_dict(configs["text_encoder"])),
        }
    return {part: _shapes(model.state_dict()) for part, model in models.items()}


def _shapes(state: dict[str, torch.Tensor]) -> Shapes:
    return {name.removeprefix("text_model."): tuple(value.shape) for name, value in state.items()}


def read_json(files: dict[str, str], path: str) -> dict[str, Any]:
    """One of the small files as a mapping."""
    if path not in files:
        raise InputError(f"The checkpoint must have a `{path}`, but has none.")
    try:
        values = json.loads(files[path])
    except ValueError as error:
        raise InputError(f"`{path}` must be JSON: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"`{path}` must be a JSON object, got {type(values).__name__}.")
    return values
