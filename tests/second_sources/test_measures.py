"""Measures of sets of images against the libraries of the field: prdc, scikit-learn, frd-score."""

import frd_score.frd
import numpy as np
import pytest
import torch
from prdc import compute_prdc
from sklearn.metrics.pairwise import polynomial_kernel

from x2x_core.evaluation.metrics import manifold
from x2x_core.evaluation.metrics.frechet import fid
from x2x_core.evaluation.metrics.kernel_distance import kernel_distance
from x2x_core.evaluation.metrics.radiomics_distance import radiomics_distance
from x2x_core.imaging.files import write_png
from x2x_core.scorers.radiomics import RadiomicFeatures


def features(n=60, d=8, shift=0.3):
    draws = np.random.RandomState(0)
    return tuple(torch.from_numpy(values) for values in (draws.randn(n, d), draws.randn(n, d) * 1.2 + shift))


@pytest.mark.parametrize("nearest", [1, 5])
def test_neighbourhoods_are_those_of_prdc(nearest):
    real, edited = features()
    expected = compute_prdc(real.numpy(), edited.numpy(), nearest_k=nearest)
    for name in ("precision", "recall", "density", "coverage"):
        found = getattr(manifold, name)(edited, real, nearest).mean()
        assert float(found) == pytest.approx(float(expected[name])), name


def test_the_kernel_distance_has_the_kernel_of_scikit_learn():
    real, edited = (values.numpy() for values in features())
    n = len(real)
    within = [
        (kernel.sum() - np.trace(kernel)) / (n * (n - 1))
        for kernel in (polynomial_kernel(real, degree=3, coef0=1), polynomial_kernel(edited, degree=3, coef0=1))
    ]
    expected = sum(within) - 2 * polynomial_kernel(real, edited, degree=3, coef0=1).mean()
    real, edited = features()
    assert kernel_distance(edited, real) == pytest.approx(float(expected))


def test_the_frechet_distance_is_that_of_frd_score():
    real, edited = features()
    moments = [(values.mean(0).numpy(), np.cov(values.numpy(), rowvar=False)) for values in (real, edited)]
    expected = frd_score.frd.calculate_frechet_distance(*moments[0], *moments[1])
    assert fid(edited, real) == pytest.approx(float(expected))


def test_radiomic_features_and_their_distance_are_those_of_frd_score(tmp_path):
    draws, images = np.random.RandomState(1), {}
    for name, spread in (("real", 0.05), ("edited", 0.1)):
        (tmp_path / name).mkdir()
        smooth = np.cumsum(draws.randn(6, 1, 48, 48) * spread, axis=3)
        images[name] = torch.from_numpy((0.5 + smooth).clip(0, 1)).float()
        images[name] = (images[name] * 255).round() / 255
        for number, image in enumerate(images[name]):
            write_png(tmp_path / name / f"{number}.png", image)
    source = RadiomicFeatures()
    found = {name: source.features(own) for name, own in images.items()}
    files = sorted((tmp_path / "edited").glob("*.png"))
    extractor = frd_score.frd.get_feature_extractor()
    theirs = [frd_score.frd.process_image_mask_pair((file, None), feature_extractor=extractor)[0] for file in files]
    assert np.allclose(found["edited"].numpy(), np.array(theirs), rtol=1e-6, atol=1e-8, equal_nan=True)
    expected = frd_score.frd.compute_frd([str(tmp_path / "real"), str(tmp_path / "edited")], num_workers=1)
    assert radiomics_distance(found["edited"], found["real"]) == pytest.approx(float(expected), rel=1e-3)
