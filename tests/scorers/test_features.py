"""Inception features for FID."""

import pickle
import sys
import types

import pytest
import torch
from scorer_cases import images

from x2x_core.scorers.features import load_features


def test_inception_weights_that_are_more_than_weights_are_refused(monkeypatch, tmp_path):
    def never(*_, **__):
        raise AssertionError("read before it was checked")

    module = types.SimpleNamespace(FeatureExtractorInceptionV3=never)
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.SimpleNamespace(feature_extractor_inceptionv3=module))
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", module)
    (tmp_path / "inception.pth").write_bytes(pickle.dumps(types.SimpleNamespace(of="anything")))
    with pytest.raises(ValueError, match="must hold the weights of Inception and nothing else"):
        load_features(f"inception:{tmp_path / 'inception.pth'}")


def test_the_real_inception_of_torch_fidelity_gives_features(tmp_path):
    reason = "torch-fidelity is not installed: its Inception is tested where it is"
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3", reason=reason)
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:  # random weights, so that none are fetched
        patch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(fidelity.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    source = load_features(f"inception:{tmp_path / 'inception.pth'}")
    found = source.features(images(2))
    assert found.shape == (2, 2048)
    eight_bits = (images(2) * 255).round().byte().expand(-1, 3, -1, -1)
    assert torch.allclose(found, network(eight_bits)[0], atol=1e-5)
