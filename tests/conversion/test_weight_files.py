"""Files of weights: nothing but weights is read, and no code is run."""

import os
import pickle

import numpy as np
import pytest
import torch
from checkpoint_cases import WEIGHTS, lightning_checkpoint, same
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from x2x_core.conversion.convert import convert, read_checkpoint


class Trap:
    """Runs a command when it is unpickled without care."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused_and_never_run(plain, tiny_folder, tmp_path, zipped):
    mark, file = tmp_path / "sprung", tmp_path / "trap.ckpt"
    torch.save({"state_dict": dict(plain), "trap": Trap(mark)}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"holds more than weights \(posix.mkdir\).*Use a safetensors file"):
        convert(file, tmp_path / "out", like=tiny_folder)
    assert not mark.exists() and not (tmp_path / "out").exists()
    pickle.loads(pickle.dumps(Trap(mark)))  # the trap does work
    assert mark.exists()


def test_lightnings_callbacks_beside_the_weights_are_no_hindrance(plain, tiny_folder, tmp_path, monkeypatch):
    import sys
    import types

    module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    module.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": module.__name__})
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks", module.__name__):
        monkeypatch.setitem(sys.modules, name, module)
    content = lightning_checkpoint(plain) | {"callbacks": {module.ModelCheckpoint: {"best_model_path": "x"}}}
    torch.save(content, tmp_path / "lightning.ckpt")
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks", module.__name__):
        monkeypatch.delitem(sys.modules, name)
    allowed = set(torch.serialization.get_safe_globals())  # PyTorch keeps a set: the order of its list means nothing
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "lightning.ckpt", weights_only=True)
    read = read_checkpoint(tmp_path / "lightning.ckpt", like=tiny_folder)
    assert same(read.weights["vae"], load_file(tiny_folder / f"{WEIGHTS[1]}.safetensors"))
    assert set(torch.serialization.get_safe_globals()) == allowed


def test_numpy_numbers_are_accepted_beside_weights_and_refused_as_weights(plain, tiny_folder, tmp_path):
    content = lightning_checkpoint(plain) | {
        "global_step": np.int64(22000), "lr_schedulers": [{"base_lrs": [np.float32(1e-4)]}], "scores": np.arange(3),
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": np.float64(1e-4)}]}],
    }  # fmt: skip
    torch.save(content, tmp_path / "numbers.ckpt")
    read = read_checkpoint(tmp_path / "numbers.ckpt", like=tiny_folder)
    assert same(read.weights["vae"], load_file(tiny_folder / f"{WEIGHTS[1]}.safetensors"))
    content["state_dict"]["extra"] = np.float64(0.5)
    torch.save(content, tmp_path / "numbers.ckpt")
    with pytest.raises(ValueError, match="weights alone, but these are not: extra"):
        read_checkpoint(tmp_path / "numbers.ckpt", like=tiny_folder)


@pytest.mark.parametrize("name", ["x.safetensors", "x.ckpt", "x.pt"])
def test_damaged_files_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"not weights")
    with pytest.raises(ValueError, match=r"is damaged|can't be read"):
        read_checkpoint(tmp_path / name)


def test_files_that_hold_something_else_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_checkpoint(tmp_path / "gone.ckpt")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ValueError, match="must be a file of weights"):
        read_checkpoint(tmp_path / "x.txt")
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="must hold weights by name, got list"):
        read_checkpoint(tmp_path / "list.pt")
    torch.save({"state_dict": {"a": torch.zeros(1), "b": 3}}, tmp_path / "mixed.pt")
    with pytest.raises(ValueError, match="weights alone, but these are not: b"):
        read_checkpoint(tmp_path / "mixed.pt")


def test_a_damaged_header_is_refused(single, tmp_path):
    with safe_open(single, framework="pt") as opened:
        assert set(opened.metadata()) == {"x2x_files"}
    save_file(load_file(single), tmp_path / "x.safetensors", {"x2x_files": "eJw"})
    with pytest.raises(ValueError, match=r"small files in the header of .* can't be read"):
        read_checkpoint(tmp_path / "x.safetensors")
