"""`x2x explain` and `x2x edit --dry-run`: an instruction in words, before anything is made."""

import json

import pytest

from x2x_core.cli import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def test_explain_prints_clauses_places_and_what_is_left_out(capsys):
    code, printed, said = run(capsys, "explain", "add a small spiculated nodule on the rihgt")
    assert code == 0
    assert "add lung lesion: the patient's right, on the left of the picture, a zone that the edit draws" in printed
    assert "; level: small" in printed
    assert "'rihgt' was taken for 'right'" in printed and "'spiculated' not understood" in printed
    assert "spiculated" in said


def test_explain_prints_json(capsys):
    _, printed, _ = run(capsys, "explain", "左下葉に中等度の胸水を追加", "--json")
    record = json.loads(printed)
    assert record["language"] == "ja"
    assert record["canonical"] == "Add the finding of moderate pleural effusion in the left lower lung zone."


def test_explain_exits_with_2_where_an_edit_would_be_refused(capsys):
    code, printed, said = run(capsys, "explain", "add opacity in the azygos lobe")
    assert code == 2 and not printed and "'azygos'" in said
    assert run(capsys, "explain", "add opacity in the azygos lobe", "--no-strict")[0] == 0


def test_a_dry_run_explains_and_makes_nothing(capsys, tmp_path, radiograph):
    radiograph.save(tmp_path / "chest.png")
    out = tmp_path / "out"
    code, printed, _ = run(capsys, "edit", tmp_path / "chest.png", "add a left effusion", "--dry-run", "-o", out)
    assert code == 0 and "the patient's left, on the right of the picture" in printed and not out.exists()
    code, _, said = run(capsys, "edit", tmp_path / "chest.png", "add a leftish effusion", "--dry-run", "-o", out)
    assert code == 2 and "'leftish'" in said and not out.exists()


def test_a_dry_run_says_the_place_that_its_seed_draws(capsys, tmp_path, radiograph):
    radiograph.save(tmp_path / "chest.png")
    printed = {
        seed: run(capsys, "edit", tmp_path / "chest.png", "add consolidation", "--dry-run", "--seed", seed)[1]
        for seed in ("1", "2", "3", "4")
    }
    assert all("(drawn at random)" in text for text in printed.values()) and len(set(printed.values())) > 1
    _, open_place, _ = run(capsys, "edit", tmp_path / "chest.png", "add consolidation", "--dry-run", "--no-draw-place")
    assert "Understood: Add the finding of consolidation." in open_place and "(drawn" not in open_place
