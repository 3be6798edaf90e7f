"""Configuration of ComfyUI's U-Net and noise schedule for a diffusers checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.model_base

from x2x_core.common.errors import InputError

# Options of diffusers' U-Net for which ComfyUI's U-Net supports a single value, which is diffusers' default.
SUPPORTED = {
    "act_fn": "silu",
    "addition_embed_type": None,
    "attention_type": "default",
    "center_input_sample": False,
    "class_embed_type": None,
    "conv_in_kernel": 3,
    "conv_out_kernel": 3,
    "cross_attention_norm": None,
    "downsample_padding": 1,
    "dual_cross_attention": False,
    "encoder_hid_dim_type": None,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-5,
    "num_class_embeds": None,
    "only_cross_attention": False,
    "resnet_out_scale_factor": 1.0,
    "resnet_skip_time_act": False,
    "resnet_time_scale_shift": "default",
    "time_cond_proj_dim": None,
    "time_embedding_act_fn": None,
    "time_embedding_dim": None,
    "time_embedding_type": "positional",
    "timestep_post_act": None,
}
DOWN_BLOCKS = {"DownBlock2D": False, "CrossAttnDownBlock2D": True}  # True: with cross-attention
UP_BLOCKS = {"UpBlock2D": False, "CrossAttnUpBlock2D": True}
BETA_SCHEDULES = {"scaled_linear": "linear", "linear": "sqrt_linear"}  # diffusers' name: ComfyUI's name
PREDICTIONS = {
    "epsilon": comfy.model_base.ModelType.EPS,
    "v_prediction": comfy.model_base.ModelType.V_PREDICTION,
}


def unet_shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ComfyUI's U-Net for a diffusers U-Net.

    Args:
        config: of diffusers' U-Net.

    Raises:
        InputError: ComfyUI's U-Net does not support this configuration.
    """
    _check(config)
    widths, attends = config["block_out_channels"], [DOWN_BLOCKS[name] for name in config["down_block_types"]]
    levels = len(widths)
    blocks = _per_level(config.get("layers_per_block", 2), levels)
    depths = [
        depth if attending else 0
        for depth, attending in zip(_per_level(config.get("transformer_layers_per_block", 1), levels), attends)
    ]
    return {
        "image_size": 32,
        "use_checkpoint": False,
        "use_spatial_transformer": True,
        "legacy": False,
        "adm_in_channels": None,
        "use_temporal_attention": False,
        "use_temporal_resblock": False,
        "in_channels": config["in_channels"],
        "out_channels": config["out_channels"],
        "model_channels": widths[0],
        "channel_mult": [_Multiple(width, widths[0]) for width in widths],
        "num_res_blocks": blocks,
        "transformer_depth": [depth for depth, count in zip(depths, blocks) for _ in range(count)],
        "transformer_depth_output": [depth for depth, count in zip(depths, blocks) for _ in range(count + 1)],
        "transformer_depth_middle": _per_level(config.get("transformer_layers_per_block", 1), levels)[-1],
        "context_dim": config["cross_attention_dim"],
        "use_linear_in_transformer": config.get("use_linear_projection", False),
        **_heads(config),
    }


class _Multiple:
    """Width of a level as a multiple of the first level's width, which need not be an integer.

    Args:
        width: of the level.
        first: width of the first level.
    """

    def __init__(self, width: int, first: int) -> None:
        self.width, self.first = width, first

    def __mul__(self, other: int) -> int:
        return self.width * other // self.first

    __rmul__ = __mul__


def _check(config: Mapping[str, Any]) -> None:
    inputs, outputs = config.get("in_channels"), config.get("out_channels")
    if inputs is None or outputs is None or inputs != 2 * outputs:
        raise InputError(
            "The U-Net must have twice as many input channels as output channels, for the noisy latents and the "
            f"image's, got {inputs} and {outputs}: this is not an InstructPix2Pix checkpoint."
        )
    blocks = config.get("down_block_types", ()), config.get("up_block_types", ())
    known = all(name in DOWN_BLOCKS for name in blocks[0]) and all(name in UP_BLOCKS for name in blocks[1])
    if not known or [DOWN_BLOCKS[name] for name in blocks[0]] != [UP_BLOCKS[name] for name in reversed(blocks[1])]:
        raise InputError(
            f"ComfyUI's U-Net requires blocks of type {' or '.join(DOWN_BLOCKS)}, with mirrored up blocks, got "
            f"{list(blocks[0])} and {list(blocks[1])}. Use the pipeline nodes for this checkpoint."
        )
    if config.get("mid_block_type", "UNetMidBlock2DCrossAttn") != "UNetMidBlock2DCrossAttn":
        raise _unsupported("mid_block_type", config["mid_block_type"], "UNetMidBlock2DCrossAttn")
    for name, value in SUPPORTED.items():
        if config.get(name, value) != value:
            raise _unsupported(name, config[name], value)


def _unsupported(name: str, value: Any, supported: Any) -> InputError:
    return InputError(
        f"ComfyUI's U-Net requires `{name}` to be {supported!r}, got {value!r}. Use the pipeline nodes for this "
        "checkpoint."
    )


def _per_level(value: int | list[int], levels: int) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * levels


def _heads(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the attention heads; `attention_head_dim` of diffusers' U-Nets is the number of heads."""
    levels = len(config["block_out_channels"])
    counts = _per_level(config.get("num_attention_heads") or config.get("attention_head_dim", 8), levels)
    if len(set(counts)) == 1:
        return {"num_heads": counts[0], "num_head_channels": -1}
    sizes = {width // count for width, count in zip(config["block_out_channels"], counts)}
    if len(sizes) > 1:
        raise _unsupported("attention_head_dim", config.get("attention_head_dim"), "one number, or heads of one width")
    return {"num_heads": -1, "num_head_channels": sizes.pop()}


def sampling_settings(scheduler: Mapping[str, Any]) -> dict[str, Any]:
    """Return noise schedule and prediction type of a diffusers scheduler as ComfyUI's settings.

    Args:
        scheduler: configuration of the scheduler.

    Raises:
        InputError: ComfyUI does not support the schedule or prediction type.
    """
    schedule, prediction = scheduler.get("beta_schedule", "linear"), scheduler.get("prediction_type", "epsilon")
    if schedule not in BETA_SCHEDULES or scheduler.get("trained_betas") is not None:
        raise InputError(
            f"ComfyUI requires the scheduler's `beta_schedule` to be one of {', '.join(BETA_SCHEDULES)}, got "
            f"{schedule!r}{' with trained betas' if scheduler.get('trained_betas') is not None else ''}."
        )
    if prediction not in PREDICTIONS:
        raise InputError(
            f"ComfyUI requires the scheduler's `prediction_type` to be {' or '.join(PREDICTIONS)}, got {prediction!r}."
        )
    return {
        "prediction_type": prediction,
        "beta_schedule": BETA_SCHEDULES[schedule],
        "linear_start": scheduler.get("beta_start", 0.0001),
        "linear_end": scheduler.get("beta_end", 0.02),
        "timesteps": scheduler.get("num_train_timesteps", 1000),
        "zsnr": scheduler.get("rescale_betas_zero_snr", False),
    }
