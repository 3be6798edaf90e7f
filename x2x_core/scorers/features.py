"""Feature extractors for sets of images: the bundled scorer, a network of the user's, Inception, or Rad-DINO."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra

from .bundled import BUNDLED, finding_scorer
from .hugging_face import HuggingFaceModel, as_pictures
from .network_files import TORCHSCRIPT_SUFFIXES, torchscript
from .preparation import Network, Preparation, last_line, on_device, run_network
from .scorer import FeatureSource

INCEPTION = "inception:"  # prefix of the path of the weights
TRANSFORMERS = "transformers:"  # prefix of a folder with a vision model of the Hugging Face library


class ModuleFeatures:
    """A torch module (or any function of images) as a `FeatureSource`.

    Args:
        module: maps `(B, channels, h, w)` to `(B, D)`.
        name: name in reports.
        device: where the module runs; images are moved there.
        preparation: fields of `Preparation`.

    Raises:
        InputError: a wrong preparation.
    """

    def __init__(self, module: Network, name: str, device: str | torch.device = "cpu", **preparation: Any) -> None:
        self.module, self.device = on_device(module, device), torch.device(device)
        self.name, self._prepare = name, Preparation(**preparation)

    @torch.no_grad()
    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return features `(B, D)` of images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputError: wrong images, or the module fails.
        """
        return run_network(self.module, self.name, self._prepare(images).to(self.device)).flatten(1)


class VisionModelFeatures(HuggingFaceModel):
    """A vision model of the Hugging Face library as a `FeatureSource`: its pooled output (Rad-DINO: the class token).

    Args:
        model: whose output has a `pooler_output`.
        processor: its image processor.
        name: name in reports.
        device: where the model runs.
    """

    processor_class, kind = "AutoImageProcessor", "vision model"

    @torch.no_grad()
    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return features `(B, D)` of images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputError: wrong images, or a model without a pooled output.
        """
        inputs = self.processor(images=as_pictures(images), return_tensors="pt").to(self.device)
        pooled = getattr(self.model(**inputs), "pooler_output", None)
        if pooled is None:
            raise InputError(f"{self.name!r} must be a vision model with a pooled output.")
        return pooled


def load_features(spec: str, device: str | torch.device = "cpu") -> FeatureSource:
    """Load a feature extractor by its name on the command line.

    Args:
        spec: "bundled"; "inception:FILE" with the weights that torch-fidelity and torchmetrics use (nothing is
            downloaded); "transformers:FOLDER" with a vision model such as Rad-DINO; or a TorchScript file that maps
            `(B, 3, h, w)` in [0, 1] to `(B, D)`.
        device: where a network from a file runs.

    Raises:
        InputNotFoundError: the file does not exist.
        MissingExtraError: torch-fidelity is not installed.
        InputError: an unknown name, or a file that cannot be read.
    """
    if spec == BUNDLED:
        return finding_scorer()
    if spec.startswith(TRANSFORMERS):
        return VisionModelFeatures.load(spec.removeprefix(TRANSFORMERS), device)
    place = Path(spec.removeprefix(INCEPTION))
    if not place.is_file():
        raise InputNotFoundError(f"There is no network for FID at `{place}`. Give a file, or {BUNDLED!r}.")
    if spec.startswith(INCEPTION):
        return _inception(place, device)
    if place.suffix.lower() in TORCHSCRIPT_SUFFIXES:
        return ModuleFeatures(torchscript(place), place.name, device, channels=3)
    raise InputError(
        f"Features must be {BUNDLED!r}, '{INCEPTION}FILE', '{TRANSFORMERS}FOLDER' or a TorchScript file, got {spec!r}."
    )


def _inception(weights: Path, device: str | torch.device) -> ModuleFeatures:
    with needs_extra("Computing FID on Inception features", "torch-fidelity", "fid"):
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    _check_weights(weights)
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights))
    return ModuleFeatures(_From8Bit(network), "Inception-v3 (torch-fidelity)", device, channels=3)


class _From8Bit(nn.Module):
    """Applies torch-fidelity's network, which takes 8-bit images, to images in [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return features `(B, 2048)` of images `(B, 3, h, w)` in [0, 1]."""
        return self.network((255 * images).round().to(torch.uint8))[0]


def _check_weights(path: Path) -> None:
    """Check that a file holds weights alone; torch-fidelity itself would run any code in it."""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"`{path}` must hold the weights of Inception and nothing else, but can't be read: {last_line(error)}"
        ) from error
