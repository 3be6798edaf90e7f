"""Manifests, images and outputs that are not files of this machine."""

import zipfile

import fsspec
import pytest
from batch_cases import PROMPTS, digests, plan_rows, stub_batch, write_films, write_manifest
from fsspec.implementations.memory import MemoryFileSystem

from x2x_core.batch.manifest import read_manifest
from x2x_core.batch.opening import open_output
from x2x_core.batch.places import folder_of, is_remote, joined, local_path
from x2x_core.batch.plan import Defaults
from x2x_core.batch.remote_output import RemoteOutput
from x2x_core.batch.run import BatchSettings, run_batch
from x2x_core.common.errors import InputError, MissingExtraError


@pytest.fixture
def memory():
    """An empty file system in memory."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def copy_in(system, folder, root):
    for path in folder.iterdir():
        if path.is_file():
            system.pipe_file(f"{root}/{path.name}", path.read_bytes())


def copy_out(system, root, folder):
    for path in system.find(root):
        target = folder / str(path).removeprefix(root).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(system.cat_file(path))


def test_a_table_in_memory_gives_the_results_of_the_table_on_disk(memory, tmp_path):
    manifest = plan_rows(tmp_path / "films", 5)
    stub_batch(manifest, tmp_path / "whole")
    copy_in(memory, tmp_path / "films", "/in")
    for _ in range(2):  # the second finds everything done
        stub_batch("memory://in/edits.csv", "memory://out")
    copy_out(memory, "/out", tmp_path / "copy")
    assert digests(tmp_path / "copy") == digests(tmp_path / "whole")


def test_a_batch_in_memory_that_is_stopped_continues(memory, tmp_path, monkeypatch):
    manifest = plan_rows(tmp_path / "films", 6)
    stub_batch(manifest, tmp_path / "whole")
    write, left = type(memory).pipe_file, [0]

    def stop(self, path, value, **more):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        write(self, path, value, **more)

    monkeypatch.setattr(type(memory), "pipe_file", stop)
    for left[0] in (1, 2, 4, 7, 9, 13):
        with pytest.raises(KeyboardInterrupt):
            stub_batch(manifest, "memory://out")
    stub_batch(manifest, "memory://out")
    copy_out(memory, "/out", tmp_path / "copy")
    assert digests(tmp_path / "copy") == digests(tmp_path / "whole")


class LibraryError(Exception):
    """An error of a store's library, which is no `OSError`: no credentials, no connection."""


class Store(MemoryFileSystem):
    """A store with one bucket, "lab", whose library fails in the calls that are named in `failing`."""

    protocol = "store"
    store, pseudo_dirs, failing, made = {}, [""], set(), []

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("store:/"))

    def _call(self, name, *arguments, **more):
        if name in self.failing:
            raise LibraryError("Unable to locate\ncredentials")
        return getattr(super(), name)(*arguments, **more)

    def info(self, path, **more):
        if self._strip_protocol(path) == "/lab":
            return {"name": path, "size": 0, "type": "directory"}
        return self._call("info", path, **more)

    def find(self, path, *arguments, **more):
        return self._call("find", path, *arguments, **more)

    def cat_file(self, path, *arguments, **more):
        return self._call("cat_file", path, *arguments, **more)

    def rm_file(self, path):
        return self._call("rm_file", path)

    def pipe_file(self, path, value, **more):
        if not self._strip_protocol(path).startswith("/lab/"):
            raise FileNotFoundError("The specified bucket does not exist")
        return self._call("pipe_file", path, value, **more)

    def makedirs(self, path, exist_ok=False):
        self.made.append(path)


@pytest.fixture
def bucket(tmp_path):
    """A store that holds a manifest and its films in "store://lab/in"."""
    fsspec.register_implementation("store", Store, clobber=True)
    system = fsspec.filesystem("store", skip_instance_cache=True)
    for kept in (system.store, system.failing, system.made):
        kept.clear()
    plan_rows(tmp_path / "films", 2)
    copy_in(system, tmp_path / "films", "/lab/in")
    return system


@pytest.mark.parametrize("call", ["info", "find", "cat_file", "pipe_file"])
def test_errors_of_a_store_s_library_are_one_sentence(bucket, tmp_path, call):
    manifest = tmp_path / "films" / "edits.csv"
    stub_batch(manifest, "store://lab/out")
    bucket.failing.add(call)
    places = {
        "info": ["store://lab/in/edits.csv", "store://lab/in"],
        "find": ["store://lab/in"],
        "cat_file": ["store://lab/in/edits.csv"],
    }
    for place in places.get(call, ()):
        with pytest.raises(InputError, match=rf"`{place}` cannot be reached: Unable to locate credentials\. Check"):
            stub_batch(place, tmp_path / "out", Defaults(prompt=PROMPTS[0]))
    with pytest.raises(InputError, match=r"`store://lab/out` cannot be reached: Unable to locate credentials\. Check"):
        stub_batch(manifest, "store://lab/out")


