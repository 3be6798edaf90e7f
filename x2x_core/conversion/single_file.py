"""Single files in the original layout: what InstructPix2Pix published, what its training writes, what ComfyUI reads."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from x2x_core.common.errors import InputError

from .checkpoint import PARTS, SCHEDULER, Checkpoint, expected_shapes, read_json
from .keys import check_keys
from .names import PREFIXES, ema_name, original_names
from .reading import read_weights

WEIGHTS = ("auto", "ema", "trained")
"""Which weights of the U-Net: the running average where the file has one; it, always; those last trained."""

_FILES = "x2x_files"  # in a safetensors header: the small files of the diffusers folder, so that they come back
_POSITIONS = PREFIXES["text_encoder"] + "embeddings.position_ids"
_SCHEDULE = {
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
    "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2", "logvar", "lvlb_weights",
}  # fmt: skip


def read_single_file(file: str | Path, files: dict[str, str] | None = None, weights: str = "auto") -> Checkpoint:
    """Read a single file in the original layout; every weight in it is placed, or left out by name and reason.

    Args:
        file: `.safetensors` or a pickle, see `read_weights`.
        files: the small files that go with it; ``None``: those that the file itself carries, or Stable Diffusion 1's.
        weights: one of `WEIGHTS`.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it can't be read, or its weights are not those expected; the message names every one.
    """
    if weights not in WEIGHTS:
        raise InputError(f"`weights` must be one of {', '.join(WEIGHTS)}, got {weights!r}.")
    found, metadata = read_weights(file)
    if files is None:
        files = _unpack(metadata[_FILES], file) if _FILES in metadata else _standard_files(found, file)
    shapes = expected_shapes(files)
    names = {part: original_names(part, shapes[part]) for part in PARTS}
    left_out = _leave_out(found, names["unet"].values(), files, weights, file)
    wanted = {
        original: _original_shape(part, original, shapes[part][name])
        for part in PARTS
        for name, original in names[part].items()
    }
    check_keys(found, wanted, f"`{file}`")
    placed = {
        part: {name: found[original].reshape(shapes[part][name]) for name, original in names[part].items()}
        for part in PARTS
    }
    return Checkpoint(placed, files, left_out)


def carried_files(file: str | Path) -> dict[str, str]:
    """The small files that a single file carries in its header, by their places; none in files that others wrote.

    The weights are not read.
    """
    if Path(file).suffix != ".safetensors":
        return {}
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata() or {}
    return _unpack(metadata[_FILES], file) if _FILES in metadata else {}


def write_single_file(checkpoint: Checkpoint, file: str | Path) -> None:
    """Write a checkpoint as one safetensors file in the original layout.

    The small files of the diffusers folder (configurations, tokenizer) are packed into its header.
    """
    shapes = {part: {name: tuple(value.shape) for name, value in checkpoint.weights[part].items()} for part in PARTS}
    state = {}
    for part in PARTS:
        for name, original in original_names(part, shapes[part]).items():
            value = checkpoint.weights[part][name]
            state[original] = value.reshape(_original_shape(part, original, shapes[part][name])).contiguous()
    file = Path(file)
    partial = file.with_name(file.name + ".partial")
    save_file(state, partial, {_FILES: _pack(checkpoint.files)})  # one entry: several are written in any order
    partial.replace(file)


def _original_shape(part: str, original: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The autoencoder's attention is linear in diffusers and a 1x1 convolution in the original."""
    convolution = part == "vae" and ".mid.attn_" in original and len(shape) == 2
    return (*shape, 1, 1) if convolution else shape


def _leave_out(found: dict[str, torch.Tensor], unet, files: dict[str, str], weights: str, file) -> dict[str, str]:
    """Take what is no weight of the three parts out of `found`, choose the U-Net's weights, and say what went."""
    left_out = {}
    for name in sorted(_SCHEDULE & found.keys()):
        left_out[name] = "noise schedule, which the scheduler's configuration states"
        _check_schedule(name, found.pop(name), files, file)
    if _POSITIONS in found:
        left_out[_POSITIONS] = "counts the positions, which the text encoder does itself"
        _check_positions(found.pop(_POSITIONS), file)
    averages = {name: found.pop(name) for name in sorted(found) if name.startswith("model_ema.")}
    left_out |= {name: "state of the running average" for name in _EMA_STATE if averages.pop(name, None) is not None}
    if not averages:
        if weights == "ema":
            raise InputError(
                f"`weights` is ema, but `{file}` holds no running average (model_ema.*). Use auto or trained."
            )
        return left_out
    return left_out | _choose_average(found, averages, unet, weights, file)


_EMA_STATE = ("model_ema.decay", "model_ema.num_updates")


def _choose_average(found, averages, unet, weights: str, file) -> dict[str, str]:
    """Check the running average against the U-Net's weights, name by name, and put the chosen ones into `found`."""
    trained = {name: found[name] for name in unet if name in found}
    flat = {ema_name(name): name for name in unet}
    check_keys(
        averages,
        {
            name: tuple(trained.get(original, averages.get(name, torch.empty(0))).shape)
            for name, original in flat.items()
        },
        f"the running average in `{file}`",
    )
    if weights == "trained":
        return dict.fromkeys(averages, "running average; the weights last trained were chosen")
    found.update({original: averages[name] for name, original in flat.items()})
    return dict.fromkeys(trained, "weights last trained; their running average was chosen")


def _check_schedule(name: str, values: torch.Tensor, files: dict[str, str], file) -> None:
    """The file's noise schedule must be that of the scheduler's configuration."""
    if name != "alphas_cumprod":
        return
    from diffusers import DDIMScheduler

    own = DDIMScheduler.from_config(read_json(files, SCHEDULER)).alphas_cumprod
    if values.shape != own.shape or not torch.allclose(values.float(), own, atol=1e-4):
        raise InputError(
            f"`{file}` was trained with another noise schedule than `{SCHEDULER}` states. Give a folder whose scheduler "
            "is the right one with `like`."
        )


def _check_positions(positions: torch.Tensor, file) -> None:
    counted = torch.arange(positions.numel())
    if not torch.equal(positions.flatten().float().round().long(), counted):
        raise InputError(f"`{_POSITIONS}` in `{file}` must count from 0, but does not: the file is damaged.")


def _standard_files(found: dict[str, torch.Tensor], file) -> dict[str, str]:
    from .stable_diffusion import INPUT, stable_diffusion_files

    if INPUT not in found or found[INPUT].ndim != 4:
        raise InputError(
            f"`{file}` must be a checkpoint in the original layout, but `{INPUT}` is missing or no convolution."
        )
    return stable_diffusion_files(found[INPUT].shape[1], found[INPUT].dtype)


def _pack(files: dict[str, str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(files, sort_keys=True).encode(), 9)).decode()


def _unpack(text: str, file) -> dict[str, str]:
    try:
        files = json.loads(zlib.decompress(base64.b64decode(text)))
        if all(isinstance(value, str) for value in files.values()):
            return files
    except (ValueError, zlib.error, AttributeError):
        pass
    raise InputError(f"The small files in the header of `{file}` can't be read: it is damaged. Give them with `like`.")
