"""An interrupted build continues and ends with the same bytes."""

import json
import os
import random
from pathlib import Path

import pytest
from build_cases import add_all_pairs, build, digest, kill, start, wait_for

from x2x_core.dataset import building, gathering
from x2x_core.dataset.layout import WORK, part_file


@pytest.mark.slow
def test_a_killed_build_continues_and_ends_with_the_same_bytes(copy, tmp_path):
    add_all_pairs(copy)
    whole = build(copy, tmp_path / "whole")
    out = tmp_path / "out"
    for file in (out / "build.json", part_file(out, 0)):
        process = start(copy, out)
        try:
            wait_for(lambda file=file, process=process: file.exists() or process.poll() is not None)
        finally:
            kill(process)
        assert not json.loads((out / "build.json").read_text())["complete"] and not (out / "instructions.csv").exists()
    parts = list((out / WORK / "parts").rglob("*.json"))
    assert parts and digest(out) != digest(whole)
    stamps = {path: path.stat().st_mtime_ns for path in parts}
    seen = []
    build(copy, out, progress=lambda done, total, note="": seen.append((done, total, note)))
    assert next(done for done, _, note in seen if note == "pairs") >= 8, "what was done is not done again"
    assert stamps and digest(out) == digest(whole)


@pytest.mark.parametrize("broken", ["write_table", "report_html", "dataset_card"])
def test_an_interruption_while_gathering_does_not_change_the_bytes(built, mimic_case, tmp_path, monkeypatch, broken):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gathering, broken, stop)
        with pytest.raises(KeyboardInterrupt):
            build(mimic_case, tmp_path / "out")
    assert not json.loads((tmp_path / "out" / "build.json").read_text())["complete"]
    build(mimic_case, tmp_path / "out")
    assert digest(tmp_path / "out") == digest(built)


def test_an_interruption_at_any_write_does_not_change_the_bytes(built, mimic_case, tmp_path, monkeypatch):
    """Time and again the file being written is left half written, beside its place or in it, and the process ends."""
    draw, replace, out, cuts = random.Random(4), os.replace, tmp_path / "out", 0
    monkeypatch.setattr(building, "PORTION", 2)  # the most that is done again

    def until(writes):
        def cut(source, target):
            nonlocal writes
            writes -= 1
            if writes < 0:
                if draw.random() < 0.5:
                    os.truncate(source, Path(source).stat().st_size // 2)
                else:
                    replace(source, target)
                raise KeyboardInterrupt
            replace(source, target)

        return cut

    while True:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", until(draw.randrange(20)))
            try:
                build(mimic_case, out)
                break
            except KeyboardInterrupt:
                cuts += 1
                assert cuts < 30
    assert cuts >= 4 and digest(out) == digest(built)


def test_an_unfinished_database_and_scratch_files_are_rebuilt(built, mimic_case, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def stop(database, vqa):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("x2x_core.dataset.database.load_questions", stop)
        with pytest.raises(KeyboardInterrupt):
            build(mimic_case, out)
    assert (out / WORK / "tables.partial").exists()
    (out / WORK / "scratch" / "99-a.png").write_bytes(b"half a file")
    build(mimic_case, out)
    assert digest(out) == digest(built)


def test_a_complete_build_is_not_touched(built, mimic_case):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    build(mimic_case, built)
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before
