"""The protocol of scorers, their adapters, and the scorers that ship."""

import json
import sys
import types

import pytest
import torch
from lung_cases import radiograph
from torch import nn

from x2x_core.evaluation.bundled_scorers import ATTRIBUTES, BundledScorer, attribute_scorer, finding_scorer
from x2x_core.evaluation.features import load_features
from x2x_core.evaluation.scorer_adapters import ModuleScorer, Preparation, canonical, load_scorer
from x2x_core.evaluation.scorers import FeatureSource, ImageScorer, check_scorer, score_images
from x2x_core.simulation.disease import DISEASES


class Grey(nn.Module):
    """Mean and highest grey of the pictures."""

    def forward(self, images):
        return torch.stack([images.mean((1, 2, 3)), images.amax((1, 2, 3))], 1)


def images(n=3, size=20):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(0))


def test_a_module_is_a_scorer_and_images_are_prepared_for_it():
    scorer = ModuleScorer(Grey(), ["Effusion", "mean age"], "value", name="grey", low=-1024, high=1024)
    assert isinstance(scorer, ImageScorer) and scorer.labels == ("pleural effusion", "mean age")
    found = score_images(scorer, images())
    assert found.dtype == torch.float64 and found.shape == (3, 2)
    assert torch.allclose(found[:, 0].float(), images().mean((1, 2, 3)) * 2048 - 1024, atol=1e-2)


def test_activations_make_probabilities():
    logits = lambda given: torch.log(torch.tensor([[0.2, 0.8]])).expand(len(given), 2)  # noqa: E731
    for activation in ("softmax", "exp"):
        scorer = ModuleScorer(logits, ["a", "b"], "probability", activation=activation)
        assert torch.allclose(scorer(images()), torch.tensor([[0.2, 0.8]]).expand(3, 2))
    assert torch.allclose(ModuleScorer(logits, ["a", "b"], "value", activation="sigmoid")(images(1)), logits([0]).sigmoid())


def test_many_images_are_scored_as_few_are():
    scorer = ModuleScorer(Grey(), ["a", "b"], "probability")
    assert torch.equal(score_images(scorer, images(7), at_once=2), score_images(scorer, images(7)))


def test_preparation_scales_repeats_and_normalises():
    ready = Preparation(size=32, channels=3, mean=(0.5, 0.5, 0.0), std=(0.5, 0.25, 1.0))(torch.full((2, 1, 20, 10), 0.75))
    assert ready.shape == (2, 3, 32, 32)
    assert [float(ready[0, channel].mean()) for channel in range(3)] == pytest.approx([0.5, 1.0, 0.75], abs=1e-5)


def test_findings_have_their_canonical_names():
    assert canonical("Enlarged_Cardiomediastinum") != "" and canonical("Effusion") == "pleural effusion"
    assert canonical("Black") == "black" and canonical("Lung Opacity") == "lung opacity"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"labels": ()}, "`labels` of scorer 'grey' must be names"),
        ({"labels": ("a", "a")}, "each its own"),
        ({"kind": "score"}, "`kind` of scorer 'grey' must be one of probability, value"),
    ],
)
def test_what_is_no_scorer_is_refused(change, words):
    scorer = ModuleScorer(Grey(), ["a", "b"], "value", name="grey")
    vars(scorer).update(change)
    with pytest.raises(ValueError, match=words):
        check_scorer(scorer)
    with pytest.raises(ValueError, match="must have `name`, `labels` and `kind`"):
        check_scorer(Grey())


