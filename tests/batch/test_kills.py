"""Batches that are killed: no row lost, none done twice, no half-written file, and in the end the same bytes."""

import functools
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from batch_cases import LOG, digests, plan_rows, stub_batch

from x2x_core.batch.output import WORK
from x2x_core.batch.plan import Shard

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
ROWS = 12
STALLED, DONE, FAILED = 0, 7, 8
# Calls by which files and folders get to the disk and to their places.
WRITES = ("fsync", "rename", "replace")
FILES = {"edited.png", "guidance_mask.png", "guidance_map.png", "panel.png", "result.json"}


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


def life(work, stall: int | None, seconds: float) -> bool:
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


@dataclass(frozen=True)
class Moments:
    """Moments at which a batch is killed: at a write drawn among the first ones, or after a time, each third kill."""

    writes: int
    seconds: float

    def draw(self, draw: random.Random, number: int) -> tuple[int | None, float]:
        """Return `stall` and `seconds` of a life; see `life`."""
        return None if number % 3 == 0 else draw.randrange(1, self.writes), draw.random() * self.seconds


@dataclass
class Kills:
    """Number of kills that hit a run in its work, and of those between a row's files and its place."""

    hits: int = 0
    unplaced: int = 0

    def __str__(self) -> str:
        return f"{self.hits} kills in their work, {self.unplaced} of them between a row's files and its place"


def committed(out: Path) -> set[int]:
    return {int(path.name) for path in out.glob("edits/*/*")}


def unplaced(out: Path) -> list[Path]:
    """Return the folders of rows whose files are all written, and that are not yet in their places."""
    return [path for path in out.glob(f"{WORK}/*/.*.partial") if {file.name for file in path.glob("*")} >= FILES]


def edited(log: Path) -> list[int]:
    return list(map(int, log.read_text().split())) if log.exists() else []


def check_folder(out: Path, log: Path, before: set[int], start: int) -> None:
    """Check that a life did no row again, and left no row half-written; seeds are the numbers of the rows."""
    now = edited(log)[start:]
    assert not before & set(now), "a row that was done was done again"
    assert len(set(now)) == len(now) and committed(out) >= before
    for folder in out.glob("edits/*/*"):
        assert {path.name for path in folder.iterdir()} >= FILES


def kill_until_done(run, out: Path, log: Path, draw: random.Random, moments: Moments, kills: int) -> Kills:
    """Kill a batch at random moments until it is done, or has been killed so often; then let it end."""
    found, is_done = Kills(), False
    while not is_done:
        before, start = committed(out), len(edited(log))
        is_done = life_to_its_end(run) if found.hits == kills else life(run, *moments.draw(draw, found.hits))
        found.hits += not is_done
        found.unplaced += bool(unplaced(out)) and not is_done
        check_folder(out, log, before, start)
    assert committed(out) == set(range(1, ROWS + 1))
    return found


def life_to_its_end(work) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1]) == DONE


def check_kills(run, folder: Path, log: Path, draw: random.Random, moments: Moments, kills: int) -> Kills:
    """Kill batches in their work, one after the other, until there were so many kills; compare all with `whole`.

    Args:
        run: edits the rows into a folder.
        folder: for the results; holds those of an undisturbed run in `whole`.
        log: numbers of the rows that were edited.
        draw: of the moments.
        moments: see `Moments`.
        kills: that hit a run in its work.
    """
    total, batches, expected = Kills(), 0, digests(folder / "whole")
    while total.hits < kills:
        out, batches = folder / f"out-{batches}", batches + 1
        found = kill_until_done(lambda out=out: run(out), out, log, draw, moments, kills - total.hits)
        total.hits, total.unplaced = total.hits + found.hits, total.unplaced + found.unplaced
        count = len(edited(log))
        assert life_to_its_end(lambda out=out: run(out)) and len(edited(log)) == count, "nothing was left to do"
        assert digests(out) == expected
        assert [path.name for path in (out / WORK).iterdir()] == ["lock.sqlite"], "nothing is left half-written"
    return total


def check_kills_of_stub(folder: Path, monkeypatch, kills: int, seed: int) -> Kills:
    manifest, log = plan_rows(folder, ROWS), folder / "log"
    stub_batch(manifest, folder / "whole")
    monkeypatch.setenv(LOG, str(log))
    run = functools.partial(stub_batch, manifest)
    return check_kills(run, folder, log, random.Random(seed), Moments(20, 0.1), kills)


def test_a_batch_that_is_killed_some_times_ends_with_the_same_bytes(tmp_path, monkeypatch):
    assert check_kills_of_stub(tmp_path, monkeypatch, 6, 0).hits == 6


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
def test_fifty_kills_of_a_batch_end_with_the_same_bytes(tmp_path, monkeypatch, figures, seed):
    kills = check_kills_of_stub(tmp_path, monkeypatch, 50, seed + 1)
    figures.append(f"Batches of a stand-in: {kills}")
    assert kills.hits == 50 and kills.unplaced >= 3


@pytest.mark.batch
def test_shards_that_are_killed_thirty_times_end_with_the_same_bytes(tmp_path, monkeypatch):
    manifest, log, draw, kills = plan_rows(tmp_path, ROWS), tmp_path / "log", random.Random(9), 0
    stub_batch(manifest, tmp_path / "whole")
    monkeypatch.setenv(LOG, str(log))
    batches = 0
    while kills < 30:
        out, left = tmp_path / f"out-{batches}", {1, 2, 3}
        while left and kills < 30:
            index, before, start = draw.choice(sorted(left)), committed(out), len(edited(log))
            if life(lambda out=out, i=index: stub_batch(manifest, out, shard=Shard(i, 3)), draw.randrange(1, 20), 0):
                left.remove(index)
            else:
                kills += 1
            check_folder(out, log, before, start)
        for index in left:
            stub_batch(manifest, out, shard=Shard(index, 3))
        batches += 1
        assert digests(out) == digests(tmp_path / "whole")


@pytest.mark.batch
@pytest.mark.whole
def test_fifty_kills_of_a_batch_with_the_demo_end_with_the_same_bytes(tmp_path, monkeypatch, figures):
    """The model is loaded once and inherited by the processes that are killed."""
    from x2x_core.batch.worker import PipelineEdit
    from x2x_core.commands.loading import load_pipeline

    torch.set_num_threads(1)
    edit, log = PipelineEdit(load_pipeline("demo", None, "cpu", None)), tmp_path / "log"
    manifest = plan_rows(tmp_path, ROWS)

    def logged(radiograph, call, is_shared):
        with log.open("a") as file:
            file.write(f"{call.seed}\n")
        return edit(radiograph, call, is_shared)

    def run(out):
        stub_batch(manifest, out, load=lambda model: logged)

    run(tmp_path / "whole")
    kills = check_kills(run, tmp_path, log, random.Random(5), Moments(20, 3), 50)
    figures.append(f"Batches with the demo: {kills}")
    assert kills.hits == 50 and kills.unplaced >= 3
