"""Fixtures of the conversion's tests: the tiny checkpoint in the original layout."""

import pytest
import torch
from checkpoint_cases import lightning_checkpoint
from safetensors.torch import load_file

from x2x_core.conversion.convert import convert


@pytest.fixture(scope="session")
def single(tiny_folder, tmp_path_factory):
    """The tiny checkpoint as a single file; don't change it."""
    file = tmp_path_factory.mktemp("single") / "tiny.safetensors"
    convert(tiny_folder, file)
    return file


@pytest.fixture(scope="session")
def plain(single):
    """The weights of the single file under their original names, as InstructPix2Pix's training leaves them."""
    return load_file(single)


@pytest.fixture
def ckpt(plain, tmp_path):
    """A training checkpoint with EMA."""
    file = tmp_path / "original.ckpt"
    torch.save(lightning_checkpoint(plain), file)
    return file
