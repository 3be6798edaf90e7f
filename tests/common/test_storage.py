"""Text read from plain and compressed files; files and folders that appear complete or not at all."""

import errno
import gzip
import os

import pytest

from x2x_core.common.errors import InputError, OutputExistsError
from x2x_core.common.storage import assembled_folder, read_text, write_folder, write_stream, write_text


def fail(*arguments):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_compressed_text_is_read_as_plain_text(tmp_path):
    text = '{"error": "≤ 0.3"}\n'
    write_text(tmp_path / "record.json", text)
    (tmp_path / "record.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    assert read_text(tmp_path / "record.json") == read_text(tmp_path / "record.json.gz") == text


def test_what_its_suffix_does_not_say_is_refused(tmp_path):
    (tmp_path / "record.json.gz").write_text("{}")
    with pytest.raises(OSError, match="Not a gzipped file"):
        read_text(tmp_path / "record.json.gz")


def test_a_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    files, target = {"a.png": b"1" * 5000, "b.json": b"{}"}, tmp_path / "edits" / "000" / "000007"
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(InputError, match="must be a place that can be written"):
            write_folder(target, files, tmp_path / "scratch")
    assert not target.exists() and list((tmp_path / "scratch").iterdir()) == []
    write_folder(target, files, tmp_path / "scratch")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == files
    with pytest.raises(OutputExistsError, match=r"new or empty folder, but .*000007` is not\. It is left"):
        write_folder(target, {"a.png": b"2"}, tmp_path / "scratch")
    assert (target / "a.png").read_bytes() == files["a.png"] and list((tmp_path / "scratch").iterdir()) == []


def test_leftovers_of_a_killed_process_of_the_same_number_are_not_taken_over(tmp_path):
    leftover = tmp_path / f".new.{os.getpid()}.partial"
    leftover.mkdir()
    (leftover / "half.png").write_bytes(b"1")
    write_folder(tmp_path / "new", {"a.png": b"2"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_a_folder_that_is_filled_meanwhile_is_left_as_it_is(tmp_path):
    target = tmp_path / "new"
    target.mkdir()

    def fill_twice():
        with assembled_folder(target) as partial:
            (partial / "a.png").write_bytes(b"mine")
            (target / "a.png").write_bytes(b"another's")

    with pytest.raises(OutputExistsError, match="must be a new or empty folder"):
        fill_twice()
    assert (target / "a.png").read_bytes() == b"another's" and [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_stream_replaces_a_file_only_when_it_is_complete(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"before")

    def stop(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_stream(path, stop, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"] and path.read_bytes() == b"before"
    write_stream(path, lambda file: file.write(b"after"), tmp_path)
    assert path.read_bytes() == b"after"
