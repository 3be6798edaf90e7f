"""Result folders: refused before an edit is computed."""

import os

import pytest

from x2x_core.commands.outputs import fresh_folder
from x2x_core.common.errors import InputError


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    assert fresh_folder(tmp_path, ("a",), overwrite=False) == tmp_path
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who can write anywhere
    with pytest.raises(InputError, match="must be a folder that can be written"):
        fresh_folder(tmp_path, ("a",), overwrite=False)
