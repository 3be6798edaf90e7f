"""The benchmark of lung finders on films: blinded sheets, and their grading."""

import json
import sys

import cv2
import numpy as np
from programs import load_program

from x2x_core.common.bundled import bundled_path


def test_sheets_hide_the_finder_and_grading_counts_it(tmp_path, monkeypatch, capsys):
    benchmark = load_program("benchmarks/lung_films.py")
    films = tmp_path / "films"
    films.mkdir()
    for number in range(2):
        cv2.imwrite(str(films / f"{number}.png"), np.full((64, 64), 90, np.uint8))
    (tmp_path / "held.csv").write_text("file\n0.png\n1.png\n")
    weights, out = str(bundled_path("lungs")), str(tmp_path / "read")
    run = ["x", "sheets", str(films), "--list", str(tmp_path / "held.csv"), "--weights", weights, "-o", out]
    monkeypatch.setattr(sys, "argv", run)
    benchmark.main()
    key = json.loads((tmp_path / "read" / "key.json").read_text())
    assert sorted(entry["film"] for entry in key) == ["0.png", "1.png"] and (tmp_path / "read/sheet-000.png").is_file()
    (tmp_path / "wrong.txt").write_text("0\n")
    monkeypatch.setattr(sys, "argv", ["x", "grade", out, "--wrong", str(tmp_path / "wrong.txt")])
    benchmark.main()
    assert "1 of 2 outlines wrong (50.0%, 9.5% to 90.5%), 1 of them with a warning" in capsys.readouterr().out