def test_scores_that_are_not_what_they_say_are_refused():
    with pytest.raises(ValueError, match=r"must have the shape \(3, 1\)"):
        score_images(ModuleScorer(Grey(), ["a"], "value"), images())
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got"):
        score_images(ModuleScorer(Grey(), ["a", "b"], "probability", high=9.0), images())
    with pytest.raises(ValueError, match="`images` must be floating point in"):
        score_images(ModuleScorer(Grey(), ["a", "b"], "value"), images() * 300)
    with pytest.raises(ValueError, match=r"`images` must be a tensor \(B, 1, H, W\)"):
        score_images(ModuleScorer(Grey(), ["a", "b"], "value"), images()[0])
    with pytest.raises(ValueError, match="`activation` must be one of"):
        ModuleScorer(Grey(), ["a", "b"], "value", activation="relu")
    with pytest.raises(ValueError, match="`channels` must be 1 or 3"):
        Preparation(channels=2)
    with pytest.raises(ValueError, match="`mean` must be left out or have 1 numbers"):
        Preparation(mean=(1.0, 2.0))


# -- files and libraries ----------------------------------------------------------------------------------------------


def describe(path, **more):
    path.with_suffix(".json").write_text(json.dumps({"labels": ["a", "b"], "kind": "probability", **more}))
    return str(path)


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
    with pytest.raises(FileNotFoundError, match="must say what the network scores"):
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


def test_an_onnx_file_is_run_by_onnxruntime(monkeypatch, tmp_path):
    class Session:
        def __init__(self, path, providers):
            assert path.endswith("grey.onnx") and providers == ["CPU"]

        def get_inputs(self):
            return [types.SimpleNamespace(name="pixels")]

        def run(self, names, feed):
            return [Grey()(torch.from_numpy(feed["pixels"])).numpy()]

    runtime = types.SimpleNamespace(InferenceSession=Session, get_available_providers=lambda: ["CPU"])
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    (tmp_path / "grey.onnx").touch()
    scorer = load_scorer(describe(tmp_path / "grey.onnx"), "probability")
    assert torch.allclose(scorer(images()), Grey()(images()))


@pytest.mark.parametrize(
    "library, spec, extra",
    [("onnxruntime", "grey.onnx", "instructx2x\\[onnx\\]"), ("torchxrayvision", "torchxrayvision:race", "torchxrayvision\\]")],
)
def test_a_missing_library_is_said_with_its_extra(monkeypatch, tmp_path, library, spec, extra):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grey.onnx").touch()
    describe(tmp_path / "grey.onnx")
    with pytest.raises(ImportError, match=extra):
        load_scorer(spec, "probability")


def test_torchxrayvision_models_are_fed_its_range_and_untrained_labels_are_left_out(monkeypatch):
    class Classifier(nn.Module):
        targets = ["Effusion", "", "Edema"]

        def forward(self, x):
            assert x.shape[1:] == (1, 224, 224) and x.min() >= -1024 and x.max() > 500
            return torch.tensor([[0.1, float("nan"), 0.7]]).expand(len(x), 3)

    class Race(nn.Module):
        targets = ["Asian", "Black", "White"]

        def forward(self, x):
            return torch.tensor([[0.2, 0.3, 0.5]]).log().expand(len(x), 3)

    library = types.SimpleNamespace(
        models=types.SimpleNamespace(get_model=lambda name: Classifier()),
        baseline_models=types.SimpleNamespace(emory_hiti=types.SimpleNamespace(RaceModel=Race)),
    )
    monkeypatch.setitem(sys.modules, "torchxrayvision", library)
    found = load_scorer("torchxrayvision:densenet121-res224-all", "probability")
    assert found.labels == ("pleural effusion", "edema")
    assert torch.allclose(score_images(found, images())[0].float(), torch.tensor([0.1, 0.7]))
    race = load_scorer("torchxrayvision:race", "probability")
    assert race.labels == ("asian", "black", "white")
    assert torch.allclose(score_images(race, images())[0].float(), torch.tensor([0.2, 0.3, 0.5]))


# -- the scorers that ship --------------------------------------------------------------------------------------------


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


def test_the_attribute_scorer_knows_a_mirrored_and_a_shifted_picture():
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
    with pytest.raises(ValueError, match="must hold a scorer of this project"):
        BundledScorer.load(tmp_path / "x.safetensors", "x")
