"""A real server, and its page."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools")]  # for `comfy_server` and `comfy_page`, and for `workflow_graph`


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Start an isolated server with this pack, and one of tiny models for tests."""
    from comfy_server import ComfyServer

    port = int(os.environ["COMFYUI_PORT"]) if "COMFYUI_PORT" in os.environ else None
    checkout = Path(os.environ.get("COMFYUI_PATH", "~/ComfyUI")).expanduser()
    python = os.path.expanduser(os.environ.get("COMFYUI_PYTHON", sys.executable))
    python = os.path.abspath(python) if os.sep in python else python  # the server's working directory is the checkout
    page = os.environ.get("COMFYUI_PAGE")  # the folder `static` of a version of comfyui-frontend-package
    folder = tmp_path_factory.mktemp("comfyui")
    one = ComfyServer(checkout, python, ROOT, folder, port, more=[HERE / "tiny_models_pack"], page=page)
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture
def visit(server, browser):
    """Return a function that opens the page. All pages are closed after the test."""
    from comfy_page import ComfyPage

    pages = []

    def open_page(**more):
        pages.append(ComfyPage(browser, server.url, **more))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()
