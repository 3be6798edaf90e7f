"""MimicEditInstruction: images and instructions stay in step, and seed, epoch and index determine each item."""

import csv
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from x2x_core.dataset import MimicEditInstruction
from x2x_core.pairs.augmentation import AugmentConfig

SIZE = 24
STILL = AugmentConfig(flip=0, rotation=0)
COLUMNS = ("split", "instruction", "past_dicom_id", "current_dicom_id")


def write(folder, name, pixels):
    folder.mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])


def write_table(folder, rows, columns=COLUMNS):
    with (folder / "instructions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])


@pytest.fixture
def data(tmp_path):
    """Six pairs, of which four are for training: something bright on one side is there in the current image alone."""
    rows = []
    for number in range(6):
        side, columns = (("right", slice(2, 10)), ("left", slice(14, 22)))[number % 2]
        past = np.full((SIZE, SIZE), 40 + number, np.uint8)
        current = past.copy()
        current[8:16, columns] = 220
        ending = ("png", "jpg")[number // 2 % 2]
        write(tmp_path / "past", f"a-{number}.{ending}", past)
        write(tmp_path / "current", f"b-{number}.{ending}", current)
        name = f".{ending}" if number < 2 else ""
        words = f"Add the finding of moderate {side} pleural effusion."
        rows.append(("train" if number < 4 else "val", words, f"a-{number}{name}", f"b-{number}{name}"))
    write_table(tmp_path, rows)
    return tmp_path


def side_of(item):
    """The patient's side on which the pair differs: the patient's left is the image's right."""
    change = (item["pair"][1] - item["pair"][0]).abs()
    return "left" if change[:, SIZE // 2 :].sum() > change[:, : SIZE // 2].sum() else "right"


def items(dataset):
    return [(item["pair"], item["instruction"]) for item in dataset]


def same(first, second):
    return all(torch.equal(a, b) and words == other for (a, words), (b, other) in zip(first, second, strict=True))


def test_it_reads_the_pair_layout(data):
    plain = MimicEditInstruction(data, size=SIZE, augmentation=None)
    assert len(plain) == 4 and len(MimicEditInstruction(data, "val", SIZE)) == 2
    for number, item in enumerate(plain):
        pair = item["pair"]
        assert pair.shape == (2, SIZE, SIZE) and pair.dtype == torch.float32 and pair.min() >= 0 and pair.max() <= 1
        assert abs(pair[0].mean() - (40 + number) / 255) < 0.01  # past first
        assert item["instruction"].split()[5] == side_of(item)
    assert torch.equal(plain[-1]["pair"], plain[3]["pair"])
    with pytest.raises(IndexError):
        plain[4]


def test_a_flip_swaps_the_sides_in_the_instruction_too(data):
    plain = MimicEditInstruction(data, size=SIZE, augmentation=None)
    flipped = MimicEditInstruction(data, size=SIZE, augmentation=AugmentConfig(flip=1, rotation=0))
    for before, after in zip(plain, flipped):
        assert torch.equal(after["pair"], before["pair"].flip(-1))
        assert after["instruction"].split()[5] == side_of(after) != side_of(before)


def test_the_paper_s_augmentation_is_the_default(data):
    dataset = MimicEditInstruction(data, size=SIZE)
    assert (dataset.augmentation.flip, dataset.augmentation.rotation) == (0.5, 2.0)
    seen = set()
    for epoch in range(12):
        dataset.set_epoch(epoch)
        for item in dataset:
            assert item["instruction"].split()[5] == side_of(item)
            seen.add(item["instruction"])
    assert len(seen) == 2


def test_rotation_pads_with_the_border_and_moves_both_images_alike(data):
    write(data / "past", "a-0.png", np.full((SIZE, SIZE), 200, np.uint8))
    write(data / "current", "b-0.png", np.full((SIZE, SIZE), 200, np.uint8))
    ramp = np.tile(np.linspace(0, 255, SIZE, dtype=np.uint8), (SIZE, 1))
    write(data / "past", "a-1.png", ramp)
    write(data / "current", "b-1.png", ramp)
    dataset = MimicEditInstruction(data, size=SIZE, augmentation=AugmentConfig(flip=0, rotation=20))
    flat, tilted = dataset[0]["pair"], dataset[1]["pair"]
    assert torch.allclose(flat, torch.full_like(flat, 200 / 255), atol=1e-5)
    assert torch.equal(tilted[0], tilted[1])
    assert not torch.allclose(tilted[0], torch.from_numpy(ramp / 255).float(), atol=0.05)


def test_seed_epoch_and_index_determine_an_item(data):
    config = AugmentConfig(flip=0.5, rotation=5, noise=0.05)
    dataset, again = (MimicEditInstruction(data, size=SIZE, augmentation=config, seed=3) for _ in range(2))
    first = items(dataset)
    assert same(first, items(dataset)) and same(first, items(again))
    assert torch.equal(first[2][0], again[2]["pair"])  # in any order
    dataset.set_epoch(1)
    assert dataset.epoch == 1 and not same(first, items(dataset))
    dataset.set_epoch(0)
    assert same(first, items(dataset))
    assert not same(first, items(MimicEditInstruction(data, size=SIZE, augmentation=config, seed=4)))


def test_the_global_random_state_is_left_alone(data):
    dataset = MimicEditInstruction(data, size=SIZE)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = dataset[0]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert torch.equal(dataset[0]["pair"], first["pair"])


@pytest.mark.parametrize(("method", "workers"), [("fork", 2), ("spawn", 1)])
def test_worker_processes_give_the_same_items_and_follow_the_epoch(data, method, workers):
    dataset = MimicEditInstruction(data, size=SIZE, augmentation=AugmentConfig(flip=0.5, rotation=5, noise=0.05))
    loader = DataLoader(dataset, 2, num_workers=workers, persistent_workers=True, multiprocessing_context=method)
    for epoch in (0, 1):
        dataset.set_epoch(epoch)
        batches = list(loader)
        loaded = [(pair, words) for batch in batches for pair, words in zip(batch["pair"], batch["instruction"])]
        assert same(loaded, items(dataset))


def test_it_can_be_pickled(data):
    dataset = MimicEditInstruction(data, size=SIZE, seed=5)
    dataset.set_epoch(7)
    again = pickle.loads(pickle.dumps(dataset))
    assert again.epoch == 7 and same(items(again), items(dataset))


def test_pairs_can_be_reversed(data):
    backwards = MimicEditInstruction(data, size=SIZE, augmentation=AugmentConfig(flip=0, rotation=0, reverse=1))
    plain = MimicEditInstruction(data, size=SIZE, augmentation=None)
    assert torch.equal(backwards[0]["pair"], plain[0]["pair"].flip(0))
    assert backwards[0]["instruction"] == "Remove the finding of moderate right pleural effusion."


def test_images_are_resized(data):
    assert MimicEditInstruction(data, size=12)[0]["pair"].shape == (2, 12, 12)
    assert MimicEditInstruction(data).size == 512


def test_a_table_with_a_byte_order_mark_is_read(data):
    table = data / "instructions.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert len(MimicEditInstruction(data)) == 4


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([("train", "x", "a-0", "b-0")], ("split", "instruction", "past", "current"), "lacks past_dicom_id, current_"),
        ([("test", "x", "a-0", "b-0")], COLUMNS, "`split` must be a split with pairs in .* got 'train'"),
        ([("train", "x", "a-9", "b-0")], COLUMNS, "The image `a-9` named in instructions.csv is missing"),
        ([("train", "x", "a-0", "b-9.png")], COLUMNS, "The image `b-9.png` .* is missing"),
        ([("train", "", "a-0", "b-0")], COLUMNS, "instructions.csv:2` must have an entry .* lacks instruction"),
        ([("train", "x", "a-0", "b-0"), ("train", "x")], COLUMNS, "csv:3` must .* lacks past_dicom_id, current_"),
    ],
)
def test_a_broken_table_is_reported(data, rows, columns, message):
    write_table(data, rows, columns)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        MimicEditInstruction(data)


def test_broken_images_are_reported(data):
    (data / "past" / "a-0.png").write_bytes(b"no picture")
    write(data / "past", "a-1.png", np.zeros((SIZE, SIZE + 2), np.uint8))
    dataset = MimicEditInstruction(data, size=SIZE)
    with pytest.raises(ValueError, match=r"a-0\.png` is not a PNG"):
        dataset[0]
    with pytest.raises(ValueError, match="images of a pair must be squares of the same size, got"):
        dataset[1]


def test_arguments_are_checked(data, tmp_path):
    with pytest.raises(ValueError, match="`size` must be at least 1, got 0"):
        MimicEditInstruction(data, size=0)
    with pytest.raises(ValueError, match="`epoch` must not be negative, got -1"):
        MimicEditInstruction(data).set_epoch(-1)
    with pytest.raises(FileNotFoundError, match="There is no dataset at"):
        MimicEditInstruction(tmp_path / "nowhere")


def test_the_rules_do_not_import_torch():
    code = "from x2x_core.dataset import *; import sys; print('torch' in sys.modules)"
    code = code.replace("*", "instruction_from_difference, enrich")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
