"""Simulated datasets on disk: the pair layout, the exact ground truth, resuming, refusing to overwrite."""

import csv
import hashlib
import json

import cv2
import numpy as np
import pytest
import torch

from x2x_core.imaging.provenance import read_provenance
from x2x_core.language.instruction import Instruction
from x2x_core.simulation import dataset
from x2x_core.simulation.change_maps import decode_change, encode_change
from x2x_core.simulation.dataset import simulate_dataset
from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.settings import Resting, SimulationSettings
from x2x_core.simulation.thorax import segment_thorax

SETTINGS = SimulationSettings(7, seed=4, size=48, validation_share=0.5)


@pytest.fixture(autouse=True, scope="module")
def coarse_phantom():
    """Segment the phantom coarsely: these tests are about files."""
    patch = pytest.MonkeyPatch()
    patch.setattr(dataset, "phantom_ct", lambda: phantom_ct((8.0, 8.0, 8.0)))
    patch.setattr(dataset, "segment_thorax", lambda volume: segment_thorax(volume, (8.0, 8.0, 8.0)))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulate_dataset("phantom", tmp_path_factory.mktemp("sim") / "set", SETTINGS, workers=1)


def digest(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def rows_of(folder):
    with (folder / "instructions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_has_the_pair_layout(made):
    rows = rows_of(made)
    assert list(rows[0]) == ["split", "instruction", "past_dicom_id", "current_dicom_id"]
    assert len(rows) == 7 and [row["split"] for row in rows] == ["train"] * 5 + ["val"] * 2
    for row in rows:
        assert (made / "past" / row["past_dicom_id"]).is_file()
        assert (made / "current" / row["current_dicom_id"]).is_file()
        assert Instruction.parse(row["instruction"]).region == "findings"


def test_the_change_map_is_the_difference_of_the_images(made):
    for row in rows_of(made):
        name = row["past_dicom_id"]
        past, current = (cv2.imread(str(made / part / name), cv2.IMREAD_UNCHANGED) for part in ("past", "current"))
        change = decode_change(cv2.imread(str(made / "change" / name), cv2.IMREAD_UNCHANGED)).numpy()
        assert past.shape == (48, 48) and past.dtype == np.uint8
        assert abs(change - (current.astype(float) - past) / 255).max() < 1.01 / 255
        assert (change == 0).any()


def test_attributes_and_masks_are_written(made):
    lines = [json.loads(line) for line in (made / "attributes.jsonl").read_text().splitlines()]
    assert len(lines) == 7 and {"geometry", "film", "before", "after", "clauses"} <= set(lines[0])
    mask = cv2.imread(str(made / "masks" / lines[0]["file"]))
    assert mask.shape == (48, 48, 3) and set(np.unique(mask)) == {0, 255}


def test_every_image_is_marked_as_synthetic(made):
    for folder in ("past", "current", "change", "masks"):
        for file in (made / folder).iterdir():
            assert read_provenance(file)["synthetic"]


def test_an_interrupted_run_ends_with_the_same_bytes(made, tmp_path):
    out = tmp_path / "again"
    simulate_dataset("phantom", out, SETTINGS, workers=1)
    (out / "parts" / "000001.json").unlink()
    (out / "instructions.csv").unlink()
    for file in (out / "past").glob("000001*"):
        file.write_bytes(b"half a file")
    seen = []
    simulate_dataset("phantom", out, SETTINGS, workers=1, progress=lambda done, total: seen.append((done, total)))
    assert digest(out) == digest(made)
    assert seen == [(5, 7), (7, 7)]


def test_another_dataset_is_replaced_only_with_overwrite(made, tmp_path):
    before = digest(made)
    with pytest.raises(ValueError, match="was made with other settings"):
        simulate_dataset("phantom", made, SimulationSettings(7, seed=5, size=48))
    assert digest(made) == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="must be an empty folder"):
        simulate_dataset("phantom", tmp_path, SimulationSettings(1, size=48))
    out = simulate_dataset("phantom", tmp_path / "new", SimulationSettings(2, seed=1, size=48), workers=1)
    simulate_dataset("phantom", out, SimulationSettings(1, seed=2, size=48), workers=1, overwrite=True)
    assert len(rows_of(out)) == 1 and len(list((out / "past").iterdir())) == 1


def test_resting_findings_are_drawn_and_recorded(tmp_path):
    settings = SimulationSettings(5, seed=3, size=48, resting=Resting(("cardiomegaly",), 1.0))
    out = simulate_dataset("phantom", tmp_path / "hearts", settings, workers=1)
    record = json.loads((out / "simulation.json").read_text())
    assert record["resting"] == {"findings": ["cardiomegaly"], "share": 1.0}
    assert SimulationSettings.from_record(record) == settings
    without = SimulationSettings.from_record({key: value for key, value in record.items() if key != "resting"})
    assert without == SimulationSettings(5, seed=3, size=48)
    lines = [json.loads(line) for line in (out / "attributes.jsonl").read_text().splitlines()]
    assert len(lines) == 5
    for line in lines:
        assert "cardiomegaly" in {one["finding"] for one in line["before"] + line["after"]}
    with pytest.raises(ValueError, match="made with other settings"):
        simulate_dataset("phantom", out, SimulationSettings(5, seed=3, size=48), workers=1)


def test_sixteen_bits_per_pixel(tmp_path):
    out = simulate_dataset("phantom", tmp_path / "deep", SimulationSettings(1, size=48, bits=16), workers=1)
    assert cv2.imread(str(next((out / "past").iterdir())), cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_change_maps_are_exact_at_zero_and_at_the_ends():
    change = torch.tensor([-1.0, -0.5, 0.0, 0.25, 1.0])
    values = encode_change(change)
    assert values.dtype == np.uint16 and values[2] == 32768 and values[-1] == 65535 and values[0] == 1
    assert torch.allclose(decode_change(values), change, atol=2e-5)
    assert decode_change(values)[2] == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"count": 0}, "`count` must be at least 1"),
        ({"size": 8}, "`size` must be at least 32"),
        ({"version": "v3"}, "`version` must be one of v1, v2, mixed"),
        ({"bits": 12}, "`bits` must be 8 or 16"),
        ({"validation_share": 1.0}, "`validation_share` must lie in"),
        ({"version": "benchmark", "resting": Resting(("edema",))}, "`resting` does not apply to the version benchmark"),
    ],
)
def test_wrong_settings_are_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        SimulationSettings(**{"count": 1, **wrong})


def test_a_missing_ct_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="`ct` must be a folder"):
        simulate_dataset(tmp_path / "none", tmp_path / "out", SimulationSettings(1))
    assert not (tmp_path / "out").exists()
