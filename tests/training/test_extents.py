"""Training of the extent finder: what it learns from a pair, and a run from end to end on tiny pictures."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.extent_finder import ExtentFinder
from x2x_core.pseudomasks.extent_network import OUTPUTS, PLEURA
from x2x_core.simulation.attributes import PairAttributes
from x2x_core.training.config import TrainingConfig
from x2x_core.training.extents.changes import one_finding, shown_changes
from x2x_core.training.extents.task import ExtentTask
from x2x_core.training.trainer import train

EDEMA, AIR = "edema", "pneumothorax"


def pair(before, after, changes=1, shown=()):
    return PairAttributes(frozenset(before), frozenset(after), {}, changes, frozenset(shown))


def test_only_pairs_that_differ_in_one_finding_are_learnt_from():
    assert one_finding(pair([], [EDEMA])).after and not one_finding(pair([EDEMA], [])).after
    assert one_finding(pair([EDEMA], [EDEMA])) is None
    assert one_finding(pair([], [EDEMA, AIR], changes=2)) is None
    assert one_finding(pair([AIR], [EDEMA], changes=2)) is None


def test_what_is_there_anyway_is_unknown_and_so_is_what_looks_alike():
    one = one_finding(pair([AIR], [AIR, EDEMA], shown=["pneumonia", EDEMA]))
    assert one.finding == EDEMA and one.unknown == {AIR, "pneumonia", "consolidation", "lung opacity"}
    assert {OUTPUTS[n] for n in one.known.logical_not().nonzero().flatten()} == {*one.unknown, PLEURA}


def test_air_darkens_and_ends_at_a_bright_pleura_and_other_findings_only_brighten():
    without, shown = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.7, 0.4]])
    air = shown_changes(without, shown, AIR)
    assert torch.allclose(air[AIR], torch.tensor([[0.0, 0.1]]))
    assert torch.allclose(air[PLEURA], torch.tensor([[0.2, 0.0]]))
    assert torch.allclose(shown_changes(without, shown, EDEMA)[EDEMA], torch.tensor([[0.2, 0.0]]))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Six pairs: a bright disk appears or disappears on a gradient."""
    folder = tmp_path_factory.mktemp("extents")
    for name in ("past", "current"):
        (folder / name).mkdir()
    rows, lines = [], []
    for number in range(6):
        name = f"{number:06d}-0.png"
        plain = np.tile(np.linspace(60, 120, 64).astype(np.uint8), (64, 1))
        disk = plain.copy()
        cv2.circle(disk, (20 + 4 * number, 32), 8, 190, -1)
        added = number % 2 == 0
        cv2.imwrite(str(folder / "past" / name), plain if added else disk)
        cv2.imwrite(str(folder / "current" / name), disk if added else plain)
        rows.append(("train", f"{'Add' if added else 'Remove'} the finding of edema.", name, name))
        states = {"before": [] if added else [{"finding": EDEMA}], "after": [{"finding": EDEMA}] if added else []}
        lines.append(json.dumps({"file": name, "geometry": {}, "film": {}, "clauses": [{}], **states}))
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("split", "instruction", "past_dicom_id", "current_dicom_id"), *rows])
    (folder / "attributes.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def config(data, tmp_path_factory):
    return TrainingConfig(
        task="extents", data=str(data), out=str(tmp_path_factory.mktemp("run") / "run"), size=32, steps=30,
        models={"channels": [8, 16, 16]}, batch_size=4, learning_rate=5e-3, warmup_steps=0, ema_decay=0.8, log_every=10,
        checkpoint_every=15, sample_every=30, augment={"rotation": 0},
    )  # fmt: skip


def test_a_sample_shows_its_finding_alone(config):
    task = ExtentTask(config)
    seen = [task.make(0, torch.Generator().manual_seed(seed)) for seed in range(20)]
    showing = [sample for sample in seen if sample["part"].any()]
    assert 8 < len(showing) < 20
    for sample in showing:
        changed = sample["part"].flatten(1).any(dim=1)
        assert [OUTPUTS[n] for n in changed.nonzero().flatten()] == [EDEMA]
        assert sample["view"].shape == (1, 32, 32) and sample["known"].all()


def test_it_learns_and_its_weights_find_the_disk(config):
    trained = train(config)
    losses = [json.loads(line)["loss"] for line in Path(config.out, "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.7 * losses[0]
    plain = np.tile(np.linspace(60, 120, 64, dtype=np.float32), (64, 1))
    disk = cv2.circle(plain.copy(), (40, 32), 8, 190, -1)
    found = ExtentFinder.load(trained / "extents.safetensors").find(torch.from_numpy(disk / 255)[None, None])[EDEMA]
    inside = torch.from_numpy(disk != plain)
    assert found[0, 0][inside].mean() > 3 * found[0, 0][~inside].mean()


def test_an_extent_finder_that_training_goes_on_from_takes_the_usual_changes_of_the_data(config, tmp_path):
    task = ExtentTask(config)
    usual = task.module.network.scale.clone()
    task.module.network.scale.fill_(7.0)
    task.save(task.module, tmp_path)
    again = ExtentTask(config.replace(init=str(tmp_path))).module.network
    assert torch.allclose(again.scale, usual)
    saved = task.module.network.state_dict()
    weights = {name: own for name, own in again.state_dict().items() if name != "scale"}
    assert all(torch.allclose(own, saved[name], atol=1e-3) for name, own in weights.items())


def test_data_without_such_pairs_are_refused(config, data, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "instructions.csv").write_text("split,instruction,past_dicom_id,current_dicom_id\n")
    (other / "attributes.jsonl").write_text("")
    with pytest.raises(InputError):
        ExtentTask(config.replace(data=str(other)))
