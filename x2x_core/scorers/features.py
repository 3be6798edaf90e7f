"""Sources of features for FID: the bundled scorer, a network of the user's, or the Inception network of the field."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import nn

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra

from .bundled import finding_scorer
from .network_files import BUNDLED, TORCHSCRIPT_SUFFIXES, Network, Preparation, on_device, torchscript
from .scorer import FeatureSource

INCEPTION = "inception:"  # and the path of the weights


class ModuleFeatures:
    """A module `(B, channels, h, w)` to `(B, D)` as a source of features; `preparation` are fields of `Preparation`."""

    def __init__(self, module: Network, name: str, device: str | torch.device = "cpu", **preparation) -> None:
        self.module, self.device = on_device(module, device), torch.device(device)
        self.name, self._prepare = name, Preparation(**preparation)

    @torch.no_grad()
    def features(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to `(B, D)`."""
        return self.module(self._prepare(images).to(self.device)).flatten(1)


def load_features(spec: str, device: str | torch.device = "cpu") -> FeatureSource:
    """A source of features by what the command line calls it.

    Args:
        spec: "bundled"; "inception:FILE" with the weights that torch-fidelity and torchmetrics use (nothing is fetched);
            or a TorchScript file that takes `(B, 3, h, w)` in [0, 1] and gives `(B, D)`.
        device: where a network of a file runs.

    Raises:
        InputNotFoundError: no such file.
        MissingExtraError: torch-fidelity is missing.
        InputError: another spec.
    """
    if spec == BUNDLED:
        return finding_scorer()
    place = Path(spec.removeprefix(INCEPTION))
    if not place.is_file():
        raise InputNotFoundError(f"There is no network for FID at `{place}`. Give a file, or {BUNDLED!r}.")
    if spec.startswith(INCEPTION):
        return _inception(place, device)
    if place.suffix.lower() in TORCHSCRIPT_SUFFIXES:
        return ModuleFeatures(torchscript(place), place.name, device, channels=3)
    raise InputError(f"Features must be {BUNDLED!r}, '{INCEPTION}FILE' or a TorchScript file, got {spec!r}.")


def _inception(weights: Path, device: str | torch.device) -> ModuleFeatures:
    with needs_extra("Computing FID on Inception features", "torch-fidelity", "fid"):
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    _check_weights(weights)
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights))
    return ModuleFeatures(_OfBytes(network), "Inception-v3 (torch-fidelity)", device, channels=3)


class _OfBytes(nn.Module):
    """torch-fidelity's network, which takes 8-bit images, on images in [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 3, h, w)` in [0, 1] to `(B, 2048)`."""
        return self.network((255 * images).round().to(torch.uint8))[0]


def _check_weights(path: Path) -> None:
    """Refuse a file that holds anything but weights: torch-fidelity itself would run what is in it."""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"`{path}` must hold the weights of Inception and nothing else, but can't be read so: {error}"
        ) from error
