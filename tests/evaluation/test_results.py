"""The record of an evaluation: JSON there and back, CSV, and what it refuses."""

import csv
import json
import math

import pytest

from x2x_core.evaluation.results import CSV_COLUMNS, Case, Metric, ResultRow, Results


def make_results():
    row = ResultRow(
        "edited",
        {"fid": Metric(1.5, 1.0, 2.0, 7), "cmig": Metric(None, note="needs race_accuracy")},
        {"edema": {"fid": Metric(2.5, n=3)}},
        {"add": {"fid": Metric(3.5)}},
    )
    case = Case("0", "Add the finding of edema.", {"before": "../past/0.png"}, {"ssim": 0.5})
    return Results({"seed": 3, "notes": ["ä"]}, (row,), (case,))


def test_results_survive_a_round_trip_through_json(tmp_path):
    results = make_results()
    results.write_json(tmp_path / "r.json")
    assert Results.read_json(tmp_path / "r.json") == results
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["rows"][0]["metrics"]["cmig"] == {
        "value": None, "low": None, "high": None, "n": 0, "note": "needs race_accuracy"
    }  # fmt: skip
    assert record["cases"][0]["files"] == {"before": "../past/0.png"} and set(record) == {"about", "rows", "cases"}


def test_csv_holds_every_metric_one_a_line(tmp_path):
    make_results().write_csv(tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert tuple(lines[0]) == CSV_COLUMNS and len(lines) == 5
    assert lines[1] == ["edited", "overall", "", "fid", "1.5", "1.0", "2.0", "7", ""]
    assert lines[2][4:] == ["", "", "", "0", "needs race_accuracy"]
    assert [line[1:3] for line in lines[3:]] == [["finding", "edema"], ["operation", "add"]]


def test_what_is_no_number_or_no_record_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`value` must be a finite number, or None"):
        Metric(math.nan)
    with pytest.raises(ValueError, match="must have the layout of an evaluation"):
        Results.from_dict({"rows": []})
    with pytest.raises(FileNotFoundError, match="no record of an evaluation"):
        Results.read_json(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match="must be JSON"):
        Results.read_json(tmp_path / "bad.json")
