"""Models of torchxrayvision as scorers."""

import sys
import types

import pytest
import torch
from scorer_cases import images
from torch import nn

from x2x_core.imaging.geometry import fit_to
from x2x_core.scorers.loading import load_scorer
from x2x_core.scorers.scorer import score_images


def xrv_labels():
    """Of "densenet121-res224-all" and one without a name; the library is not needed."""
    return ["Infiltration", "", "Effusion", "Nodule", "Mass", "Lung Lesion", "Lung Opacity", "Edema"]


def test_torchxrayvision_models_are_fed_its_range_and_untrained_labels_are_left_out(monkeypatch):
    class Classifier(nn.Module):
        targets, input_resolution = tuple(xrv_labels()), 224

        def forward(self, x):
            assert x.shape[1:] == (1, 224, 224) and x.min() >= -1024 and x.max() > 500
            return torch.tensor([[0.1, float("nan"), 0.7, 0.2, 0.3, 0.4, 0.5, 0.6]]).expand(len(x), 8)

    class Race(nn.Module):
        targets = ("Asian", "Black", "White")

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
    # "Infiltration" is a synonym of lung opacity, "Nodule" and "Mass" of lung lesion: each keeps its own label.
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
        model.eval()
        model.op_threshs = torch.tensor(about["op_threshs"])
        monkeypatch.setattr(library.models, "get_model", lambda name, model=model: model)
        scorer = load_scorer(f"torchxrayvision:{name}", "probability")
        assert len(scorer.labels) == sum(map(bool, about["labels"]))
        given = library.utils.normalize(
            fit_to(images(2, 60), 224)[0].numpy(), 1.0
        )  # the library's own way to its range
        with torch.no_grad():
            wanted = model(torch.from_numpy(given))[:, [n for n, label in enumerate(about["labels"]) if label]]
        assert torch.allclose(score_images(scorer, images(2, 60)).float(), wanted, atol=1e-4)
