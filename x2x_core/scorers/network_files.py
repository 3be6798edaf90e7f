"""Networks from files, and what they want their images to be: what scorers, segmenters and features have in common.

A file brings its description as JSON beside it, `NAME.json` for `NAME.pt` or `NAME.onnx`::

    {"labels": ["pleural effusion", "edema"], "kind": "probability", "size": 224, "activation": "sigmoid",
     "low": -1024, "high": 1024, "channels": 1, "mean": [], "std": []}

A scorer's needs "labels" and "kind", a segmenter's "structures"; the rest are the fields of `Preparation`, "activation"
and "name".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.geometry import crop, fit_to, resize

from .scorer import check_images

BUNDLED, XRV = "bundled", "torchxrayvision:"
XRV_RANGE = {"low": -1024.0, "high": 1024.0}  # what torchxrayvision's networks take black and white for
TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX = (".pt", ".pth", ".ts"), ".onnx"
NETWORK_SUFFIXES = (*TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX)
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "none": lambda given: given,
    "sigmoid": torch.sigmoid,
    "softmax": lambda given: given.softmax(1),
    "exp": lambda given: given.exp().clamp(0, 1),  # of log-probabilities
}
Network = Callable[[torch.Tensor], torch.Tensor]
_ONNX_FLOAT = "tensor(float)"


@dataclass(frozen=True)
class Preparation:
    """What a network wants its images to be."""

    size: int | None = None  # pixels to a side, padded to a square; None: as they are
    low: float = 0.0  # what black becomes
    high: float = 1.0  # what white becomes
    channels: int = 1  # 1, or 3 alike
    mean: tuple[float, ...] = ()  # of each channel, taken away after all that
    std: tuple[float, ...] = ()  # of each channel, divided by

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise InputError(f"`channels` must be 1 or 3, got {self.channels}.")
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if len(getattr(self, name)) not in (0, self.channels):
                raise InputError(
                    f"`{name}` must be left out or have {self.channels} numbers, got {getattr(self, name)}."
                )

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to what the network takes, `(B, channels, h, w)` float32."""
        ready = check_images(images).float()
        ready = fit_to(ready, self.size)[0] if self.size else ready
        ready = (self.low + (self.high - self.low) * ready).expand(-1, self.channels, -1, -1)
        for name, sign in (("mean", torch.sub), ("std", torch.div)):
            if numbers := getattr(self, name):
                ready = sign(ready, ready.new_tensor(numbers)[:, None, None])
        return ready

    def undo(self, maps: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Maps `(B, S, any, any)` of what the network was given, laid over the images: `(B, S, H, W)`."""
        size = tuple(images.shape[-2:])
        if not self.size:
            return resize(maps, size)
        _, padding = fit_to(images[:1].float(), self.size)
        return resize(crop(resize(maps, (self.size, self.size)), padding), size)


def named(names: Collection[str]) -> list[int]:
    """The places of names that are not empty: outputs without a name stand for nothing."""
    return [place for place, name in enumerate(names) if name.strip()]


def activation_of(name: str) -> Network:
    """An activation by its name.

    Raises:
        InputError: there is none of this name.
    """
    if name not in ACTIVATIONS:
        raise InputError(f"`activation` must be one of {', '.join(ACTIVATIONS)}, got {name!r}.")
    return ACTIVATIONS[name]


def on_device(module: Network, device: str | torch.device) -> Network:
    """A torch module, to be asked and not trained, on a device; other functions as they are."""
    return module.to(device).eval() if isinstance(module, nn.Module) else module


def read_network(
    path: str | Path, required: Collection[str], allowed: Collection[str] = (), device: str | torch.device = "cpu"
) -> tuple[Network, dict[str, Any]]:
    """A TorchScript or ONNX file, on the CPU, and its description; see the head of this module.

    The description has "name", else the file's, and "device", where the network is to run: that which is wanted, but for
    ONNX, which takes and gives what is on the CPU.

    Args:
        path: of the file.
        required: fields that the description must have.
        allowed: fields that it may have beside those of `Preparation`, "activation" and "name".
        device: where a torch network is wanted.

    Raises:
        InputNotFoundError: no such file, or no description beside it.
        MissingExtraError: onnxruntime is missing.
        InputError: a file or description that can't be read.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no network at `{path}`.")
    about = _description(path.with_suffix(".json"), required, allowed)
    is_onnx = path.suffix.lower() == ONNX_SUFFIX
    about = {"name": path.name, **about, "device": "cpu" if is_onnx else device}
    return (_onnx(path) if is_onnx else torchscript(path)), about


def _description(path: Path, required: Collection[str], allowed: Collection[str]) -> dict[str, Any]:
    wanted = " and ".join(f"`{name}`" for name in required)
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no `{path}`: it must say what the network gives, in JSON with {wanted}, such as "
            '{"labels": ["pleural effusion"], "kind": "probability", "size": 224}.'
        )
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"`{path}` must be JSON: {error}.") from error
    known = {"name", "activation", *required, *allowed, *(field.name for field in fields(Preparation))}
    if not isinstance(about, dict) or not set(required) <= set(about) <= known:
        raise InputError(
            f"`{path}` must have {wanted}, and of other fields only {', '.join(sorted(known - set(required)))}."
        )
    return about


def torchscript(path: Path) -> nn.Module:
    """A TorchScript file, on the CPU.

    Raises:
        InputError: it is none.
    """
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except RuntimeError as error:
        raise InputError(f"`{path}` must be a TorchScript file (torch.jit.save), but can't be read: {error}") from error


def _onnx(path: Path) -> Network:
    """An ONNX file's first output as a function of its one input; a fixed batch is filled up and cut."""
    with needs_extra("Reading an ONNX file", "onnxruntime", "onnx"):
        import onnxruntime
    try:
        session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    except Exception as error:  # onnxruntime's errors have no common class of their own
        raise InputError(f"`{path}` must be an ONNX file, but onnxruntime can't read it: {error}") from error
    entries = session.get_inputs()
    if len(entries) != 1 or entries[0].type != _ONNX_FLOAT:
        got = ", ".join(f"{one.name} {one.type}" for one in entries)
        raise InputError(f"`{path}` must take one input, float32 images, but takes {got}.")
    batch = entries[0].shape[0] if isinstance(entries[0].shape[0], int) else None
    run = lambda images: torch.from_numpy(session.run(None, {entries[0].name: images.contiguous().numpy()})[0])  # noqa: E731
    return run if batch is None else lambda images: _in_fixed_batches(run, images, batch)


def _in_fixed_batches(run: Network, images: torch.Tensor, batch: int) -> torch.Tensor:
    missing = -len(images) % batch
    filled = torch.cat([images, images[-1:].expand(missing, -1, -1, -1)])
    return torch.cat([run(some) for some in filled.split(batch)])[: len(images)]


def import_torchxrayvision():
    """The library torchxrayvision (Cohen et al., MIDL 2022).

    Raises:
        MissingExtraError: it is missing; the message names the extra.
    """
    with needs_extra("This network", "torchxrayvision", "torchxrayvision"):
        import torchxrayvision
    return torchxrayvision
