"""Fixtures of tests on a real server and page; `make test-comfyui` runs them, `make test` skips and lists them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SWITCH = "X2X_TEST_COMFYUI"  # set by `make test-comfyui`
sys.path[:0] = [str(HERE), str(ROOT / "tools")]  # for `comfy_server` and `comfy_page`, and for `workflow_graph`

collect_ignore_glob = [] if os.environ.get(SWITCH) else ["test_*.py"]


def pytest_terminal_summary(terminalreporter):
    if not os.environ.get(SWITCH):
        for file in sorted(HERE.glob("test_*.py")):
            terminalreporter.write_line(f"Not run: {file.relative_to(ROOT)}: `make test-comfyui` runs it.")


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


@pytest.fixture(scope="session")
def browser():
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("There is no `chromium` on the path. Install it, or set CHROMIUM to a Chromium.")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield one
        one.close()


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


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Return the folder for screenshots: COMFYUI_SHOTS, or a temporary one."""
    folder = Path(os.environ.get("COMFYUI_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
