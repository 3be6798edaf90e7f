"""The lung finder: it finds unseen lungs at any tone, framing and size, and its confidence falls where it fails."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lung_cases import BODIES, dice, noise, radiograph, truth
from safetensors.torch import save_file

from x2x_core.anatomy.lung_cleaning import without_tails
from x2x_core.anatomy.lung_network import LungNetwork
from x2x_core.anatomy.lungs import LungFinder
from x2x_core.training.seeding import seeded_initialisation

TYPICAL = 1


def fields(lungs):
    return torch.cat([lungs.right, lungs.left], 1)[0] >= 0.5


def without_recess(fields):
    """The true fields without the sliver of lung in the recess, which no reader outlines."""
    return without_tails(torch.cat([fields, fields])[None].float())[0, :2] > 0


def test_lungs_of_unseen_bodies_are_found(finder):
    found = finder.find(torch.cat([radiograph(body) for body in BODIES]))
    scores = [dice(getattr(found, side)[body, 0] >= 0.5, truth(body)[n])
              for body in BODIES for n, side in enumerate(("right", "left"))]  # fmt: skip
    outlined = [dice(getattr(found, side)[body, 0] >= 0.5, without_recess(truth(body))[n])
                for body in BODIES for n, side in enumerate(("right", "left"))]  # fmt: skip
    assert np.mean(outlined) >= 0.94 and min(outlined) >= 0.89
    # The truth goes on into the recess, below the visible dome at which the fields end.
    assert np.mean(scores) >= 0.92 and min(scores) >= 0.89
    assert found.confidence.min() > 0.5


def test_whole_lungs_reach_behind_heart_and_diaphragm(finder):
    found = finder.find(torch.cat([radiograph(body) for body in BODIES]))
    scores = [dice(getattr(found, f"{side}_whole")[body, 0] >= 0.5, truth(body, "whole")[n])
              for body in BODIES for n, side in enumerate(("right", "left"))]  # fmt: skip
    assert np.mean(scores) >= 0.95
    assert (found.right_whole.sum() > 1.1 * found.right.sum()) and (found.left_whole.sum() > 1.1 * found.left.sum())


@pytest.mark.parametrize(
    "change",
    [lambda x: 1 - x, lambda x: x**2, lambda x: x**0.5, lambda x: 0.4 + 0.2 * x, lambda x: x.expand(-1, 3, -1, -1)],
    ids=["inverted", "darker", "brighter", "faint", "colour"],
)
def test_the_lungs_found_depend_little_on_brightness_and_contrast(finder, change):
    image = radiograph(TYPICAL)
    plain, changed = finder.find(image), finder.find(change(image))
    assert dice(fields(plain), fields(changed)) > 0.93


def test_a_frame_around_the_picture_moves_the_lungs_with_it(finder):
    image = radiograph(TYPICAL)
    plain = fields(finder.find(image))
    for grey in (0.0, 1.0):
        framed = fields(finder.find(F.pad(image, (70, 30, 10, 90), value=grey)))
        assert dice(framed[:, 10:170, 70:230], plain) > 0.98 and not framed[:, :, :60].any()


def test_the_size_of_the_picture_makes_little_difference(finder):
    image = radiograph(TYPICAL)
    plain = fields(finder.find(image)).float()[None]
    for size in ((480, 480), (80, 80)):
        other = fields(finder.find(F.interpolate(image, size, mode="bilinear", antialias=True)))
        assert dice(other, F.interpolate(plain, size)[0] > 0) > 0.95
    wide = finder.find(image[..., 30:130, :])
    assert wide.size == (100, 160) and dice(fields(wide), fields(finder.find(image))[:, 30:130]) > 0.9


def test_the_right_lung_is_on_the_image_s_left(finder):
    found = finder.find(radiograph(TYPICAL))
    columns = torch.arange(160.0)
    middles = [(mask[0, 0].sum(0) * columns).sum() / mask.sum() for mask in (found.right, found.left)]
    assert middles[0] + 30 < middles[1]


@pytest.mark.parametrize(
    "image",
    [torch.zeros(1, 1, 50, 60), torch.full((1, 1, 9, 9), 0.7), noise(), torch.linspace(0, 1, 128).expand(1, 1, 99, -1)],
    ids=["black", "grey", "noise", "ramp"],
)
def test_where_no_lungs_are_the_confidence_is_low(finder, image):
    found = finder.find(image)
    assert found.confidence[0] < 0.2 and found.size == tuple(image.shape[-2:])


def test_a_batch_gives_what_single_images_give_every_time(finder):
    images = torch.cat([radiograph(body) for body in BODIES[:3]])
    batch, again = finder.find(images), finder.find(images)
    for number in range(3):
        single = finder.find(images[number : number + 1])
        for name in ("right", "left", "right_whole", "left_whole", "confidence"):
            assert torch.equal(getattr(batch[number], name), getattr(single, name))
            assert torch.equal(getattr(batch, name), getattr(again, name))
    assert len(batch) == 3 and batch.right.shape == (3, 1, 160, 160) and 0 <= batch.left.min() <= batch.left.max() <= 1


def test_the_bundled_weights_are_read_once_and_are_small():
    assert LungFinder.bundled() is LungFinder.bundled()
    assert sum(p.numel() for p in LungFinder.bundled().network.parameters()) < 500_000


def test_weights_are_read_from_a_file(tmp_path):
    with seeded_initialisation(0):
        network = LungNetwork((8, 16))
    save_file(network.state_dict(), tmp_path / "small.safetensors")
    found = LungFinder.load(tmp_path / "small.safetensors").find(radiograph(0))
    assert torch.equal(found.right, LungFinder(network).find(radiograph(0)).right)


def test_a_file_without_the_finders_weights_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights of a lung finder"):
        LungFinder.load(tmp_path / "missing.safetensors")
    (tmp_path / "text.safetensors").write_text("nothing")
    save_file({"other": torch.zeros(3)}, tmp_path / "other.safetensors")
    for name in ("text", "other"):
        with pytest.raises(ValueError, match="must hold weights of the lung finder"):
            LungFinder.load(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(8, 8), r"`image` must be a tensor \(B, 1 or 3, H, W\), got \(8, 8\)"),
        (torch.zeros(1, 2, 8, 8), "1 or 3"),
        (np.zeros((1, 1, 8, 8)), "got ndarray"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "floating point"),
        (torch.full((1, 1, 8, 8), 2.0), r"must lie in \[0, 1\], got 2 to 2"),
        (torch.full((1, 1, 8, 8), torch.nan), "must lie in"),
    ],
)
def test_a_wrong_image_is_refused(finder, image, message):
    with pytest.raises(ValueError, match=message):
        finder.find(image)
