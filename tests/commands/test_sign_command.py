"""Signing at the command line: `x2x edit` with a key, `x2x verify` with trust, `x2x sign`."""

import json

import cv2
import numpy as np
import pytest
from signing_cases import write_chain
from x2x_runs import run

pytest.importorskip("c2pa")

WORDS = "Add the finding of moderate right pleural effusion."


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_an_edit_is_signed_verified_and_copied(capsys, monkeypatch, tmp_path, tiny_folder, radiograph, chain):
    radiograph.save(tmp_path / "chest.png")
    given = ("--model", tiny_folder, "--steps", 2)
    assert run(capsys, "edit", tmp_path / "chest.png", WORDS, *given, "-o", tmp_path / "bare")[0] == 0
    monkeypatch.setenv("X2X_SIGN_KEY", str(chain.key))
    options = ("--sign-certificate", chain.certificate)
    code, _, said = run(capsys, "edit", tmp_path / "chest.png", WORDS, *given, *options, "-o", tmp_path / "out")
    assert code == 0, said
    for name in ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png"):
        signed = tmp_path / "out" / name
        assert np.array_equal(read(signed), read(tmp_path / "bare" / name))
        code, printed, _ = run(capsys, "verify", signed, "--trust", chain.root, "--json")
        found = json.loads(printed)
        assert code == 0 and found["credential"]["is_trusted"] and found["credential"]["inputs"] == ["chest.png"]
    record = (tmp_path / "out" / "result.json").read_text()
    assert str(chain.key) not in record and "PRIVATE" not in record
    code, printed, _ = run(capsys, "verify", tmp_path / "bare" / "edited.png", "--trust", chain.root)
    assert code == 1 and "Content credential: NONE" in printed
    copy = tmp_path / "copy.jpg"
    assert run(capsys, "sign", tmp_path / "bare" / "edited.png", "-o", copy, *options)[0] == 0
    code, printed, _ = run(capsys, "verify", copy, "--trust", chain.root)
    assert code == 0 and WORDS in printed
    code, _, said = run(capsys, "sign", tmp_path / "bare" / "edited.png", "-o", copy, *options)
    assert code == 2 and "already exists" in said


def test_wrong_keys_are_refused_in_one_line_before_the_model_is_loaded(
    capsys, monkeypatch, tmp_path, radiograph, chain
):
    monkeypatch.delenv("X2X_SIGN_KEY", raising=False)
    radiograph.save(tmp_path / "chest.png")
    code, _, said = run(capsys, "edit", tmp_path / "chest.png", WORDS, "--model", "owner/none", "--sign-key", chain.key)
    assert code == 2 and "`--sign-key` requires `--sign-certificate`" in said and said.count("\n") == 1
    code, _, said = run(capsys, "sign", tmp_path / "chest.png", "-o", tmp_path / "a.png")
    assert code == 2 and "`--sign-key` and `--sign-certificate` must be given" in said
