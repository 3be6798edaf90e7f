"""Training of the scorers: end to end on tiny pictures, exact resume, what the truth of a view is."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from x2x_core.scorers.bundled import ATTRIBUTES, ATTRIBUTES_FILE, FINDINGS_FILE, BundledScorer
from x2x_core.scorers.network import STRIDE, AttributeNetwork, FindingNetwork, renderings
from x2x_core.training.config import TrainingConfig
from x2x_core.training.config_files import find_config, load_config
from x2x_core.training.scorers.augmentation import edited_view
from x2x_core.training.scorers.calibration import youden_threshold
from x2x_core.training.scorers.localisation import finding_places
from x2x_core.training.scorers.task import FINDINGS, ScorersTask
from x2x_core.training.trainer import train

EFFUSION = FINDINGS.index("pleural effusion")


class StoppedError(Exception):
    """The run was interrupted."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Eight pairs: a bright patch is an effusion, and how far right it lies is `shift_x`."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("past", "current"):
        (folder / name).mkdir()
    rows, lines = [("split", "instruction", "past_dicom_id", "current_dicom_id")], []
    draws = np.random.default_rng(0)
    for number in range(8):
        name = f"{number:06d}-0.png"
        past = draws.integers(60, 90, (64, 64), dtype=np.uint8)
        current = past.copy()
        current[32:48, 8 + 4 * number : 24 + 4 * number] += 120
        cv2.imwrite(str(folder / "past" / name), past)
        cv2.imwrite(str(folder / "current" / name), current)
        rows.append(("train", "Add the finding of pleural effusion.", name, name))
        numbers = {key: draws.random() for key in ATTRIBUTES} | {"shift_x": 4.0 * number - 14}
        line = {"file": name, "before": [], "after": [{"finding": "pleural effusion"}], "clauses": [{}]}
        lines.append(json.dumps(line | {"geometry": numbers, "film": {}}))
    (folder / "attributes.jsonl").write_text("\n".join(lines) + "\n")
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def config(data, tmp_path_factory):
    return TrainingConfig(
        task="scorers", data=str(data), out=str(tmp_path_factory.mktemp("scorers") / "run"), size=64, steps=24,
        models={"channels": [8, 8, 16, 16]}, batch_size=4, learning_rate=5e-3, warmup_steps=0, ema_decay=0.5,
        log_every=4, checkpoint_every=12,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(config):
    return train(config)


def test_it_learns_and_its_weights_are_scorers(config, trained):
    losses = [json.loads(line)["loss"] for line in Path(config.out, "log.jsonl").read_text().splitlines()]
    assert len(losses) == 6 and losses[-1] < losses[0]
    findings, attributes = (BundledScorer.load(trained / name, "x") for name in (FINDINGS_FILE, ATTRIBUTES_FILE))
    assert findings.labels == FINDINGS and findings.kind == "probability" and findings.size == 64
    assert attributes.labels == ATTRIBUTES and attributes.kind == "value"
    assert {value.dtype for value in load_file(trained / FINDINGS_FILE).values()} == {torch.float16}
    scores = findings(torch.rand(2, 1, 80, 70))
    assert scores.shape == (2, 8) and 0 <= scores.min() <= scores.max() <= 1


def test_a_stopped_run_goes_on_to_the_same_weights_and_another_starts_from_them(config, trained, tmp_path):
    again = config.replace(out=str(tmp_path / "again"))

    def stop(done, total, means):
        if done == 16:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(again, progress=stop)
    folder = train(again)
    for name in (FINDINGS_FILE, ATTRIBUTES_FILE):
        first, second = load_file(trained / name), load_file(folder / name)
        assert all(torch.equal(first[key], second[key]) for key in first)
    started = ScorersTask(config.replace(init=str(trained)))
    assert torch.equal(started.module.findings.look.weight, load_file(trained / FINDINGS_FILE)["look.weight"].float())


def test_a_sample_has_the_findings_of_each_view_and_their_places(config, data):
    task = ScorersTask(config)
    orders = set()
    for seed in range(12):
        made = task.make(seed % task.length, torch.Generator().manual_seed(seed))
        assert made["finding_views"].shape == (2, 64, 64) and 0 <= made["finding_views"].min() <= 1
        assert made["present"].sum() == 1 and made["known"].all()
        there = int(made["present"][:, EFFUSION].argmax())
        orders.add(there)
        assert made["places"][there, EFFUSION].any() and made["places"].sum() == made["places"][there, EFFUSION].sum()
        assert made["places"].shape == (2, 8, 64 // STRIDE, 64 // STRIDE)
        brightest = made["finding_views"].amax((1, 2))
        assert brightest[there] > brightest[1 - there]
    assert orders == {0, 1}


def test_places_are_unknown_of_what_the_pair_does_not_show():
    pair = torch.zeros(2, 32, 32)
    pair[1, :8, :8] = 0.5
    present = torch.tensor([[0.0, 1, 1], [1, 1, 0]])
    places, known = finding_places(pair, present, changes=1)
    assert known.tolist() == [[1, 0, 1], [1, 0, 1]] and places[1, 0, 0, 0] == 1 and places[1, 0].sum() == 1
    assert places[0, 0].sum() == 0
    _, known = finding_places(pair, present, changes=2)
    assert known.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_the_turning_point_is_where_sensitivity_and_specificity_are_best():
    logits = torch.tensor([-3.0, -1.0, 0.0, 1.0, 2.0])
    assert youden_threshold(logits, torch.tensor([False, False, True, False, True])) == pytest.approx(-0.5)
    assert youden_threshold(logits, torch.tensor([False, False, False, True, True])) == pytest.approx(0.5)
    assert youden_threshold(logits, torch.ones(5, dtype=torch.bool)) == 0


def test_a_mirrored_view_has_mirrored_attributes(config):
    task = ScorersTask(config)
    values = task.pairs[0][1].values
    drawn = [
        task._attribute_sample(torch.zeros(1, 4, 4), values, torch.Generator().manual_seed(n))[1] for n in range(20)
    ]
    column, mean, spread = ATTRIBUTES.index("shift_x"), task.mean, task.std
    shifts = {round(float(one[column]) * spread[column] + mean[column], 3) for one in drawn}
    assert shifts == {-14.0, 14.0}
    other = ATTRIBUTES.index("scale_x")
    assert len({round(float(one[other]), 4) for one in drawn}) == 1


def test_edited_views_end_near_the_image_that_they_count_as():
    start, end = torch.full((1, 32, 32), 0.3), torch.full((1, 32, 32), 0.3)
    end[:, 10:22, 10:22] = 0.7
    views = [edited_view(start, end, torch.Generator().manual_seed(seed)) for seed in range(20)]
    assert all(0 <= view.min() <= view.max() <= 1 for view in views)
    assert all((view - end).abs().mean() < (view - start).abs().mean() for view in views)
    assert len({view.numpy().tobytes() for view in views}) > 10


def test_networks_have_their_outputs_and_renderings_ignore_contrast():
    view = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    logits, maps = FindingNetwork(3).forward_with_maps(view)
    assert logits.shape == (2, 3) and maps.shape == (2, 3, 16, 16) and AttributeNetwork(5)(view).shape == (2, 5)
    assert torch.allclose(renderings(view)[:, 1:], renderings(0.3 + 0.4 * view)[:, 1:], atol=1e-3)
    assert renderings(torch.full((1, 1, 64, 64), 0.3))[:, 1:].abs().max() < 1e-3


def test_the_committed_configuration_is_read():
    config = load_config(find_config("scorers"))
    assert config.task == "scorers" and config.size == 128
