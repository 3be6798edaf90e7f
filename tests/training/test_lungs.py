"""Training of the lung finder: end to end on tiny pictures, exact resume, and how views are varied."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from x2x_core.anatomy.lung_network import OUTPUTS, VIEW, LungNetwork
from x2x_core.anatomy.lungs import LungFinder
from x2x_core.anatomy.view_unet import normalise
from x2x_core.training.config import TrainingConfig
from x2x_core.training.config_files import find_config, load_config
from x2x_core.training.lungs.augmentation import augment_view
from x2x_core.training.lungs.geometry import mirrored
from x2x_core.training.lungs.images import read_lung_images
from x2x_core.training.lungs.loss import soft_dice
from x2x_core.training.lungs.tone import retone
from x2x_core.training.trainer import train


class StoppedError(Exception):
    """The run was interrupted."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Six pairs of two bodies: two dark ellipses on grey."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("past", "current", "masks", "fields"):
        (folder / name).mkdir()
    rows = []
    for body in range(2):
        field = np.zeros((48, 48, 3), np.uint8)
        cv2.ellipse(field, (14 + body, 22), (7, 14), 0, 0, 360, (0, 0, 255), -1)
        cv2.ellipse(field, (34 - body, 22), (7, 14), 0, 0, 360, (0, 255, 0), -1)
        cv2.imwrite(str(folder / "fields" / f"{body:06d}.png"), field)
        for number in range(3):
            name = f"{body:06d}-{number}.png"
            cv2.imwrite(str(folder / "masks" / name), cv2.dilate(field, np.ones((5, 5))))
            for kind in ("past", "current"):
                image = np.full((48, 48), 150 + 20 * number, np.uint8)
                image[field.any(2)] = 40
                cv2.imwrite(str(folder / kind / name), image)
            rows.append(("val" if body else "train", "Add the finding of edema.", name, name))
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("split", "instruction", "past_dicom_id", "current_dicom_id"), *rows])
    return folder


