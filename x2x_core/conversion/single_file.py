"""Single files in the original layout: as InstructPix2Pix published, its training writes, and ComfyUI reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import DDIMScheduler
from safetensors.torch import save_file

from x2x_core.common.errors import InputError

from .checkpoint import PARTS, SCHEDULER, Checkpoint, expected_shapes, read_json
from .ema_weights import CHOICES, choose_weights, take_averages
from .embedded_files import pack, unpack
from .names import PREFIXES, original_names
from .standard_configs import INPUT_WEIGHT, stable_diffusion_files
from .weight_check import check_names_and_shapes
from .weight_files import read_weights

_POSITIONS = PREFIXES["text_encoder"] + "embeddings.position_ids"
_SCHEDULE = {
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
    "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2", "logvar", "lvlb_weights",
}  # fmt: skip
_OTHER_SIZE = (
    "The file embeds no configuration, so Stable Diffusion 1's was assumed. For a model of another size, set `like` "
    "(`--like`) to a diffusers folder of that size."
)


def read_single_file(file: str | Path, files: dict[str, str] | None = None, weights: str = "auto") -> Checkpoint:
    """Read a single file in the original layout; what is not taken over is listed by name and reason.

    Args:
        file: `.safetensors` or a pickle, see `read_weights`.
        files: the small files of the diffusers folder; ``None``: those embedded in the file, or Stable Diffusion 1's.
        weights: one of `x2x_core.conversion.ema_weights.CHOICES`.

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: the file cannot be read, or its weights are not as expected; the message names every such weight.
    """
    if weights not in CHOICES:
        raise InputError(f"`weights` must be one of {', '.join(CHOICES)}, got {weights!r}.")
    state, metadata = read_weights(file)
    embedded = unpack(metadata, file) if files is None else files
    files = _standard_files(state, file) if embedded is None else embedded
    shapes = expected_shapes(files)
    names = {part: original_names(part, shapes[part]) for part in PARTS}
    expected = {
        part: {original: _original_shape(part, original, shapes[part][name]) for name, original in names[part].items()}
        for part in PARTS
    }
    left_out = _take_schedule_and_positions(state, files, file)
    averages, counters = take_averages(state)
    left_out |= dict.fromkeys(counters, "counters of the EMA")
    every_shape = {name: shape for part in PARTS for name, shape in expected[part].items()}
    check_names_and_shapes(state, every_shape, f"`{file}`", "" if embedded is not None else _OTHER_SIZE)
    trained = {name: state[name] for name in expected["unet"]}
    chosen, others = choose_weights(trained, averages, expected["unet"], weights, file)
    state |= chosen
    placed = {
        part: {name: state[original].reshape(shapes[part][name]) for name, original in names[part].items()}
        for part in PARTS
    }
    return Checkpoint(placed, files, left_out | others)


def write_single_file(checkpoint: Checkpoint, file: str | Path) -> None:
    """Write a checkpoint as one safetensors file in the original layout, completely or not at all.

    The small files of the diffusers folder (configurations, tokenizer) are embedded in its header.
    """
    state = {}
    for part in PARTS:
        weights = checkpoint.weights[part]
        for name, original in original_names(part, weights).items():
            shape = _original_shape(part, original, tuple(weights[name].shape))
            state[original] = weights[name].reshape(shape).contiguous()
    file = Path(file)
    partial = file.with_name(file.name + ".partial")
    save_file(state, partial, pack(checkpoint.files))
    partial.replace(file)


def _original_shape(part: str, original: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape in the original layout, where the autoencoder's attention is a 1x1 convolution, not linear."""
    convolution = part == "vae" and ".mid.attn_" in original and len(shape) == 2
    return (*shape, 1, 1) if convolution else shape


def _take_schedule_and_positions(
    state: dict[str, torch.Tensor], files: Mapping[str, str], file: str | Path
) -> dict[str, str]:
    """Remove and check the noise schedule and the position numbers; return their names with the reason."""
    left_out = {}
    for name in sorted(_SCHEDULE & state.keys()):
        left_out[name] = "noise schedule, which the scheduler's configuration states"
        _check_schedule(name, state.pop(name), files, file)
    if _POSITIONS in state:
        left_out[_POSITIONS] = "position numbers, which the text encoder computes itself"
        _check_positions(state.pop(_POSITIONS), file)
    return left_out


def _check_schedule(name: str, values: torch.Tensor, files: Mapping[str, str], file: str | Path) -> None:
    """Check that the noise schedule of the file is that of the scheduler's configuration."""
    if name != "alphas_cumprod":
        return
    configured = DDIMScheduler.from_config(read_json(files, SCHEDULER)).alphas_cumprod
    if values.shape != configured.shape or not torch.allclose(values.float(), configured, atol=1e-4):
        raise InputError(
            f"`{file}` was trained with another noise schedule than `{SCHEDULER}` states. Set `like` to a folder with "
            "the right scheduler."
        )


def _check_positions(positions: torch.Tensor, file: str | Path) -> None:
    if not torch.equal(positions.flatten().float().round().long(), torch.arange(positions.numel())):
        raise InputError(f"`{_POSITIONS}` in `{file}` must count from 0, but does not: the file is damaged.")


def _standard_files(state: Mapping[str, torch.Tensor], file: str | Path) -> dict[str, str]:
    """Return Stable Diffusion 1's configurations, with the input channels and the data type of the file."""
    if INPUT_WEIGHT not in state or state[INPUT_WEIGHT].ndim != 4:
        raise InputError(
            f"`{file}` is not a checkpoint in the original layout: `{INPUT_WEIGHT}` is missing or not a convolution."
        )
    weight = state[INPUT_WEIGHT]
    return stable_diffusion_files(weight.shape[1], weight.dtype)
