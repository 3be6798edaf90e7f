"""Training of the lung finder on outlined films, and what its augmentation draws under the lungs."""

import csv

import cv2
import numpy as np
import pytest
import torch

from x2x_core.anatomy.lung_network import OUTPUTS, LungNetwork
from x2x_core.training.config import TrainingConfig
from x2x_core.training.lungs.augmentation import augment_view
from x2x_core.training.lungs.gas import add_gas
from x2x_core.training.lungs.geometry import half_film
from x2x_core.training.lungs.images import read_lung_images
from x2x_core.training.lungs.loss import LungLoss
from x2x_core.training.trainer import train


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Three outlined films: two dark ellipses on grey."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("films", "fields"):
        (folder / name).mkdir()
    for number in range(3):
        field = np.zeros((40, 48, 3), np.uint8)
        cv2.ellipse(field, (14, 18), (7, 12 + number), 0, 0, 360, (0, 0, 255), -1)
        cv2.ellipse(field, (34, 18), (7, 12), 0, 0, 360, (0, 255, 0), -1)
        film = np.full((40, 48), 170, np.uint8)
        film[field.any(2)] = 50
        cv2.imwrite(str(folder / "films" / f"{number}.png"), film)
        cv2.imwrite(str(folder / "fields" / f"{number}.png"), field)
    with (folder / "outlines.csv").open("w", newline="") as file:
        rows = [("train", "0.png", "by hand"), ("train", "1.png", "finder"), ("val", "2.png", "finder")]
        csv.writer(file).writerows([("split", "image", "source"), *rows])
    return folder


def test_outlined_films_are_read_by_split_without_whole_lungs(films):
    images = read_lung_images(films, "train")
    assert [one.image.name for one in images] == ["0.png", "1.png"] and all(one.lungs is None for one in images)
    image, masks = images[0].read()
    assert image.shape == (40, 48) and masks.shape == (40, 48, len(OUTPUTS))
    assert masks[18, 14, :2].tolist() == [255, 0] and masks[18, 34, :2].tolist() == [0, 255]


def test_a_film_without_its_outline_and_an_outline_of_another_size_are_refused(films, tmp_path):
    (tmp_path / "films").symlink_to(films / "films")
    (tmp_path / "fields").mkdir()
    (tmp_path / "outlines.csv").write_text("split,image,source\ntrain,0.png,by hand\n")
    with pytest.raises(FileNotFoundError, match=r"fields/0.png` is missing, but .*outlines.csv` names it"):
        read_lung_images(tmp_path, "train")
    cv2.imwrite(str(tmp_path / "fields" / "0.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=r"must have the size of .*\(48, 40\)"):
        read_lung_images(tmp_path, "train")[0].read()
    (tmp_path / "outlines.csv").write_text("split,source\ntrain,by hand\n")
    with pytest.raises(ValueError, match="must have the column 'image'"):
        read_lung_images(tmp_path, "train")


def test_unknown_whole_lungs_do_not_train_their_outputs():
    loss = LungLoss(LungNetwork((8, 16)))
    view = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    masks = (torch.rand(2, 4, 32, 32, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    known = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    other = masks.clone()
    other[1, 2:] = 1 - other[1, 2:]
    assert torch.equal(loss(view, masks, known)["loss"], loss(view, other, known)["loss"])
    assert not torch.equal(loss(view, masks, torch.ones(2, 4))["loss"], loss(view, other, torch.ones(2, 4))["loss"])


def test_it_trains_on_films_alone(films, tmp_path):
    config = TrainingConfig(
        task="lungs", data=str(films), out=str(tmp_path / "run"), size=32, steps=2, models={"channels": [8, 16, 16]},
        batch_size=2, warmup_steps=0, log_every=1, checkpoint_every=2, sample_every=0,
    )  # fmt: skip
    assert (train(config) / "lungs.safetensors").is_file()


@pytest.fixture
def chest():
    """A bright picture with two dark lungs, and its masks."""
    masks = np.zeros((64, 64, 4), np.float32)
    masks[10:36, 8:28, 0] = masks[10:36, 36:56, 1] = 1
    image = np.where(masks[..., :2].any(2), 0.2, 0.8).astype(np.float32)
    return image, masks


def test_gas_is_dark_lies_under_the_lungs_and_spares_them(chest):
    image, masks = chest
    drawn = 0
    for seed in range(60):
        after = add_gas(image, masks, np.random.default_rng(seed))
        change = np.abs(after - image) > 0.05
        assert not change[masks[..., :2].max(2) > 0].any() and not change[:10].any()
        if change[40:].sum() > 20:
            drawn += 1
            assert after[change].mean() < 0.8
    assert 10 < drawn < 50


def test_without_lungs_there_is_no_gas():
    image = np.full((32, 32), 0.5, np.float32)
    empty = np.zeros((32, 32, 4), np.float32)
    assert all(np.array_equal(add_gas(image, empty, np.random.default_rng(seed)), image) for seed in range(10))


def test_half_a_film_cuts_picture_and_masks_alike(chest):
    image, masks = chest
    cut = 0
    for seed in range(200):
        half, kept = half_film(image, masks, np.random.default_rng(seed))
        assert half.shape == image.shape and kept.shape == masks.shape
        cut += half is not image
        assert half[kept[..., :2].max(2) > 0.99].mean() < 0.25
    assert 4 < cut < 30


def test_a_turned_chest_has_no_lungs(chest):
    image, masks = chest
    views = [
        augment_view(image, (255 * masks).astype(np.uint8), 32, np.random.default_rng(seed)) for seed in range(150)
    ]
    empty = sum(not varied.any() for _, varied in views)
    assert 3 <= empty < 30
