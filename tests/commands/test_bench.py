"""`x2x bench` on the command line: what it writes, and what it refuses."""

import json

import pytest
from bench_cases import write_medebench

from x2x_core.cli import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return stopped.value.code, said.out, said.err


def test_a_group_of_cases_is_edited_and_recorded_with_its_seed(capsys, tmp_path, tiny_folder):
    folder, out = write_medebench(tmp_path / "bench"), tmp_path / "run"
    chosen = ["--group", "Chest", "--count", 1, "--seed", 5, "--model", tiny_folder, "--steps", 1]
    code, printed, error = run(capsys, "bench", "medebench", folder, "-o", out, *chosen)
    assert code == 0, error
    record = json.loads((out / "evaluation.json").read_text())
    assert [case["id"] for case in record["cases"]] == ["1"] and record["about"]["seed"] == 5
    assert "1 cases" in printed and str(out / "evaluation.json") in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--count", 0], "`--count` must be at least 1, got 0"),
        (["--group", "Knee"], "`groups` must be among Chest, Teeth"),
        (["--image-text", "missing"], "There is no model of images and texts at `missing`"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(capsys, tmp_path, tiny_folder, options, words):
    folder, out = write_medebench(tmp_path / "bench"), tmp_path / "run"
    code, _, error = run(capsys, "bench", "medebench", folder, "-o", out, "--model", tiny_folder, *options)
    assert code == 2 and words in error and not out.exists()
