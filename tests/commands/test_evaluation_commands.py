"""`x2x evaluate benchmark`, `x2x report` and `x2x audit` on the command line: what they refuse, what they write."""

import json
from dataclasses import make_dataclass
from functools import partial

import pytest
from film_cases import write_films
from PIL import Image
from tiny_models import make_radiograph

from x2x_core.cli import main
from x2x_core.commands.loading import load_pipeline
from x2x_core.evaluation.benchmark import film_settings, settings
from x2x_core.evaluation.benchmark.settings import BenchmarkSettings


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(one) for one in arguments])
    said = capsys.readouterr()
    return stopped.value.code, said.out, said.err


@pytest.fixture
def small_pairs(monkeypatch):
    """Let the benchmarks use pairs of 64 pixels to a side; their commands have no option for it."""
    for module, name in ((settings, "BenchmarkSettings"), (film_settings, "FilmSettings")):
        small = make_dataclass(name, [("size", int, 64)], bases=(getattr(module, name),), frozen=True)
        monkeypatch.setattr(module, name, small)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "benchmark", "--count", "7", "-o", "{new}"], "`--count` must be a multiple of 5"),
        (["evaluate", "dataset", "{folder}", "-o", "{new}", "--count", "0"], "`--count` must be at least 1, got 0"),
        (["evaluate", "dataset", "{folder}", "-o", "{new}", "--batch-size", "0"], "`--batch-size` must be at least 1"),
        (["evaluate", "simulated", "--count", "0"], "`--count` must be at least 1, got 0"),
        (["evaluate", "simulated", "--ct", "phantom", "--data", "{folder}"], "`--ct` and `--data` cannot be combined"),
        (["evaluate", "ablation", "--split", "val"], "`--split` requires `--data`"),
        (["report", "{folder}"], "There is no record of an evaluation in"),
        (["audit", "{new}", "--findings", "edema", "-o", "{new}"], "There is no image or folder"),
        (["audit", "{image}", "--findings", "hernia", "-o", "{new}"], "`--findings` must be labels of"),
        (["audit", "{image}", "--findings", "edema", "--side", "up", "-o", "{new}"], "`--side` must be one of"),
        (["audit", "{image}", "--findings", "edema", "-o", "{folder}"], "holds other files"),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(capsys, tmp_path, tiny_folder, arguments, words):
    (tmp_path / "folder").mkdir()
    image = tmp_path / "folder" / "a.png"
    Image.fromarray(make_radiograph()).save(image)
    places = {"{new}": tmp_path / "new", "{folder}": tmp_path / "folder", "{image}": image}
    model = ["--model", tiny_folder] if arguments[0] == "audit" else []
    code, _, error = run(capsys, *[places.get(one, one) for one in arguments], *model)
    assert code == 2 and words in error and not (tmp_path / "new").exists()


def test_the_benchmark_runs_and_its_report_is_rebuilt(capsys, tmp_path, tiny_folder, coarse_phantom, small_pairs):
    out = tmp_path / "run"
    command = ["evaluate", "benchmark", "--model", tiny_folder, "--count", 5, "--steps", 1, "--workers", 1]
    code, printed, error = run(capsys, *command, "-o", out)
    assert code == 0, error
    record = json.loads((out / "evaluation.json").read_text())
    assert len(record["rows"]) == 10 and record["about"]["readers"]
    assert record["rows"][0]["metrics"]["attribute_shift"]["value"] > 0
    page = (out / "report.html").read_bytes()
    assert str(out / "report.html") in printed
    assert run(capsys, "report", out, "--no-figures")[0] == 0 and (out / "report.html").read_bytes() == page


