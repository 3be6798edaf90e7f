"""Batches that are killed: no row lost, none done twice, no half-written file, and in the end the same bytes."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch
from batch_cases import LOG, digests, plan_rows, stub_batch

from x2x_core.batch.plan import Shard

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
ROWS = 12
STALLED, DONE, FAILED = 0, 7, 8
# Calls by which files and folders get to the disk and to their places.
WRITES = ("fsync", "rename", "replace")


def start(work) -> int:
    """Run `work` in a process of its own, and return its number."""
    child = os.fork()
    if child:
        return child
    try:
        torch.set_num_threads(1)
        work()
        os._exit(DONE)
    except BaseException:
        os._exit(FAILED)


def life(work, stall: int | None, seconds: float):
    """Run `work` in a process of its own and kill it; return True if it ended before.

    Args:
        work: what the process does.
        stall: number of the write at which it stops, before it or after it by turns, and is killed; ``None``: killed
            after `seconds`.
        seconds: time that it has otherwise.
    """
    read, write = os.pipe()

    def live():
        if stall is not None:
            stall_at(stall, write)
        work()

    child = start(live)
    os.close(write)
    if stall is None:
        time.sleep(seconds)
    else:
        os.read(read, 1)  # a byte at the stall, or the end
    os.close(read)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (DONE, -signal.SIGKILL), "the run failed"
    return code == DONE


def stall_at(number: int, write: int) -> None:
    """Make the process stop at a write, and say so."""
    count = 0

    def counting(call):
        def stalled(*arguments):
            nonlocal count
            count += 1
            if count == number and number % 2:
                call(*arguments)
            if count == number:
                os.write(write, b".")
                time.sleep(1000)
            return call(*arguments)

        return stalled

    for name in WRITES:
        setattr(os, name, counting(getattr(os, name)))


def committed(out: Path) -> set[int]:
    return {int(path.name) for path in out.glob("edits/*/*")}


def edited(log: Path) -> list[int]:
    return list(map(int, log.read_text().split())) if log.exists() else []


def kill_until_done(work, out: Path, log: Path, draw: random.Random, kills: int) -> None:
    """Kill a batch at random moments, then let it end; seeds are the numbers of the rows."""
    for number in range(kills + 1):
        before, start = committed(out), len(edited(log))
        if number == kills:
            assert life_to_its_end(work)
        else:
            stall = None if number % 3 == 0 else draw.randrange(1, 45)
            ended = life(work, stall, draw.random() * 0.3)
            if ended:  # the next life finds nothing to do, and must do nothing
                assert len(committed(out)) == ROWS
        now = edited(log)[start:]
        assert not before & set(now), "a row that was done was done again"
        assert len(set(now)) == len(now)
        for folder in out.glob("edits/*/*"):
            assert {path.name for path in folder.iterdir()} >= {"edited.png", "panel.png", "result.json"}
    assert committed(out) == set(range(1, ROWS + 1))


def life_to_its_end(work) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1]) == DONE


def check_kills(folder: Path, monkeypatch, kills: int, seed: int) -> None:
    manifest, out, log = plan_rows(folder, ROWS), folder / "out", folder / "log"
    stub_batch(manifest, folder / "whole")
    monkeypatch.setenv(LOG, str(log))
    kill_until_done(lambda: stub_batch(manifest, out), out, log, random.Random(seed), kills)
    assert digests(out) == digests(folder / "whole")
    assert [path.name for path in (out / ".work").iterdir()] == ["lock.sqlite"], "nothing is left half-written"


def test_a_batch_that_is_killed_some_times_ends_with_the_same_bytes(tmp_path, monkeypatch):
    check_kills(tmp_path, monkeypatch, 6, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_between_the_files_and_the_record_loses_nothing(tmp_path, moment):
    """A row's folder takes its place in one step: killed before it, the row is done again; after it, it is not."""
    manifest, out = plan_rows(tmp_path, 3), tmp_path / "out"
    read, write = os.pipe()

    def live():
        rename = os.rename

        def stop(*arguments):
            if moment == "after":
                rename(*arguments)
            os.write(write, b".")
            time.sleep(1000)

        os.rename = stop
        stub_batch(manifest, out)

    child = start(live)
    os.close(write)
    os.read(read, 1)
    os.close(read)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert committed(out) == ({1} if moment == "after" else set())
    assert list(out.glob(".work/whole/*")) != [] or moment == "after"
    stub_batch(manifest, out)
    stub_batch(manifest, tmp_path / "whole")
    assert digests(out) == digests(tmp_path / "whole")


@pytest.mark.batch
@pytest.mark.parametrize("seed", range(2))
def test_fifty_kills_of_a_batch_end_with_the_same_bytes(tmp_path, monkeypatch, seed):
    check_kills(tmp_path, monkeypatch, 50, seed + 1)


@pytest.mark.batch
def test_shards_that_are_killed_end_with_the_same_bytes(tmp_path, monkeypatch):
    manifest, out, log, draw = plan_rows(tmp_path, ROWS), tmp_path / "out", tmp_path / "log", random.Random(9)
    stub_batch(manifest, tmp_path / "whole")
    monkeypatch.setenv(LOG, str(log))
    for number in range(30):
        shard = Shard(number % 3 + 1, 3)
        life(lambda shard=shard: stub_batch(manifest, out, shard=shard), draw.randrange(1, 30), 0)
    for index in (1, 2, 3):
        stub_batch(manifest, out, shard=Shard(index, 3))
    assert digests(out) == digests(tmp_path / "whole")


@pytest.mark.batch
@pytest.mark.whole
def test_fifty_kills_of_a_batch_with_the_demo_end_with_the_same_bytes(tmp_path):
    """The model is loaded once and inherited by the processes that are killed."""
    from x2x_core.batch.worker import PipelineEdit
    from x2x_core.commands.loading import load_pipeline

    torch.set_num_threads(1)
    edit = PipelineEdit(load_pipeline("demo", None, "cpu", None))
    manifest, out, draw = plan_rows(tmp_path, ROWS), tmp_path / "out", random.Random(5)
    text = manifest.read_text().splitlines()
    manifest.write_text("\n".join([text[0] + ",steps,relevance_samples", *(line + ",1,1" for line in text[1:])]) + "\n")

    def run(folder):
        stub_batch(manifest, folder, load=lambda model: edit)

    run(tmp_path / "whole")
    for number in range(50):
        before = committed(out)
        life(lambda: run(out), None if number % 3 == 0 else draw.randrange(1, 45), draw.random() * 20)
        assert committed(out) >= before
    assert life_to_its_end(lambda: run(out)) and digests(out) == digests(tmp_path / "whole")
