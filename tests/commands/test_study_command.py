"""`x2x study`: made, analysed and planned from the command line; options that do not fit are refused."""

import json

import pytest
from statistics_published import RATINGS
from study_cases import answer_all, write_results

from x2x_core.cli import main
from x2x_core.study.definition import read_study


def run(*arguments):
    with pytest.raises(SystemExit) as left:
        main(["study", *map(str, arguments)])
    return left.value.code


def test_a_study_is_made_and_analysed(tmp_path, capsys):
    results = write_results(tmp_path / "results", films=3, methods=("only",))
    (tmp_path / "consent.txt").write_text("You may stop.\n")
    assert run("make", results, "-o", tmp_path / "study", "--readers", 2, "--task", "realism",
               "--consent", tmp_path / "consent.txt", "--title", "Pilot") == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert "Real or synthetic: 6 cases" in printed and "study-key.json: key, which no reader must see" in printed
    study = read_study(tmp_path / "study")
    assert (study.title, study.consent, len(study.readers)) == ("Pilot", "You may stop.", 2)
    (tmp_path / "study-answers").mkdir()
    for reader, rating in (("R1", "2"), ("R2", "5")):
        record = answer_all(study, reader, lambda part, case, rating=rating: {"realism": rating})
        (tmp_path / "study-answers" / f"{reader}.json").write_text(json.dumps(record))
    assert run("analyse", tmp_path / "study", "-o", tmp_path / "out", "--margin", 0.2) == 0
    printed = capsys.readouterr().out
    assert "3/6, 50 %" in printed and "equivalence to chance ± 0.2" in printed and "not for diagnosis" in printed
    assert json.loads((tmp_path / "out" / "analysis.json").read_text())["about"]["margin"] == 0.2
    assert run("analyse", tmp_path / "study", "-o", tmp_path / "out") == 2
    assert "already holds analysis.json" in capsys.readouterr().err


def test_a_table_of_ratings_is_compared_and_plans_a_study(tmp_path, capsys):
    assert run("analyse", RATINGS, "--covariance", "DeLong", "-o", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "A - B" in printed and "F = 2.91 with 1 and 3.7 degrees of freedom, p = 0.168" in printed
    record = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert record["sections"][0]["figures"]["comparison"]["p"] == pytest.approx(0.1681433828)
    assert run("power", RATINGS, "--difference", 0.1, "--readers", 5, "--cases", 80) == 0
    assert "5 readers" in capsys.readouterr().out
    assert run("power", RATINGS, "--margin", 0.2, "--readers", 5, "--cases", 400) == 0
    assert "Chance ± 0.2, A" in capsys.readouterr().out
    assert run("power", RATINGS) == 2
    assert "Give either `--difference` or `--margin`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("analyse", "none"), "There is no study and no table `none`"),
        (("analyse", RATINGS, "--key", "key.json"), "`--key` must be left out with a table of ratings"),
        (("make", "none", "-o", "study"), "There is no folder `none`"),
        (("make", ".", "-o", "study", "--readers", 0), "`--readers` must lie between 1 and 200, got 0"),
        (("make", ".", "-o", "study", "--consent", "none.txt"), "There is no file `none.txt` for the consent"),
        (("serve", "none"), "There is no study at `none`"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert words in capsys.readouterr().err
