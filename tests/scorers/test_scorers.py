"""The protocol of scorers, their adapters, and the scorers that ship."""

import json
import pickle
import shutil
import sys
import types
from pathlib import Path

import pytest
import torch
from lung_cases import radiograph
from torch import nn

from x2x_core.imaging.geometry import fit_to
from x2x_core.scorers.adapters import ModuleScorer, canonical, canonical_labels, load_scorer
from x2x_core.scorers.bundled import ATTRIBUTES, BundledScorer, attribute_scorer, finding_scorer
from x2x_core.scorers.features import load_features
from x2x_core.scorers.network_files import Preparation
from x2x_core.scorers.scorer import FeatureSource, ImageScorer, check_scorer, score_images
from x2x_core.simulation.disease import DISEASES

NETWORKS = Path(__file__).parents[1] / "fixtures" / "networks"


class Grey(nn.Module):
    """Mean and highest grey of the pictures."""

    def forward(self, images):
        return torch.stack([images.mean((1, 2, 3)), images.amax((1, 2, 3))], 1)


class OneLabel:
    """What breaks the protocol: two numbers for one label."""

    name, labels, kind = "one", ("a",), "value"

    def __call__(self, images):
        return torch.zeros(len(images), 2)


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
    assert torch.allclose(
        ModuleScorer(logits, ["a", "b"], "value", activation="sigmoid")(images(1)), logits([0]).sigmoid()
    )


def test_many_images_are_scored_as_few_are():
    scorer = ModuleScorer(Grey(), ["a", "b"], "probability")
    assert torch.equal(score_images(scorer, images(7), at_once=2), score_images(scorer, images(7)))


def test_preparation_scales_repeats_and_normalises():
    ready = Preparation(size=32, channels=3, mean=(0.5, 0.5, 0.0), std=(0.5, 0.25, 1.0))(
        torch.full((2, 1, 20, 10), 0.75)
    )
    assert ready.shape == (2, 3, 32, 32)
    assert [float(ready[0, channel].mean()) for channel in range(3)] == pytest.approx([0.5, 1.0, 0.75], abs=1e-5)


def test_findings_have_their_canonical_names():
    assert canonical("Enlarged_Cardiomediastinum") != "" and canonical("Effusion") == "pleural effusion"
    assert canonical("Black") == "black" and canonical("Lung Opacity") == "lung opacity"


def test_labels_of_one_finding_are_told_apart():
    # two words for a finding: its own name is the finding's, the other word keeps to itself; so do two that are not its name
    assert canonical_labels(["Infiltration", "Lung Opacity", "Effusion"]) == (
        "infiltration",
        "lung opacity",
        "pleural effusion",
    )
    assert canonical_labels(["Nodule", "Mass"]) == ("nodule", "mass") and canonical("Nodule") == canonical("Mass")


def test_outputs_without_a_label_are_left_out():
    scorer = ModuleScorer(
        lambda x: torch.tensor([[0.1, float("nan"), 0.3]]).expand(len(x), 3), ["a", "", "c"], "probability"
    )
    assert scorer.labels == ("a", "c") and torch.allclose(
        score_images(scorer, images()).float()[0], torch.tensor([0.1, 0.3])
    )


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
    with pytest.raises(ValueError, match=r"must give 1 numbers an image, as it has labels, got \(3, 2\)"):
        score_images(ModuleScorer(Grey(), ["a"], "value"), images())
    with pytest.raises(ValueError, match=r"must have the shape \(3, 1\)"):
        score_images(OneLabel(), images())
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
    with pytest.raises(FileNotFoundError, match="must say what the network gives"):
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


def test_onnx_files_that_are_none_or_take_something_else_are_refused(tmp_path):
    shutil.copy(NETWORKS / "half-precision.onnx", tmp_path)
    with pytest.raises(ValueError, match="must take one input, float32 images, but takes pixels tensor\\(float16\\)"):
        load_scorer(describe(tmp_path / "half-precision.onnx"), "probability")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ValueError, match="must be an ONNX file, but onnxruntime can't read it"):
        load_scorer(describe(tmp_path / "text.onnx"), "probability")


