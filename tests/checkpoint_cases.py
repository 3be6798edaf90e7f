"""Weights and files of checkpoints that several tests of the conversion share."""

import torch
from safetensors.torch import load_file
from tiny_models import make_scheduler

from x2x_core.conversion.names import ema_name

WEIGHTS = ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model")


def folder_weights(folder):
    """Return the weights of each part of a diffusers folder."""
    return {name: load_file(folder / f"{name}.safetensors") for name in WEIGHTS}


def same(first, second):
    """Return True if two sets of weights are equal in names and bits."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def schedule():
    """Return the noise schedule as original files hold it."""
    alphas = make_scheduler().alphas_cumprod
    return {"alphas_cumprod": alphas, "betas": torch.zeros(1000), "logvar": torch.zeros(1000)}


def lightning_checkpoint(plain, average=0.5):
    """Return what PyTorch Lightning writes when InstructPix2Pix is trained: weights, EMA, schedule, counters."""
    state = dict(plain)
    unet = [name for name in plain if name.startswith("model.diffusion_model.")]
    state |= {ema_name(name): plain[name] * average for name in unet}
    state |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7, dtype=torch.int32)}
    state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return {"epoch": 3, "global_step": 22000, "state_dict": state | schedule(), "optimizer_states": [{"lr": 1e-4}]}
