"""Subgraph blueprints: served, offered by the page, and run by it."""

import urllib.error

import numpy as np
import pytest
from blueprint_files import FILES, workflow_of
from comfy_page import NODES
from looking import drawn_share

NAMES = [file.stem for file in FILES]
OFFERED = (1, 35)  # version of the page that offers the blueprints of node packs
every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def served(server):
    """Return the blueprints that the server offers, by name."""
    try:
        offered = server.get("/global_subgraphs")
    except urllib.error.HTTPError:
        pytest.skip("This ComfyUI does not serve blueprints of node packs.")
    return {one["name"]: key for key, one in offered.items() if one["info"]["node_pack"].endswith("InstructX2X")}


@pytest.fixture(scope="module")
def definitions(server):
    return server.get("/object_info")


def visit_offering(visit):
    """Open the page; skip the test if it offers no blueprints."""
    page = visit()
    if page.version < OFFERED:
        pytest.skip(f"Version {page.version} of the page offers no blueprints of node packs.")
    return page


def test_the_server_offers_them(served, server):
    assert sorted(served) == NAMES
    for name, key in served.items():
        assert f'"name": "{name}"' in server.get(f"/global_subgraphs/{key}")["data"]


def test_the_page_offers_them(served, visit, shots):
    """Found by the search of the canvas, and placed by it."""
    page = visit_offering(visit)
    page.page.evaluate("() => window.app.graph.clear()")
    page.page.mouse.dblclick(900, 500)
    page.page.keyboard.type("Where Would It Change", delay=20)
    page.page.get_by_text("Where Would It Change (InstructX2X)").first.wait_for()
    page.page.wait_for_timeout(500)
    page.save_screen(shots / "blueprint-search.png")
    page.page.keyboard.press("Enter")
    page.page.wait_for_function(f"() => {NODES}.length === 1")
    [node] = page.nodes()
    assert [name for name, *_ in node["inputs"]] == ["model", "positive", "negative", "vae", "image", "seed"]
    assert page.errors == []


@every
def test_the_page_runs_them(file, visit, server, definitions, shots, tmp_path):
    graph = workflow_of(file, definitions)
    graph.write(tmp_path / "blueprint.json")
    page = visit_offering(visit)
    page.drop(tmp_path / "blueprint.json")
    kinds = [node["class_type"] for node in page.graph().values()]
    assert {node["type"] for node in graph.file["definitions"]["subgraphs"][0]["nodes"]} <= set(kinds)
    page.fit()
    before = page.screen()
    end = page.run_to_the_end()
    assert end["event"] == "execution_success", end.get("exception_message")
    after = page.screen()
    for number in page.nodes_with_pictures():
        assert drawn_share(before, after, page.place(int(number))) > 0.03
    page.save_screen(shots / f"blueprint {file.stem}.png")
    if file.stem.startswith(("Edit Region", "Inpaint")):
        check_within_the_box(page, server)
    assert page.errors == []


def check_within_the_box(page, server):
    """Check that the result equals the landscape outside the box and differs within."""
    [made] = [told["output"]["images"] for name, told in page.events() if name == "executed" and "output" in told
              and (told["output"] or {}).get("images") and ":" not in told["node"]]  # fmt: skip
    original = server.pixels({"filename": "instructx2x-landscape.jpg", "type": "input"}).astype(int)
    changed = (server.pixels(made[0]) != original).any(axis=-1)
    box = np.zeros(changed.shape, bool)
    cell = original.shape[0] // 32
    box[8 * cell : 24 * cell, 8 * cell : 24 * cell] = True
    assert not changed[~box].any() and changed[box].mean() > 0.5
