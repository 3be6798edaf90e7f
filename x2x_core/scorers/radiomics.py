"""Radiomic features of radiographs, for the Frechet radiomics distance."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from x2x_core.common.errors import MissingExtraError

from .scorer import check_images

_GLCM = (
    "Autocorrelation", "JointAverage", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast",
    "Correlation", "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "JointEnergy", "JointEntropy",
    "Imc1", "Imc2", "Idm", "Idmn", "Id", "Idn", "InverseVariance", "MaximumProbability", "SumEntropy", "SumSquares",
)  # fmt: skip
#: Settings of pyradiomics, those of `frd-score` 1.0 for pictures (version 1 of the distance).
SETTINGS: dict[str, Any] = {
    "imageType": {"Original": {}, "LoG": {"sigma": [2.0, 3.0, 4.0, 5.0]}, "Wavelet": {}},
    "featureClass": {"firstorder": None, "glcm": list(_GLCM), "glrlm": None, "glszm": None, "ngtdm": None},
    "setting": {
        "normalize": True, "normalizeScale": 100, "interpolator": "sitkBSpline", "resampledPixelSpacing": [2, 2, 0],
        "padDistance": 10, "preCrop": True, "force2D": True, "force2Ddimension": 0, "binWidth": 5,
        "voxelArrayShift": 300, "label": 1,
    },
}  # fmt: skip


class RadiomicFeatures:
    """Radiomic features of whole images as a `FeatureSource`, by pyradiomics.

    Slow: about a second an image.

    Raises:
        MissingExtraError: pyradiomics is not installed.
    """

    name = "radiomic features (pyradiomics)"

    def __init__(self) -> None:
        try:
            import radiomics
            from radiomics.featureextractor import RadiomicsFeatureExtractor
        except ImportError as error:
            raise MissingExtraError(
                "Radiomic features need pyradiomics, which must be built: `pip install setuptools cython versioneer "
                "PyWavelets SimpleITK pykwalify`, then `pip install --no-build-isolation --no-deps pyradiomics==3.0.1`."
            ) from error
        radiomics.setVerbosity(logging.ERROR)
        self._extractor = RadiomicsFeatureExtractor(SETTINGS)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return features `(B, D)` float64 of images `(B, 1, H, W)` in [0, 1], read as 8-bit greys.

        Raises:
            InputError: wrong images.
        """
        grey = (check_images(images)[:, 0].cpu() * 255).round().to(torch.float32)
        return torch.tensor([self._extract(picture) for picture in grey], dtype=torch.float64)

    def _extract(self, picture: torch.Tensor) -> list[float]:
        import SimpleITK

        mask = torch.ones(1, *picture.shape, dtype=torch.int32)
        mask[0, 0, 0] = 0  # a mask of the whole image is refused
        found = self._extractor.execute(*map(SimpleITK.GetImageFromArray, (picture[None].numpy(), mask.numpy())))
        return numbers_of(found)


def numbers_of(found: Mapping[str, Any]) -> list[float]:
    """Return the numbers of an extraction in their order.

    Besides the features these are the numeric diagnostics of pyradiomics (mean and extremes of the image, sizes of the
    mask), which are among the features of the published distance, and of `frd-score`.
    """
    return [float(value) for value in found.values() if isinstance(value, (int, float, np.generic, np.ndarray))]
