"""A CLIP text encoder and its tokenizer as ComfyUI's CLIP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import comfy.clip_model
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models_base
import folder_paths
import torch

from x2x_core.common.errors import InputError

# transformers' defaults for values that a configuration leaves out.
DEFAULTS = {
    "vocab_size": 49408,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "eos_token_id": 49407,
    "layer_norm_eps": 1e-5,
}


def text_shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of ComfyUI's text model for a configuration of transformers.

    Args:
        config: of transformers.

    Raises:
        InputError: a text encoder that ComfyUI's classes cannot represent.
    """
    shape = {**DEFAULTS, **config}
    if shape.get("model_type", "clip_text_model") != "clip_text_model":
        raise InputError(
            f"ComfyUI requires a CLIP text model as text encoder, got {shape['model_type']!r}. Use the pipeline "
            "nodes for this checkpoint."
        )
    if shape["hidden_act"] not in comfy.clip_model.ACTIVATIONS or shape["layer_norm_eps"] != DEFAULTS["layer_norm_eps"]:
        raise InputError(
            f"The text encoder's `hidden_act` must be one of {', '.join(comfy.clip_model.ACTIVATIONS)} and its "
            f"`layer_norm_eps` {DEFAULTS['layer_norm_eps']} for ComfyUI, got {shape['hidden_act']!r} and "
            f"{shape['layer_norm_eps']}."
        )
    return shape


def load_text_encoder(
    weights: Mapping[str, torch.Tensor], shape: dict[str, Any], tokenizer: Path, dtype: torch.dtype | None = None
) -> comfy.sd.CLIP:
    """Return ComfyUI's CLIP for a text encoder of any width and vocabulary.

    Args:
        weights: by transformers' name without "text_model.".
        shape: from `text_shape`.
        tokenizer: folder of the tokenizer.
        dtype: of the weights; ``None``: chosen by ComfyUI.
    """
    make_tokenizer = partial(
        comfy.sd1_clip.SD1Tokenizer,
        tokenizer=partial(
            comfy.sd1_clip.SDTokenizer,
            tokenizer_path=str(tokenizer),
            max_length=shape["max_position_embeddings"],
            embedding_size=shape["hidden_size"],
        ),
    )
    tokens = make_tokenizer().clip_l
    encoder = partial(
        comfy.sd1_clip.SDClipModel,
        max_length=shape["max_position_embeddings"],
        textmodel_json_config=shape,
        special_tokens={"start": tokens.start_token, "end": tokens.end_token, "pad": tokens.pad_token},
        model_class=_TextModel,
        return_projected_pooled=False,
    )
    target = comfy.supported_models_base.ClipTarget(
        make_tokenizer, partial(comfy.sd1_clip.SD1ClipModel, clip_model=encoder)
    )
    options = {} if dtype is None else {"dtype": dtype}
    clip = comfy.sd.CLIP(target, embedding_directory=folder_paths.get_folder_paths("embeddings"), model_options=options)
    named = {f"text_model.{name}": value for name, value in weights.items()}
    named["text_projection.weight"] = torch.eye(shape["hidden_size"])  # for the pooled output, which is not used
    clip.load_sd(named)
    return clip


class _TextModel(comfy.clip_model.CLIPTextModel):
    """ComfyUI's CLIP text model with a vocabulary of its own."""

    def __init__(self, config_dict: dict, dtype: torch.dtype, device: torch.device, operations: Any) -> None:
        super().__init__(config_dict, dtype, device, operations)
        self.set_input_embeddings(
            operations.Embedding(config_dict["vocab_size"], config_dict["hidden_size"], dtype=dtype, device=device)
        )
