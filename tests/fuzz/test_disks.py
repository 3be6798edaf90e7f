"""A disk that is full or read-only, two runs on one folder, a clock that jumps: one sentence, nothing half-written."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from batch_cases import digests, plan_rows, stub_batch

from x2x_core.commands.outputs import fresh_folder, numbered_folder
from x2x_core.common.errors import InputError, OutputExistsError
from x2x_core.common.storage import write_bytes, write_files

FILES = {"a.png": b"1" * 30_000, "b.png": b"2" * 30_000, "result.json": b"{}"}


def mounted(folder: Path, *options: str):
    """Mount a small disk in memory, or skip the test where that is not permitted."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a disk requires permissions")


@pytest.fixture
def disk(tmp_path):
    """A disk of 80 KiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a disk requires Linux and root")
    folder = tmp_path / "disk"
    mounted(folder, "-o", "size=80k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_nothing_half_written(disk):
    with pytest.raises(InputError, match=r"`out` must be a place that can be written.*No space left"):
        write_files(disk, {**FILES, "c.png": b"3" * 30_000})
    assert list(disk.iterdir()) == []
    write_files(disk, FILES)
    with pytest.raises(InputError, match="No space left"):
        write_files(disk, {"a.png": b"4" * 30_000})
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == FILES


def test_a_full_disk_stops_a_batch_which_goes_on_when_there_is_room(disk, tmp_path):
    manifest = plan_rows(tmp_path, 6)
    stub_batch(manifest, tmp_path / "whole")
    with pytest.raises(InputError, match=r"No space left|disk is full|disk I/O error"):
        stub_batch(manifest, disk / "out")
    assert not [path for path in disk.rglob("edits/*/*") if not (path / "result.json").is_file()]
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    assert stub_batch(manifest, disk / "out").done == 6
    assert digests(disk / "out") == digests(tmp_path / "whole")


def test_a_place_that_becomes_read_only_is_named_and_left_as_it_is(disk, tmp_path):
    write_files(disk, {"a.png": b"1"})
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for write in (
        lambda: write_files(disk, {"a.png": b"2"}),
        lambda: fresh_folder(disk, (), overwrite=False),
        lambda: fresh_folder(disk / "new", (), overwrite=False),
        lambda: numbered_folder(disk),
        lambda: stub_batch(plan_rows(tmp_path, 1), disk / "out"),
    ):
        with pytest.raises(InputError, match=r"written|Read-only"):
            write()
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == {"a.png": b"1"}


def test_of_two_runs_on_one_folder_one_is_refused_and_nothing_is_mixed(tmp_path):
    """Each run found the folder empty before its edit."""
    start, outcomes = threading.Barrier(4), []
    scratches = [tmp_path.parent / f"{tmp_path.name}-{number}" for number in range(4)]
    [scratch.mkdir() for scratch in scratches]

    def run(number):
        start.wait()
        try:
            write_files(
                tmp_path, {name: f"{number}".encode() * 9 for name in FILES}, scratches[number], may_replace=False
            )
            outcomes.append(number)
        except OutputExistsError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    winners = [one for one in outcomes if isinstance(one, int)]
    assert len(winners) <= 1
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    if winners:
        assert found == {name: f"{winners[0]}".encode() * 9 for name in FILES}


def test_what_another_run_wrote_meanwhile_is_not_touched_and_nothing_of_ones_own_is_left(tmp_path):
    (tmp_path / "b.png").write_bytes(b"another run's")
    with pytest.raises(OutputExistsError, match="written by another run meanwhile"):
        write_files(tmp_path, FILES, may_replace=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b.png": b"another run's"}


def test_where_files_cannot_be_linked_existing_ones_are_not_replaced(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_files(tmp_path, FILES, may_replace=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == FILES
    with pytest.raises(OutputExistsError):
        write_files(tmp_path, FILES, may_replace=False)


def test_new_folders_of_runs_at_one_time_are_different(tmp_path):
    found, threads = [], []
    for _ in range(8):
        threads.append(threading.Thread(target=lambda: found.append(numbered_folder(tmp_path / "out"))))
        threads[-1].start()
    [thread.join() for thread in threads]
    assert len(set(found)) == 8 and sorted(path.name for path in found)[0] == "001"


@pytest.mark.parametrize("moment", [0.0, 1e9, 4e9])
def test_a_clock_that_jumps_changes_no_byte_of_a_batch(tmp_path, monkeypatch, moment):
    manifest = plan_rows(tmp_path, 2)
    stub_batch(manifest, tmp_path / "whole")
    monkeypatch.setattr(time, "time", lambda: moment)
    monkeypatch.setattr(time, "time_ns", lambda: int(moment * 1e9))
    stub_batch(manifest, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_single_file_that_does_not_fit_leaves_the_old_one(disk):
    write_bytes(disk / "a.json", b"old")
    with pytest.raises((InputError, OSError)):
        write_bytes(disk / "a.json", b"1" * 100_000)
    assert (disk / "a.json").read_bytes() == b"old"
