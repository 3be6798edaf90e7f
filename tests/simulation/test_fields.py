"""Lung fields beside a simulated dataset: where the lungs are seen, for the very bodies that were drawn."""

import cv2
import pytest
import torch

from x2x_core.simulation import dataset, fields
from x2x_core.simulation.dataset import body_generator, simulate_dataset
from x2x_core.simulation.fields import cavity, lung_fields, write_fields
from x2x_core.simulation.pairs import simulate_body
from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.settings import Resting, SimulationSettings
from x2x_core.simulation.thorax import segment_thorax

SPACING = (8.0, 8.0, 8.0)


@pytest.fixture(scope="module")
def thorax():
    return segment_thorax(phantom_ct(SPACING), SPACING)


def test_the_cavity_holds_both_lungs_and_what_lies_between(thorax):
    inside = cavity(thorax) > 0
    lungs = torch.maximum(thorax.lungs["right"].mask, thorax.lungs["left"].mask) > 0.5
    assert (inside | ~lungs).all() and inside.sum() > 1.1 * lungs.sum()


def test_fields_are_the_seen_part_of_the_same_body_s_lungs(thorax):
    for body in range(3):
        pair = simulate_body(thorax, body_generator(5, body), pairs=1, size=96)[0]
        drawn = lung_fields(thorax, body_generator(5, body), 96, pairs=1)
        assert drawn.shape == (2, 96, 96) and drawn.dtype == torch.bool
        for field, lung in zip(drawn, pair.masks[:2]):
            assert (field & lung).sum() > 0.93 * field.sum()
            assert 0.4 * lung.sum() < field.sum() < 0.97 * lung.sum()


def test_fields_are_of_the_body_whatever_stays_in_it(thorax):
    stays = Resting(("edema",), 1.0)  # draws more than the default, before the body's elastic variation
    pair = simulate_body(thorax, body_generator(5, 1), pairs=5, size=96, resting=stays)[0]
    drawn = lung_fields(thorax, body_generator(5, 1), 96, resting=stays)
    other = lung_fields(thorax, body_generator(5, 1), 96)
    assert not torch.equal(drawn, other)
    for field, lung, wrong in zip(drawn, pair.masks[:2], other):
        assert (field & lung).sum() > 0.93 * field.sum()
        assert (field & ~lung).sum() <= (wrong & ~lung).sum()


def test_fields_are_added_to_a_dataset_once(tmp_path, monkeypatch):
    for module in (dataset, fields):
        monkeypatch.setattr(module, "segment_thorax", lambda volume: segment_thorax(volume, SPACING))
    monkeypatch.setattr(dataset, "phantom_ct", lambda: phantom_ct(SPACING))
    folder = simulate_dataset("phantom", tmp_path / "set", SimulationSettings(7, seed=4, size=48), workers=1)
    told = []
    write_fields("phantom", folder, lambda done, total: told.append((done, total)))
    first = (folder / "fields" / "000000.png").read_bytes()
    assert told == [(1, 2), (2, 2)] and len(list((folder / "fields").iterdir())) == 2
    write_fields("phantom", folder, lambda done, total: told.append((done, total)))
    assert len(told) == 2 and (folder / "fields" / "000000.png").read_bytes() == first
    picture = cv2.imread(str(folder / "fields" / "000001.png"), cv2.IMREAD_COLOR)
    lungs = cv2.imread(str(folder / "masks" / "000001-0.png"), cv2.IMREAD_COLOR)
    for channel in (2, 1):
        assert ((picture[..., channel] > 0) & (lungs[..., channel] == 0)).sum() < 0.1 * (
            picture[..., channel] > 0
        ).sum()
    (folder / "simulation.json").write_text((folder / "simulation.json").read_text().replace("phantom", "another"))
    with pytest.raises(ValueError, match="`ct` must be the CT of the dataset"):
        write_fields("phantom", folder)


def test_a_folder_without_a_dataset_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no simulated dataset"):
        write_fields("phantom", tmp_path)
