"""Batches without what only takes time: large panels, and hashes of the demo's weights."""

import pytest
from PIL import Image

from x2x_core.archive import edit_files
from x2x_core.batch import run


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    if "whole" not in request.keywords:
        monkeypatch.setattr(edit_files, "panel", lambda *arguments: Image.new("RGB", (8, 4)))
        monkeypatch.setattr(run, "sha256_weights", lambda path: "0" * 64)
