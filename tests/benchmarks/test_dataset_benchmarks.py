"""The benchmarks of the dataset builder run, and measure what they say."""

import csv

import numpy as np
import pytest
from programs import load_program

from x2x_core.dataset.registration import Registration
from x2x_core.dataset.squares import Square


def test_the_error_of_a_registration_is_its_distance_from_the_truth():
    quality = load_program("benchmarks/registration_quality.py")
    true = quality.random_transform(np.random.default_rng(3))
    assert quality.error(true, true) == 0 and quality.error(true, Registration((1, 0, 0, 1), (0, 0))) > 1
    shifted = Registration(true.matrix, (true.shift[0] + 0.03, true.shift[1] - 0.04))
    assert quality.error(shifted, true) == pytest.approx(5)
    back = quality.inverse(quality.inverse(true))
    assert np.allclose(back.matrix, true.matrix) and np.allclose(back.shift, true.shift)


def test_exposure_keeps_filled_pixels_black():
    quality = load_program("benchmarks/registration_quality.py")
    square = Square(np.full((8, 8), 100, np.uint8), np.eye(8, dtype=bool))
    assert (quality.exposed(square, np.random.default_rng(0)).pixels[~square.valid] == 0).all()


def test_the_tables_have_the_rows_asked_for_and_can_be_built(tmp_path):
    throughput = load_program("benchmarks/dataset_throughput.py")
    mimic, vqa = throughput.write_tables(tmp_path, pairs=20, rows=85)
    with vqa.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 85 and sum(row["question_type"] == "difference" for row in rows) == 20
    result = throughput.timed_build(mimic, vqa, tmp_path / "out", 1)
    assert result["seconds"] > result["stages"]["pairs"][0] and result["memory"] > 50
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert reasons.count("nothing_changed") == 5 and reasons.count("missing_image") == 15
