"""Text read from plain and compressed files."""

import gzip

import pytest

from x2x_core.common.storage import read_text, write_text


def test_compressed_text_is_read_as_plain_text(tmp_path):
    text = '{"error": "≤ 0.3"}\n'
    write_text(tmp_path / "record.json", text)
    (tmp_path / "record.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    assert read_text(tmp_path / "record.json") == read_text(tmp_path / "record.json.gz") == text


def test_what_its_suffix_does_not_say_is_refused(tmp_path):
    (tmp_path / "record.json.gz").write_text("{}")
    with pytest.raises(OSError, match="Not a gzipped file"):
        read_text(tmp_path / "record.json.gz")
