"""Pipelines, loaded once and shared, on ComfyUI's devices and under its memory management."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comfy.model_management as memory
import comfy.model_patcher
import torch

from .folders import SINGLE_FILES
from .prepared import PreparedImages

# Upper estimate of the memory that an edit needs beside the weights, in bytes per image and pixel, for a U-Net of
# Stable Diffusion's size.
_BYTES_PER_PIXEL = 2048
_PARTS = ("unet", "vae", "text_encoder", "image_encoder", "safety_checker")


class PipelineParts(torch.nn.Module):
    """The networks of a pipeline as one module, which ComfyUI can move between devices."""

    def __init__(self, pipe: Any) -> None:
        super().__init__()
        for name in _PARTS:
            part = getattr(pipe, name, None)
            if isinstance(part, torch.nn.Module):
                self.add_module(name, part)


class PipelinePatcher(comfy.model_patcher.ModelPatcher):
    """Moves the networks of a pipeline as a whole: ComfyUI can only move its own layers one by one."""

    def partially_load(self, device_to: torch.device, *_: Any, **__: Any) -> int:
        """Move all networks to a device and return the number of bytes moved."""
        before = self.loaded_size()
        self.model.to(device_to)
        self.model.device = device_to
        self.model.model_loaded_weight_memory = self.model_size()
        return self.model_size() - before

    def partially_unload(self, *_: Any, **__: Any) -> int:
        """Return 0 bytes freed, so that ComfyUI unloads the whole model."""
        return 0


@dataclass(frozen=True, eq=False)
class LoadedPipeline:
    """A pipeline that nodes pass on to each other."""

    name: str  # in the menu
    pipe: Any  # x2x_core.InstructX2XPipeline
    patcher: PipelinePatcher
    prepared: PreparedImages = field(default_factory=PreparedImages)

    def ready(self, items: int = 1) -> Any:
        """Return the pipeline on its device, with memory for `items` U-Net items."""
        cells = self.pipe.unet.config.sample_size or 64
        side = (cells if isinstance(cells, int) else max(cells)) * self.pipe.vae_scale_factor
        memory.load_models_gpu([self.patcher], memory_required=items * side**2 * _BYTES_PER_PIXEL)
        return self.pipe


# By fingerprint, dtype and device. ComfyUI's own cache of node outputs keeps the pipelines alive.
_shared: weakref.WeakValueDictionary[tuple[str, torch.dtype, str], LoadedPipeline] = weakref.WeakValueDictionary()


def fingerprint(path: Path | None) -> str:
    """Return the names, sizes and times of a file or of the files in a folder, without reading them."""
    if path is None:
        return "bundled"
    if not path.exists():
        return f"{path}: missing"
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return "; ".join(f"{file} {os.stat(file).st_size} {os.stat(file).st_mtime_ns}" for file in files)


def load(name: str, path: Path | None, dtype: str) -> LoadedPipeline:
    """Return the pipeline of a checkpoint, loading it unless it is loaded.

    Args:
        name: in the menu.
        path: a folder in diffusers layout or a single file; ``None``: the bundled demo.
        dtype: "auto", "float32", "float16" or "bfloat16".

    Raises:
        InputNotFoundError: a file is missing.
        InputError: the checkpoint cannot be used; the message names the reason.
    """
    device = memory.get_torch_device()
    torch_dtype = choose_dtype(dtype, device)
    key = fingerprint(path), torch_dtype, str(device)
    loaded = _shared.get(key)
    if loaded is None:
        pipe = _read(path, torch_dtype)
        pipe.set_progress_bar_config(disable=True)
        patcher = PipelinePatcher(PipelineParts(pipe), device, memory.unet_offload_device())
        loaded = _shared[key] = LoadedPipeline(name, pipe, patcher)
    return loaded


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return a torch dtype by its name; "auto" is half precision if ComfyUI considers the device fast at it."""
    if name != "auto":
        return getattr(torch, name)
    if memory.should_use_fp16(device):
        return torch.float16
    return torch.bfloat16 if memory.should_use_bf16(device) else torch.float32


def _read(path: Path | None, dtype: torch.dtype) -> Any:
    from x2x_core import InstructX2XPipeline
    from x2x_core.edit.loading import check_instruct_pix2pix

    if path is not None and path.suffix in SINGLE_FILES and path.is_file():
        from .single_file import read_single_file

        return read_single_file(path, dtype)
    if path is not None:
        check_instruct_pix2pix(path)
    return InstructX2XPipeline.from_pretrained("demo" if path is None else path, dtype=dtype)
