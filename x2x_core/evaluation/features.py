"""Sources of features for FID: the bundled scorer, a network of the user's, or the Inception network of the field."""

from __future__ import annotations

from pathlib import Path

import torch

from x2x_core.evaluation.bundled_scorers import finding_scorer
from x2x_core.evaluation.scorer_adapters import BUNDLED, TORCHSCRIPT_SUFFIXES, Preparation
from x2x_core.evaluation.scorers import FeatureSource

INCEPTION = "inception:"  # and the path of the weights
_FID_EXTRA = "Inception features need torch-fidelity: install the extra with `pip install 'instructx2x[fid]'`."


class ModuleFeatures:
    """A module `(B, channels, h, w)` to `(B, D)` as a source of features; `preparation` are fields of `Preparation`."""

    def __init__(self, module, name: str, **preparation) -> None:
        self.module, self.name, self._prepare = module, name, Preparation(**preparation)

    @torch.no_grad()
    def features(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to `(B, D)`."""
        return self.module(self._prepare(images)).flatten(1)


def load_features(spec: str) -> FeatureSource:
    """A source of features by what the command line calls it.

    Args:
        spec: "bundled"; "inception:FILE" with the weights that torch-fidelity and torchmetrics use (nothing is fetched);
            or a TorchScript file that takes `(B, 3, h, w)` in [0, 1] and gives `(B, D)`.

    Raises:
        FileNotFoundError: no such file.
        ImportError: torch-fidelity is missing.
        ValueError: another spec.
    """
    if spec == BUNDLED:
        return finding_scorer()
    place = Path(spec.removeprefix(INCEPTION))
    if not place.is_file():
        raise FileNotFoundError(f"There is no network for FID at `{place}`. Give a file, or {BUNDLED!r}.")
    if spec.startswith(INCEPTION):
        return _inception(place)
    if place.suffix.lower() in TORCHSCRIPT_SUFFIXES:
        return ModuleFeatures(torch.jit.load(str(place), map_location="cpu").eval(), place.name, channels=3)
    raise ValueError(f"Features must be {BUNDLED!r}, '{INCEPTION}FILE' or a TorchScript file, got {spec!r}.")


def _inception(weights: Path) -> ModuleFeatures:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise ImportError(_FID_EXTRA) from error
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights))
    to_bytes = lambda images: (255 * images).round().to(torch.uint8)  # noqa: E731, as the network was made for
    return ModuleFeatures(lambda images: network(to_bytes(images))[0], "Inception-v3 (torch-fidelity)", channels=3)