@pytest.mark.parametrize(
    "library, spec, extra",
    [
        ("onnxruntime", "grey.onnx", "instructx2x\\[onnx\\]"),
        ("torchxrayvision", "torchxrayvision:race", "torchxrayvision\\]"),
    ],
)
def test_a_missing_library_is_said_with_its_extra(monkeypatch, tmp_path, library, spec, extra):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grey.onnx").touch()
    describe(tmp_path / "grey.onnx")
    with pytest.raises(ImportError, match=extra):
        load_scorer(spec, "probability")


def xrv_labels():
    """Of "densenet121-res224-all" and one without a name; the library is not needed."""
    return ["Infiltration", "", "Effusion", "Nodule", "Mass", "Lung Lesion", "Lung Opacity", "Edema"]


def test_torchxrayvision_models_are_fed_its_range_and_untrained_labels_are_left_out(monkeypatch):
    class Classifier(nn.Module):
        targets, input_resolution = xrv_labels(), 224

        def forward(self, x):
            assert x.shape[1:] == (1, 224, 224) and x.min() >= -1024 and x.max() > 500
            return torch.tensor([[0.1, float("nan"), 0.7, 0.2, 0.3, 0.4, 0.5, 0.6]]).expand(len(x), 8)

    class Race(nn.Module):
        targets = ["Asian", "Black", "White"]

        def forward(self, x):
            return torch.tensor([[0.2, 0.3, 0.5]]).log().expand(len(x), 3)

    library = types.SimpleNamespace(
        models=types.SimpleNamespace(
            get_model=lambda name: Classifier(), model_urls={"densenet121-res224-all": {}, "all": {}}
        ),
        baseline_models=types.SimpleNamespace(emory_hiti=types.SimpleNamespace(RaceModel=Race)),
    )
    monkeypatch.setitem(sys.modules, "torchxrayvision", library)
    found = load_scorer("torchxrayvision:densenet121-res224-all", "probability")
    # "Infiltration" is a lung opacity by its synonyms, "Nodule" and "Mass" are lung lesions: each keeps a label of its own
    assert found.labels == (
        "infiltration", "pleural effusion", "nodule", "mass", "lung lesion", "lung opacity", "edema"
    )  # fmt: skip
    assert torch.allclose(score_images(found, images())[0].float(), torch.tensor([0.1, 0.7, 0.2, 0.3, 0.4, 0.5, 0.6]))
    race = load_scorer("torchxrayvision:race", "probability")
    assert race.labels == ("asian", "black", "white")
    assert torch.allclose(score_images(race, images())[0].float(), torch.tensor([0.2, 0.3, 0.5]))
    with pytest.raises(ValueError, match="must be race, age or one of densenet121-res224-all, got 'all'"):
        load_scorer("torchxrayvision:all", "probability")


def test_the_real_torchxrayvision_scores_by_every_set_of_its_labels(monkeypatch):
    reason = "torchxrayvision is not installed: its models are tested where it is"
    library = pytest.importorskip("torchxrayvision", reason=reason)
    torch.manual_seed(0)
    for name, about in library.models.model_urls.items():
        if not name.startswith("densenet"):
            continue
        model = library.models.DenseNet(weights=None, num_classes=len(about["labels"]))  # no weights are fetched
        model.targets, model.input_resolution = about["labels"], about["input_resolution"]
        model.op_threshs = torch.tensor(about["op_threshs"])
        monkeypatch.setattr(library.models, "get_model", lambda name, model=model.eval(): model)
        scorer = load_scorer(f"torchxrayvision:{name}", "probability")
        assert len(scorer.labels) == sum(map(bool, about["labels"]))
        given = library.utils.normalize(
            fit_to(images(2, 60), 224)[0].numpy(), 1.0
        )  # the library's own way to its range
        with torch.no_grad():
            wanted = model(torch.from_numpy(given))[:, [n for n, label in enumerate(about["labels"]) if label]]
        assert torch.allclose(score_images(scorer, images(2, 60)).float(), wanted, atol=1e-4)


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
