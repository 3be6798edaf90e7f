"""Segmenters: the protocol, networks in several forms, and outlines laid over images of any shape."""

import json
import shutil
import sys
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from x2x_core.evaluation.metrics.dice import dice
from x2x_core.scorers.segmenters import ImageSegmenter, ModuleSegmenter, check_segmenter, load_segmenter

NETWORKS = Path(__file__).parents[1] / "fixtures" / "networks"


class Sides(nn.Module):
    """Maps of darkness and brightness, at half the size of what it sees."""

    def forward(self, images):
        bright = nn.functional.avg_pool2d(images[:, :1], 2)
        return torch.cat([1 - bright, bright], 1)


def picture(height=60, width=40):
    """Black with a white box that a tall image has at its top left."""
    image = torch.zeros(1, 1, height, width)
    image[..., 8:24, 4:20] = 1
    return image


def test_a_module_segments_and_its_maps_are_resampled_to_the_image():
    segmenter = ModuleSegmenter(Sides(), ["", "Heart"], name="sides", activation="none", size=64)
    assert isinstance(segmenter, ImageSegmenter) and segmenter.structures == ("heart",)
    masks = segmenter.masks(picture())
    assert masks.shape == (1, 1, 60, 40) and masks.dtype == torch.bool
    assert dice(masks[0], picture()[0] > 0.5) > 0.9  # the bands beside a tall image are taken off again
    wide = segmenter.masks(picture().transpose(-1, -2))
    assert dice(wide[0], picture().transpose(-1, -2)[0] > 0.5) > 0.9


def test_several_images_are_outlined_as_single_ones_are():
    segmenter = ModuleSegmenter(Sides(), ["dark", "bright"], activation="none", size=32)
    some = torch.cat([picture(), picture().flip(-1), picture().flip(-2)])
    assert torch.equal(segmenter.masks(some), torch.cat([segmenter.masks(one[None]) for one in some]))


def test_the_activation_and_the_threshold_decide():
    logits = lambda images: torch.cat([images, 2 + 0 * images], 1) * 4  # noqa: E731
    assert ModuleSegmenter(logits, ["a", "b"]).masks(picture()).all()  # the sigmoid of 0 is a half
    alone = ModuleSegmenter(logits, ["a", "b"], activation="softmax").masks(picture())
    assert not alone[:, 0].any() and alone[:, 1].all()
    sure = ModuleSegmenter(logits, ["a", "b"], threshold=0.9).masks(picture())
    assert torch.equal(sure[:, :1], picture() > 0.5)


def test_what_is_no_segmenter_is_refused():
    with pytest.raises(ValueError, match="must have `name`, `structures` and `masks`"):
        check_segmenter(Sides())
    for structures in (["heart", "Heart"], [""]):
        with pytest.raises(ValueError, match="`structures` of segmenter 'Sides' must be different names, at least one"):
            ModuleSegmenter(Sides(), structures)
    with pytest.raises(
        ValueError, match=r"must return 3 maps per image, one for each structure, got shape \(1, 2, 30, 20\)"
    ):
        ModuleSegmenter(Sides(), ["a", "b", "c"]).masks(picture())
    with pytest.raises(ValueError, match="`activation` must be one of"):
        ModuleSegmenter(Sides(), ["a"], activation="relu")
    with pytest.raises(ValueError, match="A segmenter must be 'torchxrayvision:pspnet', or a file of"):
        load_segmenter("pspnet")


def describe(path, **about):
    path.with_suffix(".json").write_text(json.dumps(about))
    return str(path)


@pytest.mark.parametrize("suffix", [".pt", ".onnx"])
def test_files_outline_as_their_modules_do(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    if suffix == ".pt":
        torch.jit.script(Sides()).save(str(path))
    else:
        shutil.copy(NETWORKS / "maps.onnx", path)
    segmenter = load_segmenter(describe(path, structures=["", "bright"], activation="none", size=64, threshold=0.4))
    wanted = ModuleSegmenter(Sides(), ["", "bright"], activation="none", size=64, threshold=0.4)
    assert segmenter.name == path.name and torch.equal(segmenter.masks(picture()), wanted.masks(picture()))
    with pytest.raises(ValueError, match="must have `structures`, and of other fields only"):
        load_segmenter(describe(path, structures=["a"], labels=["a"]))
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match="in JSON with `structures`"):
        load_segmenter(str(path))


def test_of_torchxrayvision_s_pspnet_lungs_and_heart_are_taken(monkeypatch):
    class PSPNet(nn.Module):
        targets = ("Left Clavicle", "Left Lung", "Right Lung", "Heart", "Spine")

        def forward(self, x):
            assert x.shape[1:] == (1, 512, 512) and x.min() >= -1024 and x.max() > 500
            return torch.cat([x, -x, x, x, x], 1)  # logits

    library = types.SimpleNamespace(
        baseline_models=types.SimpleNamespace(chestx_det=types.SimpleNamespace(PSPNet=PSPNet))
    )
    monkeypatch.setitem(sys.modules, "torchxrayvision", library)
    segmenter = load_segmenter("torchxrayvision:pspnet")
    assert segmenter.structures == ("left lung", "right lung", "heart")
    left, _, heart = segmenter.masks(picture())[0]
    assert dice(heart[None], picture()[0] > 0.5) > 0.95 and torch.equal(left, ~heart)
    monkeypatch.setitem(sys.modules, "torchxrayvision", None)
    with pytest.raises(ImportError, match=r"instructx2x\[torchxrayvision\]"):
        load_segmenter("torchxrayvision:pspnet")
