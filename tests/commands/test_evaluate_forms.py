"""`x2x evaluate`: each command takes only its own options, and the forms of version 0.1 are translated."""

import pytest
import typer
from tiny_models import make_radiograph
from typer.main import get_command

from x2x_core.cli import main
from x2x_core.commands.evaluate import app
from x2x_core.commands.evaluate_forms import check_and_translate
from x2x_core.common.errors import InputError

COMMANDS = get_command(app).commands


def translate(*arguments):
    return check_and_translate(list(arguments), COMMANDS)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


TRANSLATIONS = [
    (["--simulated"], ["simulated"]),
    (["--simulated", "--ct", "ct", "--count", "9", "-o", "s"], ["simulated", "--ct", "ct", "--count", "9", "-o", "s"]),
    (["--ct", "ct", "--simulated", "--overwrite"], ["simulated", "--ct", "ct", "--overwrite"]),
    (["--simulated", "--benchmark", "-o", "out", "--workers", "2"], ["benchmark", "-o", "out", "--workers", "2"]),
    (["--benchmark", "--peers-count=5", "--simulated", "-oout"], ["benchmark", "--peers-count=5", "-oout"]),
    (["--simulated", "--ablation", "--parts", "--gallery", "g.png"], ["ablation", "--parts", "--gallery", "g.png"]),
    (["--ablation", "--published-settings"], ["ablation", "--published-settings"]),
    (["data", "--model", "m", "-o", "out"], ["dataset", "data", "--model", "m", "-o", "out"]),
    (["--model", "m", "data", "-oout", "--count", "2"], ["dataset", "--model", "m", "data", "-oout", "--count", "2"]),
    (["-o", "out", "./dataset", "--labels=l.csv"], ["dataset", "-o", "out", "./dataset", "--labels=l.csv"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), TRANSLATIONS)
def test_an_old_form_is_translated_with_one_line_that_names_the_new_form_and_its_end(capsys, old, new):
    assert translate(*old) == new
    printed, error = capsys.readouterr()
    (line,) = error.splitlines()
    assert (
        printed == "" and "deprecated and ends with version 0.3" in line and f"`x2x evaluate {' '.join(new)}`" in line
    )


@pytest.mark.parametrize(
    "form",
    [
        ["simulated", "--count", "3"],
        ["benchmark", "-o", "out", "--workers", "1"],
        ["ablation", "--parts", "--overwrite"],
        ["dataset", "data", "-o", "out"],
        ["simulated", "--no-such-option"],
        ["--help"],
        [],
    ],
)
def test_a_new_form_is_left_as_it_is_without_a_word(capsys, form):
    assert translate(*form) == form
    assert capsys.readouterr() == ("", "")


OWNERS = {
    "dataset": ["--findings-scorer", "--race-scorer", "--age-scorer", "--attributes-scorer",
                "--fid-features", "--segmenter", "--batch-size", "--identity", "--image-text", "--radiomics"],
    "ablation": ["--parts", "--peers", "--published-settings", "--figure", "--gallery"],
    "films": ["--reading-sheet", "--sheet-films", "--sheet-levels"],
}  # fmt: skip
SHARED = {
    "--labels": {"dataset", "films"},
    "--peers-count": {"benchmark", "films"},
    "--workers": {"benchmark", "films"},
    "--published-masks": {"benchmark", "ablation", "films"},
    "--data": {"simulated", "ablation"},
    "--ct": {"simulated", "benchmark", "ablation"},
    "--overwrite": {"simulated", "ablation", "reading"},
    "--split": {"dataset", "simulated", "ablation"},
}
OLD = {"dataset": ["data"], "simulated": ["--simulated"], "benchmark": ["--simulated", "--benchmark"],
       "ablation": ["--simulated", "--ablation"]}  # fmt: skip
REFUSALS = [
    (command, option)
    for option, users in {**{o: {owner} for owner, options in OWNERS.items() for o in options}, **SHARED}.items()
    for command in OLD
    if command not in users
]
WITHOUT_VALUE = {"--parts", "--peers", "--published-settings", "--overwrite", "--radiomics"}


@pytest.mark.parametrize(("command", "option"), REFUSALS)
def test_an_option_that_the_meaning_does_not_use_is_refused_in_both_forms(capsys, command, option):
    value = [] if option in WITHOUT_VALUE else ["1"]
    for form in ([command, *OLD["dataset"][: command == "dataset"]], OLD[command]):
        with pytest.raises(InputError, match=f"`{option}` is not an option of `x2x evaluate {command}`, only of"):
            translate(*form, option, *value)
    with pytest.raises(InputError, match="is not an option of"):
        translate(*OLD[command], *([option] if not value else [f"{option}=1"]))
    assert capsys.readouterr().err == ""  # no translation is announced that is then refused


def test_every_option_is_used_by_the_commands_that_say_so():
    used = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in COMMANDS.items()
    }
    for owner, options in OWNERS.items():
        for option in options:
            assert [name for name in used if option in used[name]] == [owner]
    for option, users in SHARED.items():
        assert {name for name in used if option in used[name]} == users
    arguments = {"-o", "dataset", "folder", "sheet", "key"}
    assert len(set.union(*used.values()) - arguments) == 35  # none is lost


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--simulated", "--benchmark", "--ablation"], "`--benchmark` and `--ablation` cannot be combined"),
        (["data", "--simulated"], "`DATASET` cannot be combined with `--simulated`, got 'data'"),
        (["data", "--benchmark"], "`DATASET` cannot be combined with `--benchmark`, got 'data'"),
        (["--model", "demo"], "requires a command: dataset, simulated, benchmark, ablation"),
    ],
)
def test_old_flags_that_contradict_each_other_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        translate(*arguments)


