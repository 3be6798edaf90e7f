"""Two sets of pictures by CheXGenBench's measures."""

import csv

import pytest
import torch
from bench_cases import BOX, picture, save

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.benches.sets import REAL, SYNTHETIC, SetNetworks, compare_sets, read_table


class Means:
    """Features: grey in four parts; and a fit that is 1."""

    name = "means"

    def features(self, images):
        return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)

    def similarity(self, images, texts):
        return torch.ones(len(images))


def write(folder, column, box):
    rows = [(column, "annotated_prompt")]
    for number in range(7):
        save(picture(number, box), folder / f"{number}.png")
        rows.append((f"{number}.png", f"report {number}"))
    rows.append(("0.png", "report 1"))  # a second picture of a prompt does not count
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / "table.csv"


@pytest.fixture
def tables(tmp_path):
    made = read_table(write(tmp_path / "made", "synthetic_filename", BOX), tmp_path / "made", SYNTHETIC)
    real = read_table(write(tmp_path / "real", "path", None), tmp_path / "real", REAL)
    return made, real


def test_all_measures_are_there(tables):
    means = Means()
    results = compare_sets(*tables, SetNetworks(means, means, means, means), {"command": "x2x"})
    found = results.rows[0].metrics
    assert all(metric.value is not None for metric in found.values()) and found["image_text"].value == 1
    assert found["fid"].value > 0 and found["fid"].n == 7 and results.about["size"] == "7 pictures in each set"
    same = compare_sets(tables[1], tables[1], SetNetworks(means, means, means, means), {}).rows[0].metrics
    assert same["fid"].value == pytest.approx(0, abs=1e-6) and same["patient_kept"].value == 1
    assert same["precision"].value == same["coverage"].value == 1 and same["frd"].value is None


def test_without_networks_measures_are_undefined_with_a_reason(tables):
    found = compare_sets(*tables, SetNetworks(), {}).rows[0].metrics
    assert all(metric.value is None and metric.note for metric in found.values())


def test_tables_that_do_not_fit_are_refused(tables, tmp_path):
    with pytest.raises(InputNotFoundError, match="no table"):
        read_table(tmp_path / "none.csv", tmp_path, REAL)
    with pytest.raises(InputError, match="must have a column path"):
        read_table(tmp_path / "made" / "table.csv", tmp_path / "made", REAL)
    (tmp_path / "real" / "3.png").unlink()
    with pytest.raises(InputNotFoundError, match="named in"):
        read_table(tmp_path / "real" / "table.csv", tmp_path / "real", REAL)
    with pytest.raises(InputError, match="two prompts in common"):
        compare_sets(tables[0], [], SetNetworks(), {})
