"""The benchmark of a batch's rows: every row but the first is counted, with images shared or not."""

import json
import sys

import pytest
from batch_cases import StubEdit
from programs import load_program

from x2x_core.batch import run


@pytest.fixture
def bench(monkeypatch):
    module = load_program("benchmarks/batch_rows.py")
    monkeypatch.setattr(run, "sha256_weights", lambda path: "0" * 64)
    return module


def test_rows_are_counted_with_and_without_a_shared_image(bench, monkeypatch, tmp_path, capsys):
    shared = []

    class Watched(StubEdit):
        def __call__(self, radiograph, call, is_shared):
            shared.append(is_shared)
            return super().__call__(radiograph, call, is_shared)

    monkeypatch.setattr(bench, "load_edit", lambda *arguments: Watched())
    monkeypatch.setattr(sys, "argv", ["batch_rows.py", "--rows", "2", "--out", str(tmp_path / "a.json")])
    bench.main()
    record = json.loads((tmp_path / "a.json").read_text())
    assert shared == [False] * 3 + [True] * 3
    printed = capsys.readouterr().out
    for name in ("alone", "shared"):
        assert record[name]["rows"] == len(record[name]["seconds"]) == 2 and f"{name}: " in printed
        assert set(record[name]["memory_mib"]) == {"first", "last", "largest"}


def test_a_row_that_fails_ends_the_benchmark(bench):
    with pytest.raises(RuntimeError, match="failed"):
        bench.Watch()(1, 2, 1)
