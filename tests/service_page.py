"""Actions of tests on the service's page."""

from __future__ import annotations

import json
import time
from pathlib import Path

import x2x_core

FILM = Path(x2x_core.__file__).parents[1] / "models" / "sample" / "radiograph.png"
PATIENCE = 240_000  # milliseconds, for a busy machine
WIDE, PHONE = (1280, 800), (390, 844)


def until(page, condition):
    """Wait for an expression of JavaScript to be true; the page's policy forbids Playwright's own way."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(100)


def choose(page, **words):
    """Choose from menus, and wait until the instruction has all words and is understood."""
    for menu, word in words.items():
        page.select_option(f"#{menu}", word)
    named = json.dumps([word for menu, word in words.items() if menu != "operation"])
    until(page, f"{named}.every(word => document.getElementById('prompt').value.includes(word))")
    until(page, "document.getElementById('understood').className === 'good'")


def load(page, film=FILM):
    page.set_input_files("#file", film)
    until(page, "document.getElementById('before').complete && document.getElementById('before').naturalWidth")


def done(page):
    until(page, "document.getElementById('status').textContent.startsWith('Done')")


def faults_of_accessibility(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {[node['html'][:120] for node in fault['nodes']]}" for fault in found]


def overflows(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
