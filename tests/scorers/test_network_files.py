"""Scorers and features from TorchScript and ONNX files with a description."""

import shutil
import sys

import pytest
import torch
from scorer_cases import NETWORKS, Grey, describe, images

from x2x_core.common.errors import InputError
from x2x_core.scorers.features import load_features
from x2x_core.scorers.loading import load_scorer
from x2x_core.scorers.scorer import FeatureSource


@pytest.fixture
def script(tmp_path):
    torch.jit.trace(Grey(), images()).save(str(tmp_path / "grey.pt"))
    return tmp_path / "grey.pt"


def test_a_torchscript_file_scores_as_its_module_does(script):
    scorer = load_scorer(describe(script), "probability")
    assert scorer.name == "grey.pt" and torch.allclose(scorer(images()), Grey()(images()))
    features = load_features(str(script))
    assert isinstance(features, FeatureSource) and torch.allclose(features.features(images()), Grey()(images()))


def test_files_without_a_description_and_of_another_kind_are_refused(script, tmp_path):
    with pytest.raises(FileNotFoundError, match="must describe the network's output"):
        load_scorer(str(script), "probability")
    with pytest.raises(ValueError, match="must give each label a value, but gives it a probability"):
        load_scorer(describe(script), "value")
    with pytest.raises(ValueError, match="of other fields only"):
        load_scorer(describe(script, sized=3), "probability")
    with pytest.raises(FileNotFoundError, match="There is no network"):
        load_scorer(str(tmp_path / "none.pt"), "value")
    with pytest.raises(ValueError, match="A scorer must be 'bundled'"):
        load_scorer("densenet", "value")
    (tmp_path / "text.pt").write_text("no network")
    with pytest.raises(ValueError, match="must be a TorchScript file"):
        load_scorer(describe(tmp_path / "text.pt"), "probability")
    with pytest.raises(FileNotFoundError, match="There is no network for FID"):
        load_features("inception:" + str(tmp_path / "none.pth"))


@pytest.mark.parametrize("name", ["any-batch", "batch-of-two"])
def test_an_onnx_file_scores_in_the_real_onnxruntime(name, tmp_path):
    shutil.copy(NETWORKS / f"{name}.onnx", tmp_path / "grey.onnx")  # mean and highest grey, as `Grey`
    scorer = load_scorer(describe(tmp_path / "grey.onnx"), "probability")
    for n in (1, 2, 3):  # a file of a fixed batch is filled up
        assert torch.allclose(scorer(images(n)), Grey()(images(n)), atol=1e-6)


def test_files_that_are_not_onnx_or_take_other_inputs_are_refused(tmp_path):
    shutil.copy(NETWORKS / "half-precision.onnx", tmp_path)
    with pytest.raises(ValueError, match="must take one input, float32 images, but takes pixels tensor\\(float16\\)"):
        load_scorer(describe(tmp_path / "half-precision.onnx"), "probability")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ValueError, match="must be an ONNX file, but onnxruntime can't read it"):
        load_scorer(describe(tmp_path / "text.onnx"), "probability")


@pytest.mark.parametrize(
    ("library", "spec", "extra"),
    [
        ("onnxruntime", "grey.onnx", "instructx2x\\[onnx\\]"),
        ("torchxrayvision", "torchxrayvision:race", "torchxrayvision\\]"),
    ],
)
def test_a_missing_library_is_reported_with_its_extra(monkeypatch, tmp_path, library, spec, extra):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grey.onnx").touch()
    describe(tmp_path / "grey.onnx")
    with pytest.raises(ImportError, match=extra):
        load_scorer(spec, "probability")


class Linear(torch.nn.Module):
    """Fits images of 20 x 20 pixels only."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(400, 2)

    def forward(self, images):
        return self.layer(images.flatten(1))


def test_torchscript_that_fails_is_named_without_its_pages_of_code(tmp_path):
    torch.jit.script(Linear()).save(str(tmp_path / "linear.pt"))
    scorer = load_scorer(describe(tmp_path / "linear.pt"), "probability")
    with pytest.raises(
        InputError, match=r"The network 'linear.pt' failed on images \(1, 1, 30, 30\): RuntimeError: mat1"
    ) as caught:
        scorer(images(1, 30))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_a_file_that_is_not_torchscript_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.pt").write_text("no network")
    with pytest.raises(InputError, match="must be a TorchScript file") as caught:
        load_scorer(describe(tmp_path / "text.pt"), "probability")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labels": "ab"}, "`labels` in `.*grey.json` must be a list of texts, got 'ab'"),
        ({"labels": ["a", 3]}, r"`labels` in `.*grey.json` must be a list of texts, got \['a', 3\]"),
        ({"kind": 3}, "`kind` in `.*grey.json` must be text, got 3"),
        ({"activation": None}, "`activation` in `.*grey.json` must be text, got None"),
        ({"kind": "score"}, "`kind` of scorer 'grey.pt' must be one of probability, value, got 'score'"),
        ({"size": "big"}, "`size` must be a whole number of at least 1, got 'big'"),
    ],
)
def test_a_wrong_field_of_a_description_is_refused(script, fields, message):
    with pytest.raises(InputError, match=message):
        load_scorer(describe(script, **fields), "probability")
