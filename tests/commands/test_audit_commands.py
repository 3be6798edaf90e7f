"""`x2x audit`: its old form, and `x2x audit grounding` from images to the page."""

import csv
import json
import sys

import numpy as np
import pytest
import torch
from answerer_cases import stub_server
from PIL import Image
from tiny_models import make_radiograph
from typer.main import get_command
from typer.testing import CliRunner

from x2x_core.cli import app, main
from x2x_core.commands import audit_group


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(one) for one in arguments])
    said = capsys.readouterr()
    return stopped.value.code, said.out, said.err


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(make_radiograph()).save(path)
    return path


def test_without_a_command_the_audit_of_a_classifier_is_meant(monkeypatch):
    commands = get_command(app).commands["audit"].commands
    called = {}
    monkeypatch.setattr(commands["classifier"], "callback", lambda **options: called.update(options))
    group = get_command(audit_group.app)
    monkeypatch.setattr(group.commands["classifier"], "callback", lambda **options: called.update(options))
    for arguments in (["a", "--findings", "edema", "-o", "out"], ["--findings", "edema", "-o", "out", "a"]):
        called.clear()
        group.main(arguments, standalone_mode=False)
        assert called["findings"] == "edema" and [path.name for path in called["images"]] == ["a"]
        other = dict(called)
        group.main(["classifier", *arguments], standalone_mode=False)
        assert called == other


def test_help_lists_the_commands():
    text = CliRunner().invoke(app, ["audit", "--help"]).stdout
    assert "classifier" in text and "grounding" in text


def test_models_are_asked_and_the_report_is_written(capsys, tmp_path, tiny_folder, image, monkeypatch):
    program = tmp_path / "says_yes.py"
    program.write_text("import sys\nfor line in sys.stdin:\n    print('yes', flush=True)\n")
    out = tmp_path / "out"
    command = ["audit", "grounding", image, "--findings", "pleural effusion", "--side", "left", "--model", tiny_folder,
               "--levels", 1, "--medground", "-o", out]  # fmt: skip
    with stub_server(["No."]) as (address, requests):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        models = [
            "--answerer",
            "simple=bundled",
            "--answerer",
            "openai:stub",
            "--answerer",
            f"command:{sys.executable} {program}",
        ]
        code, printed, error = run(capsys, *command, *models)
        assert code == 0, error
        asked = len(requests)
        assert asked == 7 and run(capsys, *command, *models)[0] == 0 and len(requests) == asked
    assert "stub looks at the finding: no, 100% of the cases" in printed and "it ignores the image" in printed
    assert "trained on simulated radiographs alone" in printed
    record = json.loads((out / "grounding.json").read_text())
    assert [row["name"] for row in record["rows"]][1] == "stub" and record["about"]["model"] == str(tiny_folder)
    assert (out / "rows.parquet").is_file() and (out / "report.html").is_file()
    with (out / "rows.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3 * 6
    assert (out / "kept.csv").read_text().startswith("answerer,case,image")
    assert run(capsys, "report", out, "--no-figures")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{image}", "--answerer", "bundled"], "`IMAGES` and `--findings` are required"),
        (["{image}", "--questions", "{table}", "--answerer", "bundled"], "leave out `IMAGES`"),
        (["{image}", "--findings", "hernia", "--answerer", "bundled"], "`--findings` must be labels of"),
        (["{image}", "--findings", "edema", "--answerer", "nothing"], "`--answerer` must be 'bundled'"),
        (["{image}", "--findings", "edema", "--answerer", "bundled", "--levels", "2"], "`--levels` must be 1 or 3"),
        (["{image}", "--findings", "edema", "--answerer", "bundled", "--side", "up"], "`--side` must be one of"),
        (["{image}", "--findings", "edema", "--answerer", "bundled", "--mode", "population"], "`--added` must name"),
        (
            ["{image}", "--findings", "edema", "--answerer", "bundled", "--mode", "manifestation"],
            "`--keep-masks` must name",
        ),
        (["--questions", "{table}", "--answerer", "bundled"], "There is no table of questions"),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(capsys, tmp_path, image, arguments, words):
    places = {"{image}": image, "{table}": tmp_path / "none.csv"}
    code, _, error = run(
        capsys, "audit", "grounding", *[places.get(one, one) for one in arguments], "-o", tmp_path / "new"
    )
    assert code == 2 and words in error and not (tmp_path / "new").exists()


@pytest.mark.parametrize("mode", ["acquisition", "manifestation", "population"])
def test_shifts_are_tested_with_real_edits(capsys, tmp_path, tiny_folder, image, mode):
    (tmp_path / "keep").mkdir()
    Image.new("L", (64, 64)).save(tmp_path / "keep" / "a.png")
    more = {"manifestation": ["--keep-masks", tmp_path / "keep"], "population": ["--added", "edema, pneumothorax"]}
    command = ["audit", "grounding", image, "--findings", "pneumonia", "--answerer", "bundled", "--model", tiny_folder]
    code, printed, error = run(capsys, *command, "--mode", mode, *more.get(mode, []), "-o", tmp_path / "out")
    assert code == 0, error
    record = json.loads((tmp_path / "out" / "grounding.json").read_text())
    assert (
        record["about"]["title"] == f"{mode.capitalize()} shift" and len(record["about"]["verdict"]["sentences"]) == 1
    )
    with (tmp_path / "out" / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["kind"] for row in rows} == {"shifted"} and len(rows) == (2 if mode == "population" else 1)
    assert record["cases"][0]["files"]["after: shifted"] == rows[0]["file"] and "not shown" in printed


def test_explanations_are_measured_and_the_report_is_written(capsys, tmp_path, tiny_folder):
    folder = tmp_path / "pairs"
    for part, lesion in (("past", 0), ("current", 90)):
        (folder / part).mkdir(parents=True)
        picture = make_radiograph()
        picture[34:54, 6:30] = np.clip(picture[34:54, 6:30].astype(int) + lesion, 0, 255)
        Image.fromarray(picture).save(folder / part / "0.png")
    rows = ["split,instruction,past_dicom_id,current_dicom_id", "val,Add the finding of edema.,0.png,0.png"]
    (folder / "instructions.csv").write_text("\n".join(rows) + "\n")
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    torch.jit.trace(network, torch.zeros(1, 1, 8, 8)).save(str(tmp_path / "mean.pt"))
    (tmp_path / "mean.json").write_text('{"labels": ["edema"], "kind": "probability"}')
    command = ["audit", "attribution", "--data", folder, "--classifier", tmp_path / "mean.pt", "--model", tiny_folder]
    methods = [part for name in ("edit", "integrated gradients", "random") for part in ("--method", name)]
    code, printed, error = run(capsys, *command, *methods, "-o", tmp_path / "out")
    assert code == 0, error
    assert "1 images of 1 simulated bodies" in printed and (tmp_path / "out" / "report.html").is_file()
    record = json.loads((tmp_path / "out" / "attribution.json").read_text())
    assert [row["name"] for row in record["rows"]] == ["edit", "integrated gradients", "random"]
    code, _, error = run(capsys, *command, "--method", "guess", "-o", tmp_path / "new")
    assert code == 2 and "must be some of edit" in error and not (tmp_path / "new").exists()