def test_a_store_that_stops_answering_stops_the_batch_which_goes_on_when_it_answers(bucket, tmp_path, monkeypatch):
    manifest, commits = tmp_path / "films" / "edits.csv", []

    def stop(self, number, files):
        if commits:
            self._system.failing.update(("info", "find", "pipe_file"))
        commits.append(number)
        commit(self, number, files)

    commit = RemoteOutput.commit
    monkeypatch.setattr(RemoteOutput, "commit", stop)
    with pytest.raises(InputError, match="cannot be reached"):
        stub_batch(manifest, "store://lab/out")
    with pytest.raises(InputError, match="cannot be reached"):  # not taken for an empty place
        stub_batch(manifest, "store://lab/out")
    bucket.failing.clear()
    monkeypatch.setattr(RemoteOutput, "commit", commit)
    assert stub_batch(manifest, "store://lab/out").done == 2
    stub_batch(manifest, tmp_path / "whole")
    copy_out(bucket, "/lab/out", tmp_path / "copy")
    assert digests(tmp_path / "copy") == digests(tmp_path / "whole")


def test_a_bucket_that_is_not_there_is_not_made(bucket, tmp_path):
    with pytest.raises(InputError, match=r"`out` must be a place that can be written.*bucket does not exist"):
        stub_batch(tmp_path / "films" / "edits.csv", "store://lap/out")
    assert bucket.made == []


def test_an_image_that_cannot_be_reached_is_a_problem_of_its_row(bucket, tmp_path):
    write_manifest(tmp_path / "m.csv", [{"image": "store://lab/in/film-0.png", "prompt": PROMPTS[0]}])
    bucket.failing.add("info")
    with pytest.raises(InputError, match=r"1.*`store://lab/in/film-0\.png` cannot be reached"):
        stub_batch(tmp_path / "m.csv", tmp_path / "out")


def test_another_batch_in_memory_is_refused(memory, tmp_path):
    manifest = plan_rows(tmp_path, 2)
    stub_batch(manifest, "memory://out")
    with pytest.raises(InputError, match=r"made with another rows \(first in row 1: steps None, now 2\)"):
        stub_batch(manifest, "memory://out", Defaults(settings={"steps": 2}))
    memory.pipe_file("/other/mine.txt", b"mine")
    with pytest.raises(InputError, match="holds other files"):
        stub_batch(manifest, "memory://other")


def test_errors_in_memory_are_tried_again(memory, tmp_path):
    manifest = plan_rows(tmp_path, 2)
    manifest.write_text(manifest.read_text().replace(PROMPTS[1], "fail"))
    assert stub_batch(manifest, "memory://out").errors == 1
    assert stub_batch(manifest, "memory://out", retry_errors=True).errors == 1


def test_a_folder_in_a_zip_archive_and_a_file_url_are_read(tmp_path):
    plan_rows(tmp_path / "films", 3)
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for path in (tmp_path / "films").iterdir():
            archive.write(path, f"set/{path.name}")
    prompt = Defaults(prompt=PROMPTS[0])
    stub_batch(f"zip://set::{tmp_path}/films.zip", tmp_path / "a", prompt)
    (tmp_path / "films" / "edits.csv").unlink()
    url = (tmp_path / "films").as_uri()
    outcome = run_batch(read_manifest(url), open_output((tmp_path / "b").as_uri()), prompt, BatchSettings(load))
    assert outcome.done == 3 and digests(tmp_path / "a") == digests(tmp_path / "b")
    assert stub_batch(f"zip://set/edits.csv::{tmp_path}/films.zip", tmp_path / "c").done == 3


def test_a_table_and_films_at_the_root_of_a_zip_archive_are_read(tmp_path):
    films = write_films(tmp_path, 2)
    write_manifest(
        tmp_path / "edits.csv", [{"image": name, "prompt": PROMPTS[0]} for name in (films[0], f"./{films[1]}")]
    )
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for name in (*films, "edits.csv"):
            archive.write(tmp_path / name, name)
    assert stub_batch(f"zip://edits.csv::{tmp_path}/films.zip", tmp_path / "a").errors == 0
    outcome = stub_batch(f"zip://::{tmp_path}/films.zip", tmp_path / "b", Defaults(prompt=PROMPTS[0]))
    assert (outcome.done, outcome.errors) == (2, 0)


def load(model):
    from batch_cases import StubEdit

    return StubEdit()


def test_unsound_and_unknown_places_are_refused(tmp_path):
    with pytest.raises(InputError, match="zip:// is for inputs alone"):
        open_output("zip://out::a.zip")
    with pytest.raises((InputError, MissingExtraError), match="nothing://"):
        open_output("nothing://out")
    with pytest.raises(InputError, match="no manifest"):
        read_manifest("memory://nowhere/m.csv")
    with pytest.raises(InputError, match="no folder"):
        read_manifest("memory://nowhere")


def test_names_are_relative_to_the_place_of_the_table():
    assert joined("zip://a/b::c.zip", "d.png") == "zip://a/b/d.png::c.zip"
    assert joined("zip://::c.zip", "d.png") == "zip://d.png::c.zip"
    assert joined("zip://a::c.zip", "../b/./d.png") == "zip://b/d.png::c.zip"
    assert joined("s3://bucket/a", "memory://x.png") == "memory://x.png"
    assert folder_of("zip://a/m.csv::c.zip") == "zip://a::c.zip" and folder_of("s3://b/a/m.csv") == "s3://b/a"
    assert not is_remote("file:///a/b.png") and is_remote("file:///a.zip::x") and not is_remote("a/b.png")
    assert str(local_path("file:///a%20b/c.png")) == "/a b/c.png"