def test_films_are_evaluated_and_read(capsys, tmp_path, tiny_folder, small_pairs):
    films, out, sheet = write_films(tmp_path / "films", ["a.png"], 64), tmp_path / "run", tmp_path / "sheet"
    command = ["evaluate", "films", films, "--model", tiny_folder, "--steps", 1, "--workers", 1, "-o", out]
    code, printed, error = run(capsys, *command, "--peers-count", 0, "--reading-sheet", sheet, "--sheet-films", 1)
    assert code == 0, error
    assert "1 films can be used" in printed and "Median seconds to an edit: ours " in printed
    assert printed.count("not for diagnosis") >= 1 and str(out / "reading" / "key.json") in printed
    record = json.loads((out / "evaluation.json").read_text())
    assert record["about"]["kind"] == "benchmark on films" and record["about"]["films"]["suitable"] == 1
    assert (out / "report.html").is_file() and (sheet / "README.txt").is_file()
    rows = [f"{picture.name},,,nothing" for picture in sorted((sheet / "part1").iterdir())]
    (sheet / "part1.csv").write_text("\n".join(["picture,finding,side,visibility", *rows]) + "\n")
    key = out / "reading" / "key.json"
    code, printed, error = run(capsys, "evaluate", "reading", sheet, key, "-o", tmp_path / "graded")
    assert code == 0, error
    assert "Not visible" in printed and "16/16 (81 to 100 %)" in printed
    graded = json.loads((tmp_path / "graded" / "evaluation.json").read_text())
    assert graded["about"]["kind"] == "reading" and (tmp_path / "graded" / "report.html").is_file()
    assert "already holds" in run(capsys, "evaluate", "reading", sheet, key, "-o", tmp_path / "graded")[2]


def test_an_audit_writes_table_record_and_report(capsys, tmp_path, tiny_folder):
    image = tmp_path / "a.png"
    Image.fromarray(make_radiograph()).save(image)
    code, printed, error = run(
        capsys, "audit", image, "--findings", "edema", "--model", tiny_folder, "-o", tmp_path / "out"
    )
    assert code == 0, error
    assert "add, all" in printed and "trained on simulated radiographs alone" in printed
    assert (tmp_path / "out" / "audit.json").is_file() and (tmp_path / "out" / "figures" / "findings.svg").is_file()


def test_settings_and_loader_can_be_pickled():
    import pickle

    load = partial(load_pipeline, "demo", None, "cpu", "float32")
    chosen = BenchmarkSettings(count=5)
    assert pickle.loads(pickle.dumps((chosen, load)))[0] == chosen


def test_a_dataset_is_edited_scored_and_continued(capsys, tmp_path, tiny_folder):
    rows = ["split,instruction,past_dicom_id,current_dicom_id", "test,Add the finding of edema.,0.png,0.png"]
    for kind, change in (("past", 0), ("current", 60)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        image = make_radiograph(64, 64) // 2
        image[35:50, 10:25] += change
        Image.fromarray(image).save(tmp_path / "data" / kind / "0.png")
    (tmp_path / "data" / "instructions.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "out"
    options = ["--model", tiny_folder, "--steps", 1, "--findings-scorer", "bundled", "-o", out]
    code, printed, error = run(capsys, "evaluate", "dataset", tmp_path / "data", *options)
    assert code == 0, error
    assert "Pathology AUROC (%)" in printed and str(out / "evaluation.json") in printed
    record = json.loads((out / "evaluation.json").read_text())
    about = record["about"]
    assert about["split"] == "test" and about["settings"] == {"num_inference_steps": 1} and about["scorers"]["findings"]
    assert len(about["weights_sha256"]) == 64 and about["versions"] and record["rows"][0]["name"] == "edited"
    edited = next((out / "edited").glob("*.png"))
    before = edited.stat().st_mtime_ns
    code, _, error = run(capsys, "evaluate", tmp_path / "data", *options)  # the old form, on the same run
    assert code == 0 and "use `x2x evaluate dataset" in error and edited.stat().st_mtime_ns == before
    code, _, error = run(capsys, "evaluate", "dataset", tmp_path / "data", *options, "--seed", 3)
    assert code == 2 and "holds one of other settings" in error
