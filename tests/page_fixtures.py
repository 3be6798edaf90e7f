"""Fixtures of tests of pages in the machine's own Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from service_page import PATIENCE, WIDE, until


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


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Return the folder for screenshots: SHOTS, or a temporary one."""
    folder = Path(os.environ.get("SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def opened(browser):
    """Return a function that opens the page of an address; faults and addresses that it asks for are kept."""
    contexts = []

    def open_page(address, size=WIDE):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.faults, page.asked = [], []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{address}/")
        until(page, "document.querySelectorAll('#finding option').length > 10")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def visit(opened, service):
    """Return a function that opens the page of the service."""
    return lambda size=WIDE: opened(service.address, size)
