"""Tables line by line: plain and compressed, malformed lines, damaged files."""

import gzip

import pytest

from x2x_core.dataset.tables import read_records, whole_number


def write(path, text):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(text.encode())
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_columns_come_in_the_order_asked_for(tmp_path, name, start):
    table = write(tmp_path / name, start + 'b,a,c\r\n1, 2 ,"x, ""y"""\r\n\r\n3,4,z\n')
    records = list(read_records(table, ("a", "b"), ("c", "d")))
    assert [(record.row, record.values) for record in records] == [
        (2, ("2", "1", 'x, "y"', "")),
        (4, ("4", "3", "z", "")),
    ]


def test_a_malformed_line_affects_only_itself(tmp_path):
    table = write(tmp_path / "t.csv", 'a,b\n1,2\n"3,4\n5\n6,7,8\n\xff,9\n')
    records = list(read_records(table, ("a", "b")))
    assert [record.row for record in records] == [2, 3, 4, 5, 6]
    assert [bool(record.problem) for record in records] == [False, True, True, True, False]
    assert records[1].line == '"3,4' and "1 fields instead of 2" in records[2].problem


def test_a_missing_column_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="must be a table with the columns a, z, but lacks z"):
        list(read_records(write(tmp_path / "t.csv", "a,b\n"), ("a", "z")))
    with pytest.raises(ValueError, match="lacks a"):
        list(read_records(write(tmp_path / "empty.csv", ""), ("a",)))
    with pytest.raises(FileNotFoundError, match="There is no table"):
        list(read_records(tmp_path / "none.csv", ("a",)))


def test_a_truncated_file_is_an_error(tmp_path):
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    (tmp_path / "t.csv.gz").write_bytes(whole[:-20])
    with pytest.raises(ValueError, match="must be a complete table, but cannot be read after line"):
        list(read_records(tmp_path / "t.csv.gz", ("a",)))


def test_identifiers_are_whole_numbers():
    assert whole_number("50414267") == whole_number("50414267.0") == 50414267
    assert [whole_number(text) for text in ("", "x", "-1", "1.5", "nan", "1e3", "9" * 20)] == [None] * 7
