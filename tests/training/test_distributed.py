"""Several processes train what one trains: on two CPU processes over gloo."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from x2x_core.training import processes
from x2x_core.training.trainer import train

pytestmark = pytest.mark.slow  # each test starts several interpreters

ROOT = Path(__file__).parents[2]
UNET = "pipeline/unet/diffusion_pytorch_model.safetensors"


def written(config):
    """Write a configuration to a file beside its run, and return the file's name."""
    file = Path(config.out).with_suffix(".yaml")
    file.write_text(yaml.safe_dump(config.as_dict() | {"trackers": list(config.trackers)}))
    return str(file)


def launch(*command):
    """Two processes on one machine, as `torchrun` starts them."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    runner = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*runner, *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[:4000]


def largest_difference(first, second):
    """Of all weights in two safetensors files, as the largest absolute difference."""
    first, second = load_file(first), load_file(second)
    assert first.keys() == second.keys()
    return max(float((first[name].float() - second[name].float()).abs().max()) for name in first)


class StoppedError(Exception):
    pass


def stop_after_two_steps(done, total, means):
    if done == 2:
        raise StoppedError


@pytest.fixture(scope="module")
def runs(tuning_in, tmp_path_factory):
    """The same run on one process, on two, and on one that stops and two that go on, all finished; two start once.

    On one thread as `launch` has, since Adam's first steps magnify rounding.
    """
    folder, threads = tmp_path_factory.mktemp("runs"), torch.get_num_threads()
    configs = {name: tuning_in(folder / name).replace(validate_every=3) for name in ("alone", "both", "continued")}
    torch.set_num_threads(1)
    train(configs["alone"])
    with pytest.raises(StoppedError):
        train(configs["continued"], progress=stop_after_two_steps)
    torch.set_num_threads(threads)
    script = str(Path(__file__).with_name("several_runs.py"))
    launch(script, written(configs["both"]), written(configs["continued"]))
    return configs


@pytest.fixture
def alone(runs):
    return runs["alone"]


def test_two_processes_train_what_one_trains(runs, alone, tiny_folder):
    """Sums of gradients are taken in another order, so weights agree to rounding; learning moved them far more."""
    both = runs["both"]
    weights = [Path(config.out) / "checkpoint-0000003" / "model.safetensors" for config in (alone, both)]
    assert largest_difference(*weights) < 5e-5
    assert largest_difference(*(Path(config.out) / UNET for config in (alone, both))) < 1e-3
    assert largest_difference(Path(alone.out) / UNET, tiny_folder / UNET.removeprefix("pipeline/")) > 1e-2
    logs = [(Path(config.out) / "log.jsonl").read_text().splitlines() for config in (alone, both)]
    assert len(logs[0]) == len(logs[1]) == 4  # written once, not by each process
    for one, two in zip(*(map(yaml.safe_load, lines) for lines in logs)):
        for name in ("loss", "change", "validation_error", "validation_change"):
            assert one.get(name, 0) == pytest.approx(two.get(name, 0), rel=1e-4)


@pytest.mark.slow
def test_sharded_weights_train_to_the_same_and_go_on_after_a_stop(tuning, alone, tmp_path):
    """FSDP over two processes, stopped after two of three steps and started again."""
    sharded = alone.replace(out=tuning.out, sample_every=3, sample_steps=2)
    script = str(Path(__file__).with_name("sharded_on_cpu.py"))
    launch(script, "train", "--config", written(sharded.replace(steps=2)))
    record = Path(sharded.out) / "config.json"  # the schedule is constant, so the first two steps are those of three
    record.write_text(record.read_text().replace('"steps": 2', '"steps": 3'))
    launch(script, "train", "--config", written(sharded))
    assert largest_difference(*(Path(config.out) / UNET for config in (alone, sharded))) < 1e-3
    assert (Path(sharded.out) / "samples" / "0000003.png").is_file()


def test_a_run_goes_on_with_another_number_of_processes(runs, alone):
    assert largest_difference(*(Path(config.out) / UNET for config in (alone, runs["continued"]))) < 1e-3


def test_processes_that_do_not_know_of_each_other_are_refused(tuning, monkeypatch):
    monkeypatch.setattr(processes.os, "environ", os.environ | {"WORLD_SIZE": "2"})
    with pytest.raises(
        ValueError, match="2 processes were launched to train together, but accelerate runs each by itself"
    ):
        processes.check_connected(1)
    processes.check_connected(2)
