"""Small datasets in the pair layout, and a configuration for the tiny model."""

import pytest
from square_pairs import write_square_pairs


@pytest.fixture(scope="session")
def pairs_folder(tmp_path_factory):
    """Twelve pairs of 64x64, nine for training."""
    return write_square_pairs(tmp_path_factory.mktemp("pairs"), 64, training=9)


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