@pytest.fixture(scope="module")
def config(data, tmp_path_factory):
    return TrainingConfig(
        task="lungs", data=str(data), out=str(tmp_path_factory.mktemp("lungs") / "run"), size=32, steps=12,
        models={"channels": [8, 16, 16]}, batch_size=4, learning_rate=5e-3, warmup_steps=0, ema_decay=0.5, log_every=4,
        checkpoint_every=6, sample_every=12,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(config):
    return train(config)


def test_it_learns_and_its_weights_are_a_finder_in_half_precision(config, trained):
    losses = [json.loads(line)["loss"] for line in Path(config.out, "log.jsonl").read_text().splitlines()]
    assert len(losses) == 3 and losses[-1] < losses[0]
    weights = load_file(trained / "lungs.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    found = LungFinder.load(trained / "lungs.safetensors").find(torch.rand(1, 1, 40, 50))
    assert found.right.shape == (1, 1, 40, 50)


def test_a_stopped_run_goes_on_to_the_same_weights(config, trained, tmp_path):
    again = config.replace(out=str(tmp_path / "again"))

    def stop(done, total, means):
        if done == 8:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(again, progress=stop)
    first, second = (load_file(folder / "lungs.safetensors") for folder in (trained, train(again)))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_images_come_with_fields_and_whole_lungs(data):
    images = read_lung_images(data, "train")
    assert len(images) == 6 and {one.fields.name for one in images} == {"000000.png"}
    image, masks = images[0].read()
    assert image.shape == (48, 48) and masks.shape == (48, 48, len(OUTPUTS)) and 0 <= image.min() <= image.max() <= 1
    assert masks[22, 14].tolist() == [255, 0, 255, 0] and masks[22, 34].tolist() == [0, 255, 0, 255]
    assert (masks[..., 2:] > 0).sum() > (masks[..., :2] > 0).sum()


def test_a_dataset_without_fields_is_refused_with_the_remedy(data, tmp_path):
    for name in ("past", "current", "masks", "instructions.csv"):
        (tmp_path / name).symlink_to(data / name)
    with pytest.raises(FileNotFoundError, match="x2x simulate --fields"):
        read_lung_images(tmp_path, "train")


def test_augmentation_is_the_same_for_a_seed_and_stays_in_range(data):
    image, masks = read_lung_images(data, "train")[0].read()
    views = []
    for seed in range(60):
        first, second = (augment_view(image, masks, 32, np.random.default_rng(seed)) for _ in range(2))
        assert all(np.array_equal(one, other) for one, other in zip(first, second))
        view, varied = first
        assert view.shape == (32, 32) and varied.shape == (32, 32, 4) and view.dtype == varied.dtype == np.float32
        assert 0 <= view.min() <= view.max() <= 1 and 0 <= varied.min() <= varied.max() <= 1
        views.append((view, varied))
    sizes = [varied[..., :2].mean() for _, varied in views]
    assert np.std(sizes) > 0.02 and len({view.tobytes() for view, _ in views}) == 60


def test_a_varied_view_keeps_right_on_the_image_s_left(data):
    image, masks = read_lung_images(data, "train")[0].read()
    order = []
    for seed in range(60):
        _, varied = augment_view(image, masks, 32, np.random.default_rng(seed))
        right, left = varied[..., 0], varied[..., 1]
        if min(right.sum(), left.sum()) > 20:
            columns = np.arange(32)
            order.append((right.sum(0) @ columns / right.sum()) < (left.sum(0) @ columns / left.sum()))
    assert len(order) > 30 and all(order)


def test_a_mirrored_image_has_its_lungs_swapped():
    masks = np.zeros((2, 4, 4), np.uint8)
    masks[:, 0, 0], masks[:, 3, 1], masks[:, 0, 2] = 1, 2, 3
    flipped = mirrored(masks)
    assert flipped[0, 3].tolist() == [0, 1, 0, 3] and flipped[0, 0].tolist() == [2, 0, 0, 0]


def test_some_pictures_are_inverted_by_augmentation():
    ramp = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (8, 1))
    rising = [retone(ramp, np.random.default_rng(seed))[0, [2, -3]] for seed in range(80)]
    inverted = sum(first > last for first, last in rising)
    assert 8 < inverted < 35


def test_the_networks_input_is_invariant_to_brightness_and_contrast():
    view = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(normalise(view), normalise(0.3 + 0.4 * view), atol=1e-3)
    assert normalise(torch.full((1, 1, 32, 32), 0.3)).abs().max() == 0


def test_the_network_draws_every_output_at_the_view_s_size():
    assert LungNetwork()(torch.rand(1, 1, VIEW, VIEW)).shape == (1, len(OUTPUTS), VIEW, VIEW)


def test_soft_dice_is_one_for_the_truth_and_near_zero_for_its_complement():
    masks = (torch.rand(2, 4, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert torch.allclose(soft_dice(masks, masks), torch.ones(4))
    assert soft_dice(1 - masks, masks).max() < 0.01


def test_the_committed_configuration_is_read():
    config = load_config(find_config("lungs"))
    assert config.task == "lungs" and config.size == VIEW
    with pytest.raises(ValueError, match="`latent_variants` must be 0 if `task` is lungs"):
        config.replace(latent_variants=1)


def test_a_run_starts_from_given_weights(config, trained, tmp_path):
    started = config.replace(init=str(trained), out=str(tmp_path / "run"), steps=1, learning_rate=0.0, sample_every=0)
    weights, given = (load_file(folder / "lungs.safetensors") for folder in (train(started), trained))
    assert weights.keys() == given.keys() and all(torch.equal(weights[name], given[name]) for name in given)


def test_a_start_that_is_not_there_is_refused(config, tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights of a lung finder"):
        train(config.replace(init=str(tmp_path), out=str(tmp_path / "run")))
