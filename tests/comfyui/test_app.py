"""Workflows that the page opens as an app: its inputs, a run, and its result."""

from pathlib import Path

import pytest
from comfy_page import APPS, ENDS, SHOWS_APP

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"


@pytest.fixture
def page(visit):
    """Return a visit to a page that knows apps."""
    one = visit()
    if one.version < APPS:
        pytest.skip(f"Version {one.version} of the page opens no workflow as an app.")
    return one


@pytest.mark.parametrize(
    ("name", "labels"), [("1-plain-edit", ("finding", "side", "zone")), ("9-any-picture", ("image", "text"))]
)
def test_an_app_runs_and_shows_its_result(page, shots, name, labels):
    page.drop(FOLDER / f"{name}.json", app=True)
    assert page.page.evaluate(SHOWS_APP)
    for label in labels:
        page.page.get_by_text(label, exact=True).first.wait_for()
    page.save_screen(shots / f"app-{name}-before.png")
    page.page.get_by_test_id("linear-run-button").first.get_by_role("button", name="Run", exact=True).click()
    assert page.wait(*ENDS)["event"] == "execution_success"
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('img')].some(one => one.naturalWidth >= 256 && one.width >= 256)"
    )
    page.save_screen(shots / f"app-{name}.png")
    page.show_graph()
    assert not page.page.evaluate(SHOWS_APP)
    assert page.errors == []


@pytest.mark.parametrize("name", ["1-plain-edit", "9-any-picture"])
def test_pages_that_know_no_apps_open_them_as_graphs(visit, name):
    page = visit()
    if page.version >= APPS:
        pytest.skip(f"Version {page.version} of the page opens workflows as apps.")
    page.open_template(name)
    assert page.shows_graph()
    page.drop(FOLDER / f"{name}.json", app=True)
    assert page.shows_graph()


def test_other_workflows_open_as_graphs(page):
    page.drop(FOLDER / "2-look-before-you-edit.json", app=True)
    assert not page.page.evaluate(SHOWS_APP)
