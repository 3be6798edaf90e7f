"""A real service."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def service_folder(tmp_path_factory, tiny_folder):
    """Return a folder with the tiny checkpoint."""
    folder = tmp_path_factory.mktemp("service")
    os.symlink(tiny_folder, folder / "tiny", target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def service(service_folder):
    """Start `x2x serve` with the tiny model, and end it after the tests."""
    from service_process import ServiceProcess

    with ServiceProcess(service_folder, "--waiting", "8", "--max-megapixels", "4") as one:
        yield one