def test_a_folder_called_dataset_is_still_the_dataset(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert translate("dataset", "-o", "out") == ["dataset", "-o", "out"]  # the parser asks for DATASET
    (tmp_path / "dataset").mkdir()
    assert translate("dataset", "--model", "m", "-o", "out") == ["dataset", "dataset", "--model", "m", "-o", "out"]
    assert "`x2x evaluate dataset dataset --model m -o out`" in capsys.readouterr().err
    assert translate("dataset", "dataset", "-o", "out") == ["dataset", "dataset", "-o", "out"]
    assert capsys.readouterr().err == ""


def test_an_old_form_runs_from_the_command_line(capsys, tmp_path, tiny_folder):
    import cv2

    rows = ["split,instruction,past_dicom_id,current_dicom_id"]
    for kind, change in (("past", 0), ("current", 60)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        image = make_radiograph(64, 64) // 2
        image[35:50, 10:25] += change
        cv2.imwrite(str(tmp_path / "data" / kind / "0.png"), image)
    rows.append("val,Add the finding of edema.,0.png,0.png")
    (tmp_path / "data" / "instructions.csv").write_text("\n".join(rows) + "\n")
    options = ["--model", tiny_folder, "--data", tmp_path / "data", "--steps", 1]
    code, printed, error = run(capsys, "evaluate", "--simulated", *options)
    assert code == 0 and "precision" in printed and "use `x2x evaluate simulated --model" in error
    code, again, error = run(capsys, "evaluate", "simulated", *options)
    assert code == 0 and again == printed and "deprecated" not in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "dataset", "-o", "x"], "Missing argument 'DATASET'"),
        (["evaluate", "dataset", "data"], "Missing option"),
        (["evaluate", "benchmark"], "Missing option"),
        (["evaluate", "simulated", "--no-such-option"], "No such option: --no-such-option"),
        (["evaluate", "--simulated", "--benchmark"], "Missing option"),
    ],
)
def test_what_is_missing_or_unknown_is_said(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, _, error = run(capsys, *arguments)
    assert code == 2 and words in " ".join(error.split())


def test_without_a_command_the_help_names_all(capsys):
    _, printed, error = run(capsys, "evaluate")
    assert all(name in printed + error for name in COMMANDS)
    assert isinstance(app, typer.Typer) and list(COMMANDS) == [
        "dataset", "simulated", "benchmark", "ablation", "films", "reading",
    ]  # fmt: skip
