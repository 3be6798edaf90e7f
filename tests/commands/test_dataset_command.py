"""`x2x dataset` as its user meets it."""

import json

import pytest
from mimic_cases import make_mimic

from x2x_core.cli import main


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return make_mimic(tmp_path_factory.mktemp("mimic"), patients=1, size=64)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_a_dataset_is_built_and_then_checked(capsys, case, tmp_path):
    out = tmp_path / "set"
    words = ("dataset", "build", "--mimic", case.mimic, "--vqa", case.vqa, "--out", out, "--workers", 1)
    code, printed, error = run(capsys, *words, "--size", 64, "--registration", "rigid", "--schema", "v1")
    assert code == 0, error
    assert "2 of 3 difference rows kept, 2 of 3 pairs." in printed and "rejected, nothing_changed: 1" in printed
    assert json.loads((out / "build.json").read_text())["registration"] == "rigid"
    code, printed, _ = run(capsys, "dataset", "check", out, "-o", tmp_path / "check.json", "--workers", 1)
    assert code == 0 and "complete and readable" in printed and "splits: train 2" in printed
    assert json.loads((tmp_path / "check.json").read_text())["complete"]
    next((out / "past").iterdir()).unlink()
    code, printed, _ = run(capsys, "dataset", "check", out, "--workers", 1)
    assert code == 1 and "missing image: line" in printed and "complete and readable" not in printed
    code, _, error = run(capsys, *words)
    assert code == 2 and error.count("x2x: ") == 1 and "was built with another registration, schema, size" in error


def test_a_build_that_keeps_no_row_is_no_success(capsys, case, tmp_path):
    words = ("dataset", "build", "--mimic", case.mimic, "--vqa", case.vqa, "--out", tmp_path / "set", "--workers", 1)
    code, printed, error = run(capsys, *words, "--size", 64, "--registration", "rigid", "--min-overlap", 1)
    assert code == 1 and "0 of 3 difference rows kept" in printed
    assert error.strip().endswith("No row was kept: rejected.csv says why for each.")


def test_refusals_are_one_sentence(capsys, case, tmp_path):
    code, _, error = run(capsys, "dataset", "build", "--mimic", tmp_path, "--vqa", case.vqa, "--out", tmp_path / "o")
    assert code == 2 and "`--mimic` must be the folder of MIMIC-CXR-JPG" in error
    code, _, error = run(capsys, "dataset", "check", tmp_path)
    assert code == 2 and "There is no dataset at" in error
