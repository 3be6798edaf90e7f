"""Workflows on the page's newer nodes (Nodes 2.0), which are drawn as elements of the page instead of on a canvas."""

from pathlib import Path

import pytest
from comfy_page import ENDS, NODES

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
SETTING = "/api/settings/Comfy.VueNodes.Enabled"
FIRST = (1, 35)  # version of the page in which the pack was tried with them
# The pictures that a node's element shows, with their widths in pixels of the picture.
PICTURES = """id => [...document.querySelectorAll(`[data-node-id="${id}"] :is(img, canvas)`)]
    .map(one => one.naturalWidth ?? one.width)"""


@pytest.fixture
def page(server, visit):
    server.post(SETTING, True)
    try:
        opened = visit()
        if opened.version < FIRST:
            pytest.skip("the page is older")
        yield opened
    finally:
        server.post(SETTING, False)


@pytest.mark.parametrize("name", ["1-plain-edit", "3-paint-your-own-mask"])
def test_a_workflow_runs_and_its_pictures_are_shown(page, shots, name):
    page.drop(FOLDER / f"{name}.json")
    page.fit()
    nodes = page.nodes()
    assert [node["type"] for node in nodes if not node["known"]] == []
    shown = page.page.evaluate("[...document.querySelectorAll('[data-node-id]')].map(one => one.dataset.nodeId)")
    assert {str(node["id"]) for node in nodes} <= set(shown)
    page.save_screen(shots / f"vue-{name}-before.png")
    page.run()
    end = page.wait(*ENDS, patience=600)
    assert end["event"] == "execution_success", end.get("exception_message")
    assert [answer.get("node_errors") or answer.get("error") for answer in page.prompts()] == [None]
    pictures = page.nodes_with_pictures()
    compares = {str(node["id"]) for node in nodes if node["type"] == "X2XCompare"}
    assert pictures and compares
    for number in sorted(pictures | compares):
        page.page.wait_for_function(f"id => ({PICTURES})(id).some(width => width >= 128)", arg=number)
    page.page.wait_for_timeout(1500)
    page.save_screen(shots / f"vue-{name}.png")
    assert page.page.evaluate(f"{NODES}.every(node => node.has_errors !== true)")
    assert page.errors == []
