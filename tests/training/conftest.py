"""Small datasets in the pair layout, and a configuration for the tiny model."""

import csv

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def pairs_folder(tmp_path_factory):
    """Twelve pairs of 64x64, nine for training: a brighter square is added on the image's left or right."""
    folder = tmp_path_factory.mktemp("pairs")
    draws = np.random.default_rng(0)
    rows = []
    for name in ("past", "current"):
        (folder / name).mkdir()
    for number in range(12):
        side = ("right", "left")[number % 2]
        past = cv2.resize(draws.integers(20, 90, (16, 16)).astype(np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC)
        current = past.copy()
        current[36:56, slice(4, 24) if side == "right" else slice(40, 60)] += 100
        cv2.imwrite(str(folder / "past" / f"{number}.png"), past)
        cv2.imwrite(str(folder / "current" / f"{number}.png"), current)
        split = "val" if number >= 9 else "train"
        rows.append((split, f"Add the finding of {side} pleural effusion.", f"{number}.png", f"{number}.png"))
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("split", "instruction", "past_dicom_id", "current_dicom_id"), *rows])
    return folder


@pytest.fixture(autouse=True)
def fresh_accelerator():
    """Let every test have a precision of its own: accelerate keeps one a process."""
    from accelerate.state import AcceleratorState

    yield
    AcceleratorState._reset_state(True)


@pytest.fixture(scope="session")
def tuning_in(pairs_folder, tiny_folder):
    """Return the configuration of a run in a folder."""
    return lambda out: small_tuning(pairs_folder, tiny_folder, out)


@pytest.fixture
def tuning(tuning_in, tmp_path):
    """The configuration of a run in a folder of the test's own."""
    return tuning_in(tmp_path / "run")


def small_tuning(pairs_folder, tiny_folder, out):
    """Three steps of fine-tuning of the tiny InstructPix2Pix, as the paper's configuration does it, in small."""
    from x2x_core.pairs.augmentation import AugmentConfig
    from x2x_core.training.config import TrainingConfig

    return TrainingConfig(
        task="edit", data=str(pairs_folder), out=str(out), init=str(tiny_folder), size=64, steps=3,
        batch_size=2, total_batch=4, learning_rate=1e-2, warmup_steps=0, schedule="constant_with_warmup",
        ema_decay=0.5, log_every=1, checkpoint_every=1, keep_checkpoints=9, augment=AugmentConfig(flip=0.5, rotation=2),
    )  # fmt: skip
