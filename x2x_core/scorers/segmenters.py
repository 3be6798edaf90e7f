"""Networks that outline structures of the chest (lungs, heart), as an evaluation takes them.

A segmenter is anything with `name` and `structures` whose `masks` gives, for images, one mask for each structure. What a
file must bring beside it is said in `x2x_core.scorers.network_files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from x2x_core.common.errors import InputError

from .network_files import (
    NETWORK_SUFFIXES,
    XRV,
    XRV_RANGE,
    Network,
    Preparation,
    activation_of,
    import_torchxrayvision,
    named,
    on_device,
    read_network,
)

INSIDE = 0.5  # from which on a pixel counts as the structure's
PSPNET = "pspnet"
PSPNET_SIZE = 512
PSPNET_STRUCTURES = ("left lung", "right lung", "heart")  # of its fourteen, those that an edit of the chest should keep


@runtime_checkable
class ImageSegmenter(Protocol):
    """A network that outlines structures.

    Attributes:
        name: what reports call it.
        structures: what it outlines, each by its own name.
    """

    name: str
    structures: tuple[str, ...]

    def masks(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` floating point in [0, 1] to masks `(B, len(structures), H, W)` bool."""
        ...


class ModuleSegmenter:
    """A torch module (or any function of images) as an `ImageSegmenter`.

    Example:
        >>> segmenter = ModuleSegmenter(network, ["", "heart"], size=512, activation="softmax")
        >>> segmenter.masks(images)  # (B, 1, H, W) in [0, 1] to (B, 1, H, W) bool

    Args:
        module: `(B, channels, h, w)` to `(B, S, any, any)`; the maps are enlarged to the images.
        structures: of the S maps; a map whose name is "" (a background) is left out.
        name: what reports call it.
        activation: one of `x2x_core.scorers.network_files.ACTIVATIONS`, on what the module gives.
        threshold: from which on a pixel counts.
        device: where the module is; images are moved there.
        preparation: fields of `Preparation`.

    Raises:
        InputError: another activation or preparation, or no structures, or two alike.
    """

    def __init__(
        self,
        module: Network,
        structures: Sequence[str],
        *,
        name: str | None = None,
        activation: str = "sigmoid",
        threshold: float = INSIDE,
        device: str | torch.device = "cpu",
        **preparation: Any,
    ) -> None:
        self.module, self.device, self.threshold = on_device(module, device), torch.device(device), threshold
        self.name = name or type(module).__name__
        self._places, self._outputs = named(structures), len(structures)
        self.structures = tuple(structures[place].strip().lower() for place in self._places)
        self._prepare, self._activate = Preparation(**preparation), activation_of(activation)
        check_segmenter(self)

    @torch.no_grad()
    def masks(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to `(B, len(structures), H, W)` bool."""
        given = self.module(self._prepare(images).to(self.device))
        if given.ndim != 4 or given.shape[1] != self._outputs:
            raise InputError(
                f"The network {self.name!r} must give {self._outputs} maps an image, as it names structures, got "
                f"{tuple(given.shape)}."
            )
        chances = self._activate(given.float())[:, self._places].cpu()
        return self._prepare.undo(chances, images.cpu()) >= self.threshold

    def __repr__(self) -> str:
        return f"ModuleSegmenter({self.name!r}, {', '.join(self.structures)})"


def check_segmenter(segmenter: ImageSegmenter) -> ImageSegmenter:
    """The segmenter, if it keeps to the protocol.

    Raises:
        InputError: no segmenter, no structures, or two alike.
    """
    if not isinstance(segmenter, ImageSegmenter):
        raise InputError(
            f"`segmenter` must have `name`, `structures` and `masks`, got {type(segmenter).__name__}. Wrap a torch module in "
            "`x2x_core.scorers.segmenters.ModuleSegmenter`."
        )
    if not segmenter.structures or len(set(segmenter.structures)) < len(segmenter.structures):
        got = tuple(segmenter.structures)
        raise InputError(f"`structures` of segmenter {segmenter.name!r} must be names, each its own, got {got}.")
    return segmenter


def load_segmenter(spec: str, device: str | torch.device = "cpu") -> ImageSegmenter:
    """A segmenter by what the command line calls it.

    Args:
        spec: "torchxrayvision:pspnet" (lungs and heart; Lian et al., 2021), or the path of a TorchScript (.pt, .pth, .ts)
            or ONNX (.onnx) file.
        device: where a torch network runs.

    Raises:
        InputNotFoundError: no such file, or no description beside it.
        MissingExtraError: the library that reads it is missing; the message names the extra.
        InputError: another spec.
    """
    if spec == XRV + PSPNET:
        return _pspnet(device)
    if Path(spec).suffix.lower() not in NETWORK_SUFFIXES:
        raise InputError(
            f"A segmenter must be '{XRV}{PSPNET}', or a file of {', '.join(NETWORK_SUFFIXES)}, got {spec!r}."
        )
    module, about = read_network(spec, ("structures",), ("threshold",), device)
    return ModuleSegmenter(module, **about)


def _pspnet(device: str | torch.device) -> ModuleSegmenter:
    """The PSPNet of torchxrayvision, trained on ChestX-Det; the library fetches its weights if they are missing."""
    model = import_torchxrayvision().baseline_models.chestx_det.PSPNet()
    structures = [name if name.lower() in PSPNET_STRUCTURES else "" for name in model.targets]
    return ModuleSegmenter(model, structures, name=XRV + PSPNET, device=device, size=PSPNET_SIZE, **XRV_RANGE)
