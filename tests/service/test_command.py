"""`x2x serve` refuses what it cannot or should not do before it loads a model."""

import socket

import pytest

from x2x_core.cli import main


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["serve", *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    return said


def test_an_address_that_others_reach_requires_a_token(capsys, monkeypatch):
    monkeypatch.delenv("X2X_SERVE_TOKEN", raising=False)
    said = refused(capsys, "--host", "0.0.0.0")
    assert "`--host` '0.0.0.0' can be reached from other machines" in said and "--without-token" in said


def test_a_port_in_use_and_limits_out_of_range_are_refused(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "must be an address of this machine that is free" in refused(
            capsys, "--port", str(taken.getsockname()[1])
        )
    assert "`--waiting`" in refused(capsys, "--waiting", "-1")
    assert "`--workers`" in refused(capsys, "--workers", "0")


def test_a_folder_to_keep_edits_in_must_be_one(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert "is a file" in refused(capsys, "--keep", str(tmp_path / "file"))
