"""Costs of a call: U-Net items, pictures that the VAE encodes and decodes, seconds and peak memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """Cost of a call.

    Args:
        seconds: wall time.
        cpu_seconds: of all threads, which other load on the machine changes less.
        unet_seconds: of `seconds`, in the U-Net.
        vae_seconds: of `seconds`, in the VAE.
        items: items of all U-Net calls.
        whole_items: the same in items of the size of the whole canvas, by latent cells.
        encoded: pictures that the VAE encoded, in whole canvases.
        decoded: pictures that the VAE decoded, in whole canvases.
        peak_bytes: peak memory of the process, on a GPU of its tensors; ``None`` where the system does not tell.
    """

    seconds: float
    cpu_seconds: float
    unet_seconds: float
    vae_seconds: float
    items: int
    whole_items: float
    encoded: float
    decoded: float
    peak_bytes: int | None


@dataclass
class Meter:
    """Measures calls of pipelines that share a U-Net and a VAE.

    Args:
        unet: whose items are counted.
        vae: whose pictures are counted.
        cells: latent cells of the whole canvas.
        scale: pixels to a side of a latent cell.
    """

    unet: torch.nn.Module
    vae: Any
    cells: int
    scale: int
    _counts: dict[str, float] = field(default_factory=dict)

    def measure(self, call: Callable[[], Any]) -> Cost:
        """Return the cost of a call."""
        device = next(self.unet.parameters()).device
        self._counts = dict.fromkeys(("items", "unet_cells", "encoded", "decoded", "unet", "vae"), 0.0)
        with ExitStack() as hooks:
            for module, name, count in (
                (self.unet, "unet", self._count_items),
                (self.vae.encoder, "vae", self._count_encoded),
                (self.vae.decoder, "vae", self._count_decoded),
            ):
                self._watch(hooks, module, name, count, device)
            reset_peak(device)
            start, spent = _now(device), time.process_time()
            call()
            seconds, spent = _now(device) - start, time.process_time() - spent
            peak = peak_bytes(device)
        counts = self._counts
        return Cost(
            seconds=round(seconds, 4),
            cpu_seconds=round(spent, 4),
            unet_seconds=round(counts["unet"], 4),
            vae_seconds=round(counts["vae"], 4),
            items=int(counts["items"]),
            whole_items=round(counts["unet_cells"] / self.cells, 3),
            encoded=round(counts["encoded"] / (self.cells * self.scale**2), 3),
            decoded=round(counts["decoded"] / self.cells, 3),
            peak_bytes=peak,
        )

    def _watch(
        self, hooks: ExitStack, module: Any, name: str, count: Callable[[Any], None], device: torch.device
    ) -> None:
        started: list[float] = []

        def before(_: Any, inputs: tuple[Any, ...]) -> None:
            count(inputs[0])
            started.append(_now(device))

        def after(*_: Any) -> None:
            self._counts[name] += _now(device) - started.pop()

        for handle in (module.register_forward_pre_hook(before), module.register_forward_hook(after)):
            hooks.callback(handle.remove)

    def _count_items(self, sample: torch.Tensor) -> None:
        self._counts["items"] += len(sample)
        self._counts["unet_cells"] += _area(sample)

    def _count_encoded(self, pixels: torch.Tensor) -> None:
        self._counts["encoded"] += _area(pixels)

    def _count_decoded(self, latents: torch.Tensor) -> None:
        self._counts["decoded"] += _area(latents)


def _area(batch: torch.Tensor) -> int:
    return len(batch) * batch.shape[-2] * batch.shape[-1]


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def reset_peak(device: torch.device) -> None:
    """Forget the peak memory until now, where the system allows it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _CLEAR.exists():
        _CLEAR.write_text("5")


def peak_bytes(device: torch.device) -> int | None:
    """Return the peak memory since `reset_peak`, in bytes; ``None`` where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if not _CLEAR.exists():
        return None
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
