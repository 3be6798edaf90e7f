"""The bundled scorers of findings and attributes."""

import pytest
import torch
from lung_cases import radiograph

from x2x_core.scorers.bundled import ATTRIBUTES, BundledScorer, attribute_scorer, finding_scorer
from x2x_core.scorers.features import load_features
from x2x_core.scorers.loading import load_scorer
from x2x_core.scorers.scorer import FeatureSource, score_images
from x2x_core.simulation.disease import DISEASES


def test_the_scorers_that_ship_read_any_size_and_each_image_by_itself():
    pictures = torch.cat([radiograph(body) for body in range(3)])
    for scorer, labels in ((finding_scorer(), tuple(DISEASES)), (attribute_scorer(), ATTRIBUTES)):
        assert scorer.labels == labels and isinstance(scorer, FeatureSource)
        together = score_images(scorer, pictures)
        assert torch.allclose(together, torch.cat([score_images(scorer, one[None]) for one in pictures]), atol=1e-4)
        assert scorer.features(pictures).shape == (3, 64)
        assert score_images(scorer, torch.rand(1, 1, 90, 60)).shape == (1, len(labels))
    assert load_scorer("bundled", "probability") is finding_scorer()
    assert load_scorer("bundled", "value") is attribute_scorer() and load_features("bundled") is finding_scorer()


def test_the_finding_scorer_sees_a_white_base_of_a_lung_as_effusion():
    picture = radiograph(0)
    white = picture.clone()
    white[..., 85:125, 20:75] = white[..., 85:125, 20:75].clamp_min(0.85)
    column = finding_scorer().labels.index("pleural effusion")
    before, after = (float(score_images(finding_scorer(), one)[0, column]) for one in (picture, white))
    assert after > before


def test_the_attribute_scorer_follows_mirrored_and_shifted_images():
    picture = radiograph(0)
    values = lambda image: dict(zip(ATTRIBUTES, score_images(attribute_scorer(), image)[0].tolist()))  # noqa: E731
    plain, shifted = values(picture), values(picture.roll(8, -1))
    assert shifted["shift_x"] > plain["shift_x"] + 8
    mirrored = values(picture.flip(-1))
    assert mirrored["shift_x"] == pytest.approx(-plain["shift_x"], abs=5)


def test_other_files_are_no_scorers(tmp_path):
    with pytest.raises(FileNotFoundError, match="There are no weights of a scorer"):
        BundledScorer.load(tmp_path / "none.safetensors", "x")
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is not a scorer of this project"):
        BundledScorer.load(tmp_path / "x.safetensors", "x")
