"""`x2x batch` as its user meets it: the results of `x2x edit` for each row, one report, one line of progress."""

from dataclasses import fields

import numpy as np
import pytest
from batch_cases import PROMPTS, table, write_films, write_manifest
from dicom_cases import write as write_dicom

from x2x_core.batch.columns import SETTINGS
from x2x_core.cli import main
from x2x_core.commands.progress import _Pace, row_progress
from x2x_core.commands.setting_options import EditOptions


@pytest.fixture
def run(capsys, tiny_folder, tmp_path):
    """Return a function that runs `x2x COMMAND` with the tiny model; gives exit code, output and errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments), "--model", str(tiny_folder), "--steps", "2", "--relevance-samples", "1"])
        printed = capsys.readouterr()
        return left.value.code, printed.out, printed.err

    return run


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_row_has_the_bytes_of_the_same_edit(run, tmp_path, one_thread):
    film = write_films(tmp_path, 1, side=40)[0]
    values = np.random.default_rng(1).integers(0, 4096, (40, 32)).astype(np.uint16)
    write_dicom(tmp_path / "a.dcm", values, 12)
    rows = [
        {"image": film, "prompt": "Add a spiculated effusion.", "seed": "3"},
        {"image": "a.dcm", "prompt": PROMPTS[1], "edit_strength": "0.5", "mask_threshold": "0.3"},
    ]
    code, printed, error = run("batch", write_manifest(tmp_path / "m.csv", rows), "-o", tmp_path / "out")
    assert code == 0, error
    assert "2 of 2 rows are done, 0 with an error." in printed and "results.csv" in printed
    assert "Editing: 2 of 2" in error and "spiculated" not in error, "warnings are for the table"
    assert "spiculated" in table(tmp_path / "out")[0]["warnings"]
    run("edit", tmp_path / film, rows[0]["prompt"], "-o", tmp_path / "a", "--seed", 3)
    more = ("--edit-strength", "0.5", "--mask-threshold", "0.3")
    run("edit", tmp_path / "a.dcm", rows[1]["prompt"], "-o", tmp_path / "b", *more)
    for number, name in ((1, "a"), (2, "b")):
        assert files_of(tmp_path / "out" / f"edits/000/00000{number}") == files_of(tmp_path / name)


def test_problems_are_one_line_and_errors_have_a_code_of_their_own(run, tmp_path):
    film = write_films(tmp_path, 1)[0]
    rows = [{"image": film, "prompt": PROMPTS[0]}, {"image": "none.png", "prompt": PROMPTS[0], "mask_threshold": "2"}]
    manifest = write_manifest(tmp_path / "m.csv", rows)
    code, _, error = run("batch", manifest, "-o", tmp_path / "out")
    assert code == 2 and error.count("\n") == 1 and not (tmp_path / "out").exists()
    assert "1 of 2 rows cannot be edited: row 2: there is no file `none.png`; row 2: `--mask-threshold` must" in error
    code, printed, _ = run("batch", manifest, "-o", tmp_path / "out", "--skip-problems")
    assert code == 3 and "2 of 2 rows are done, 1 with an error." in printed


def test_a_folder_and_shards(run, tmp_path):
    write_films(tmp_path / "films", 2)
    words = ("batch", tmp_path / "films", "--prompt", PROMPTS[0], "-o", tmp_path / "out", "--composition", "decoded")
    code, printed, _ = run(*words, "--shard", "1/2")
    assert code == 0 and "1 of 2 rows are done" in printed and "written when all rows are done" in printed
    code, printed, _ = run(*words, "--shard", "2/2")
    assert (
        code == 0 and "results.csv" in printed and '"composition": "decoded"' in table(tmp_path / "out")[0]["settings"]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{new}.csv"], "There is no manifest"),
        (["{film}"], "There is no folder or table"),
        (["{films}"], "row 1: `--prompt` must say what to edit"),
        (["{films}", "--prompt", PROMPTS[0], "--shard", "3/2"], "`--shard` must be i/n"),
        (["{films}", "--prompt", PROMPTS[0], "--threads", "0"], "`--threads` must be at least 1"),
        (["{films}", "--prompt", PROMPTS[0], "--engine", "slurm"], "`--engine` must be local or ray"),
        (["{films}", "--prompt", PROMPTS[0], "--workers", "2"], "`--workers` requires `--engine ray`"),
        (["{films}", "--prompt", PROMPTS[0], "--no-dicom", "--burn-in"], "`--burn-in` is for DICOM results"),
        (["{films}", "--prompt", PROMPTS[0], "--identifiers", "some"], "`--identifiers` must be one of"),
        (["{films}", "--prompt", PROMPTS[0], "--pseudomasks", "{new}"], "There is no atlas"),
        (["{films}", "--prompt", PROMPTS[0], "--out", "zip://a::b.zip"], "`--out` must be a folder, or a URL"),
        (["{films}", "--prompt", PROMPTS[0], "--out", "{film}"], "`--out` must be a folder"),
    ],
)
def test_refusals(run, tmp_path, arguments, words):
    names = write_films(tmp_path / "films", 1)
    places = {"new": tmp_path / "new", "film": tmp_path / "films" / names[0], "films": tmp_path / "films"}
    code, _, error = run("batch", "-o", tmp_path / "out", *(argument.format(**places) for argument in arguments))
    assert code == 2 and words in error and error.count("\n") == 1, error


def test_every_setting_of_the_edit_command_is_a_column():
    assert {option.name for option in fields(EditOptions)} == set(SETTINGS)


def test_progress_in_a_log_is_a_line_now_and_then_with_rate_and_time_left(capsys, monkeypatch):
    moments = iter(range(0, 10_000, 10))
    monkeypatch.setattr("time.monotonic", lambda: float(next(moments)))
    with row_progress("Editing") as report:
        for done in range(9):
            report(done, 8, done // 4)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) < 8 and lines[-1].startswith("Editing: 8 of 8, ") and lines[-1].endswith("2 errors")
    assert "a minute, 0 h 0" in lines[0] and "min left" in lines[0]


def test_the_pace_counts_what_this_run_did(monkeypatch):
    moments = iter((0.0, 60.0))
    monkeypatch.setattr("time.monotonic", lambda: next(moments))
    pace = _Pace()
    assert pace.note(90, 400, 0, time_left=True) == ""
    moments = iter((0.0,))
    pace.start = -60.0
    assert pace.note(100, 400, 1, time_left=True) == "10.0 a minute, 0 h 30 min left, 1 errors"
