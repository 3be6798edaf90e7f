"""Batches on Ray: the same bytes from several processes, also if some of them are killed."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from batch_cases import PROMPTS, StubEdit, digests, plan_rows, stub_batch, table, write_films, write_manifest

from x2x_core.batch import ray_engine
from x2x_core.batch.plan import Shard
from x2x_core.batch.ray_engine import Ledger, RayEngine, check_engine
from x2x_core.batch.software import software
from x2x_core.commands.batch import load_edit
from x2x_core.common.errors import InputError

pytestmark = [
    pytest.mark.ray,
    pytest.mark.whole,
    # Ray leaves processes that it started to themselves.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


class SlowEdit(StubEdit):
    """Writes what it edits to a file named by its process in a folder, and takes a moment.

    Its process is killed by each edit of the prompt "die", and by the first one of each seed of `fatal`.
    """

    def __init__(self, folder, fatal):
        self.folder, self.fatal = folder, fatal

    def __call__(self, radiograph, call, is_shared):
        with (self.folder / f"{os.getpid()}").open("a") as file:
            file.write(f"{call.prompt}\n")
        met = self.folder.parent / f"met-{call.seed}"
        is_first = call.seed in self.fatal and not met.exists()
        met.touch()
        if call.prompt == "die" or is_first:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)
        return super().__call__(radiograph, call, is_shared)


class LoadSlow:
    """Loader of `SlowEdit`, to be sent to other processes."""

    def __init__(self, folder, fatal=()):
        self.folder, self.fatal = folder, fatal

    def __call__(self, model):
        return SlowEdit(self.folder, self.fatal)


class LoadDemo:
    """Loader of the demo checkpoint, whose edits leave the number of their process in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, model):
        demo = load_edit(None, "cpu", None, "demo")

        def edit(radiograph, call, is_shared):
            (self.folder / f"{os.getpid()}").touch()
            return demo(radiograph, call, is_shared)

        return edit


class CountThreads:
    """Loader of an edit that darkens by the number of PyTorch's threads."""

    def __call__(self, model):
        return self.edit

    @staticmethod
    def edit(radiograph, call, is_shared):
        return StubEdit()(radiograph, replace(call, seed=torch.get_num_threads()), is_shared)


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        roots = (Path(__file__).parents[1], Path(__file__).parents[2])  # of the tests and of the package
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, roots)))
        patch.setenv("RAY_raylet_start_wait_time_s", "900")  # on a busy machine, too
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield ray
        ray.shutdown()


def killing(folder):
    """Start a thread that kills one of the processes in a folder when there are two.

    Returns:
        The thread, and the list of those that it killed.
    """
    killed = []

    def kill():
        while len(list(folder.iterdir())) < 2:
            time.sleep(0.05)
        time.sleep(0.3)
        killed.append(int(next(folder.iterdir()).name))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread, killed


def test_several_processes_give_the_bytes_of_one_and_a_killed_one_loses_nothing(cluster, tmp_path):
    manifest, processes = plan_rows(tmp_path, 12, films=5), tmp_path / "processes"
    processes.mkdir()
    stub_batch(manifest, tmp_path / "whole")
    outcome = stub_batch(manifest, tmp_path / "out", load=LoadSlow(processes, fatal=(6, 9)), engine=RayEngine(2))
    assert (outcome.done, outcome.errors) == (12, 0)
    edits = [len(path.read_text().splitlines()) for path in processes.iterdir()]
    assert len(edits) >= 3 and sum(edits) == 12 + 2, "none but the two rows whose processes were killed is edited twice"
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_the_demo_gives_the_same_bytes_from_one_process_from_ray_and_from_shards(cluster, tmp_path):
    """With two threads, which round otherwise than the one that Ray gives its processes."""
    manifest, processes, before = plan_rows(tmp_path, 8, films=3), tmp_path / "processes", torch.get_num_threads()
    processes.mkdir()
    load = {"load": LoadDemo(processes), "threads": 2}
    try:
        stub_batch(manifest, tmp_path / "whole", **load)
        for index in (2, 1):
            stub_batch(manifest, tmp_path / "shards", **load, shard=Shard(index, 2))
        (processes / f"{os.getpid()}").unlink()
        thread, killed = killing(processes)
        stub_batch(manifest, tmp_path / "ray", **load, engine=RayEngine(2))
        thread.join()
    finally:
        torch.set_num_threads(before)
    assert len(killed) == 1
    assert digests(tmp_path / "ray") == digests(tmp_path / "shards") == digests(tmp_path / "whole")


def test_every_process_has_as_many_threads_as_this_one(cluster, tmp_path):
    manifest, before = plan_rows(tmp_path, 3), torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        stub_batch(manifest, tmp_path / "here", load=CountThreads())
        stub_batch(manifest, tmp_path / "ray", load=CountThreads(), engine=RayEngine(2))
    finally:
        torch.set_num_threads(before)
    assert digests(tmp_path / "ray") == digests(tmp_path / "here")


def test_a_row_that_ends_its_process_gets_an_error_and_the_others_are_done(cluster, tmp_path):
    names = write_films(tmp_path, 2)
    rows = [{"image": names[number % 2], "prompt": prompt} for number, prompt in enumerate((*PROMPTS, "die"))]
    manifest, processes = write_manifest(tmp_path / "m.csv", rows), tmp_path / "processes"
    processes.mkdir()
    outcome = stub_batch(manifest, tmp_path / "out", load=LoadSlow(processes), engine=RayEngine(2, retries=1))
    assert (outcome.done, outcome.errors) == (3, 1)
    assert table(tmp_path / "out")[2]["error"] == "The process that edited this row ended, 2 times."
    edited = [prompt for path in processes.iterdir() for prompt in path.read_text().splitlines()]
    assert sorted(edited) == sorted((*PROMPTS, "die", "die")), "the row before it in its block is not edited again"


def test_an_error_of_loading_stops_the_batch_with_its_message(cluster, tmp_path):
    class Refuse:
        def __call__(self, model):
            raise InputError("`model` must be another one.")

    with pytest.raises(InputError, match="must be another one"):
        stub_batch(plan_rows(tmp_path, 2), tmp_path / "out", load=Refuse(), engine=RayEngine(1))


def test_a_process_with_other_code_stops_the_batch(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "software", lambda: {**software(), "code": "changed since"})
    with pytest.raises(InputError, match="the code of x2x_core"):
        stub_batch(plan_rows(tmp_path, 2), tmp_path / "out", engine=RayEngine(1))
    assert not list((tmp_path / "out").glob("edits/*/*"))


def test_the_ledger_counts_the_processes_that_ended_in_a_row():
    ledger = Ledger()
    assert [ledger.begin(1), ledger.begin(1), ledger.begin(2)] == [0, 1, 0]
    ledger.end(2)
    assert ledger.begin(2) == 0, "its process ended in another row"
    ledger.write(1)
    assert ledger.begin(1) is None


@pytest.mark.parametrize(("name", "workers"), [("slurm", None), ("local", 2), ("ray", 0)])
def test_engines_are_checked(name, workers):
    with pytest.raises(InputError):
        check_engine(name, workers)
