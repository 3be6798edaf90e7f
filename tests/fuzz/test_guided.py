"""Fuzzing guided by coverage: its cases are files that the targets know, and a short run finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_seeds import seeds, with_right_sums
from programs import load_program

PROGRAM = Path(__file__).with_name("guided.py")


@pytest.fixture(scope="module")
def guided():
    return load_program("tests/fuzz/guided.py")


def test_the_first_cases_are_the_seeds_under_their_names(guided):
    found = dict(guided.name_and_content("read", case) for case in guided.first_cases("read"))
    assert found == seeds("read") and len(found) < 128


def test_a_case_can_have_right_sums_and_any_length(guided):
    name, content = guided.name_and_content("read", bytes([128]) + b"\x89PNG\r\n\x1a\n" + bytes(12))
    assert name in seeds("read") and content == with_right_sums(b"\x89PNG\r\n\x1a\n" + bytes(12)) != bytes(20)
    assert guided.name_and_content("read", b"") == (sorted(seeds("read"))[0], b"")


def test_another_error_than_a_sentence_is_a_finding(guided, monkeypatch):
    guided.give("prompt", b"Please.")  # refused in a sentence
    monkeypatch.setitem(guided.TARGETS, "prompt", lambda text: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        guided.give("prompt", b"")


def test_a_short_run_finds_nothing(tmp_path):
    pytest.importorskip("atheris", reason="Atheris is not installed: `make fuzz` installs it")
    command = [sys.executable, PROGRAM, "prompt", "--cases", "60", "--findings", tmp_path / "findings"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Done" in done.stderr, done.stderr[-2000:]
    assert list((tmp_path / "findings").iterdir()) == []
