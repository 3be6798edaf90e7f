"""Networks that segment structures of the chest (lungs, heart).

A segmenter is any object with `name` and `structures` whose `masks` maps images to one mask per structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from x2x_core.common.errors import InputError

from .network_files import NETWORK_SUFFIXES, read_network
from .preparation import Network, Preparation, activation_of, named_outputs, on_device, run_network
from .torchxrayvision import XRV, XRV_HIGH, XRV_LOW, import_torchxrayvision

THRESHOLD = 0.5  # from which on a pixel belongs to a structure
PSPNET = "pspnet"
PSPNET_SIZE = 512  # pixels
PSPNET_STRUCTURES = ("left lung", "right lung", "heart")  # of its fourteen, those that an edit of the chest should keep


@runtime_checkable
class ImageSegmenter(Protocol):
    """A network that segments structures.

    Attributes:
        name: name in reports.
        structures: names of the masks, all different.
    """

    name: str
    structures: tuple[str, ...]

    def masks(self, images: torch.Tensor) -> torch.Tensor:
        """Return masks `(B, len(structures), H, W)` bool of images `(B, 1, H, W)`, floating point in [0, 1]."""
        ...


class ModuleSegmenter:
    """A torch module (or any function of images) as an `ImageSegmenter`.

    Example:
        >>> segmenter = ModuleSegmenter(network, ["", "heart"], size=512, activation="softmax")
        >>> segmenter.masks(images)  # (B, 1, H, W) in [0, 1] to (B, 1, H, W) bool

    Args:
        module: maps `(B, channels, h, w)` to `(B, S, any, any)`; the maps are resized to the images.
        structures: names of the S maps; a map named "" (a background) is ignored.
        name: name in reports; by default the module's class.
        activation: one of `x2x_core.scorers.preparation.ACTIVATIONS`, applied to the module's output.
        threshold: from which on a pixel belongs to a structure.
        device: where the module runs; images are moved there.
        preparation: fields of `Preparation`.

    Raises:
        InputError: an unknown activation, a wrong preparation or threshold, no structures, or duplicate ones.
    """

    def __init__(
        self,
        module: Network,
        structures: Sequence[str],
        *,
        name: str | None = None,
        activation: str = "sigmoid",
        threshold: float = THRESHOLD,
        device: str | torch.device = "cpu",
        **preparation: Any,
    ) -> None:
        if not isinstance(threshold, int | float) or isinstance(threshold, bool):
            raise InputError(f"`threshold` must be a number, got {threshold!r}.")
        self.module, self.device, self.threshold = on_device(module, device), torch.device(device), threshold
        self.name = name or type(module).__name__
        self._indices, self._outputs = named_outputs(structures), len(structures)
        self.structures = tuple(structures[index].strip().lower() for index in self._indices)
        self._prepare, self._activate = Preparation(**preparation), activation_of(activation)
        check_segmenter(self)

    @torch.no_grad()
    def masks(self, images: torch.Tensor) -> torch.Tensor:
        """Return masks `(B, len(structures), H, W)` bool of images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputError: wrong images, or the module fails or returns another number of maps.
        """
        maps = run_network(self.module, self.name, self._prepare(images).to(self.device))
        if maps.ndim != 4 or maps.shape[1] != self._outputs:
            raise InputError(
                f"The network {self.name!r} must return {self._outputs} maps per image, one for each structure, got "
                f"shape {tuple(maps.shape)}."
            )
        probabilities = self._activate(maps.float())[:, self._indices].cpu()
        return self._prepare.undo(probabilities, images.cpu()) >= self.threshold

    def __repr__(self) -> str:
        return f"ModuleSegmenter({self.name!r}, {', '.join(self.structures)})"


def check_segmenter(segmenter: ImageSegmenter) -> ImageSegmenter:
    """Return the segmenter if it follows the protocol.

    Raises:
        InputError: the object is not a segmenter, or has no structures or duplicate ones.
    """
    if not isinstance(segmenter, ImageSegmenter):
        raise InputError(
            f"`segmenter` must have `name`, `structures` and `masks`, got {type(segmenter).__name__}. Wrap a torch "
            "module in `x2x_core.scorers.segmenters.ModuleSegmenter`."
        )
    names = tuple(segmenter.structures)
    if not names or len(set(names)) < len(names):
        raise InputError(
            f"`structures` of segmenter {segmenter.name!r} must be different names, at least one, got {names}."
        )
    return segmenter


def load_segmenter(spec: str, device: str | torch.device = "cpu") -> ImageSegmenter:
    """Load a segmenter by its name on the command line.

    Args:
        spec: "torchxrayvision:pspnet" (lungs and heart; Lian et al., 2021), or the path of a TorchScript (.pt, .pth,
            .ts) or ONNX (.onnx) file.
        device: where a torch network runs.

    Raises:
        InputNotFoundError: the file or its description does not exist.
        MissingExtraError: a library is not installed; the message names the extra.
        InputError: an unknown name, or a file that cannot be read.
    """
    if spec == XRV + PSPNET:
        return _pspnet(device)
    if Path(spec).suffix.lower() not in NETWORK_SUFFIXES:
        raise InputError(
            f"A segmenter must be '{XRV}{PSPNET}', or a file of {', '.join(NETWORK_SUFFIXES)}, got {spec!r}."
        )
    module, description = read_network(spec, ("structures",), ("threshold",), device)
    return ModuleSegmenter(module, **description)


def _pspnet(device: str | torch.device) -> ModuleSegmenter:
    """Return torchxrayvision's PSPNet, trained on ChestX-Det; the library downloads its weights if they are missing."""
    model = import_torchxrayvision().baseline_models.chestx_det.PSPNet()
    structures = [name if name.lower() in PSPNET_STRUCTURES else "" for name in model.targets]
    return ModuleSegmenter(
        model, structures, name=XRV + PSPNET, device=device, size=PSPNET_SIZE, low=XRV_LOW, high=XRV_HIGH
    )
