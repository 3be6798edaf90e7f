"""Records on disk: those of version 0.1 read as the same numbers, and what is no record is refused."""

import json
from pathlib import Path

import pytest

from x2x_core.common.storage import read_text
from x2x_core.evaluation.recorded import read_record
from x2x_core.evaluation.results import UNEDITED, Metric, ResultRow, Results

DEMO = Path(__file__).parents[2] / "models" / "demo"


def test_the_recorded_ablation_keeps_its_numbers():
    record = json.loads(read_text(DEMO / "ablation.json.gz"))
    results = read_record(DEMO / "ablation.json.gz")
    rows = {row.name: row.metrics for row in results.rows}
    assert list(rows) == [*record["rows"], UNEDITED]
    for name, row in record["rows"].items():
        for key, value in row["values"].items():
            found = rows[name][key]
            assert (found.value, found.low, found.high, found.n) == tuple(
                value[k] for k in ("value", "low", "high", "count")
            )
    assert set(rows[UNEDITED]) == set(record["unedited"]) and len(results.cases) == len(record["pairs"]) == 40
    assert results.cases[3].scores == record["pairs"][3]["scores"]
    assert results.about["measures"] == record["measures"] and results.about["settings"] == record["settings"]


def test_a_record_of_today_is_read_as_it_is(tmp_path):
    results = Results({"title": "x"}, (ResultRow("edited", {"fid": Metric(1.0)}),))
    results.write_json(tmp_path / "r.json")
    assert read_record(tmp_path / "r.json") == results
    benchmark = read_record(DEMO / "benchmark.json.gz")
    assert benchmark == Results.read_json(DEMO / "benchmark.json.gz") and len(benchmark.rows) == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "must be JSON"),
        ("[]", "must have the layout of an evaluation"),
        ('{"rows": {"ours": {}}}', "must have the layout of an ablation"),
        ('{"rows": []}', "must have the layout of an evaluation"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, text, words):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_record(tmp_path / "bad.json")
    with pytest.raises(FileNotFoundError, match="no record of an evaluation"):
        read_record(tmp_path / "missing.json")
