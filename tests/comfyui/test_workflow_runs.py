"""All bundled workflows in the real page: opened from the template list and by dropping, run, and checked."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from looking import check_edit, cut_off, drawn_share, overlaps, with_probes
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
SHOWN = 0.03  # share of a node's place that a picture takes at least


def check_layout(page):
    """Check that all nodes are known, complete and do not overlap."""
    assert page.shows_graph()
    nodes = page.nodes()
    assert nodes  # a template that does not load leaves the canvas empty
    assert [node["type"] for node in nodes if not node["known"]] == []
    assert overlaps(nodes) == []
    assert cut_off(nodes) == []
    assert all(node["widgets"].get("control_after_generate", "fixed") == "fixed" for node in nodes)


def run_and_look(page):
    """Run the open workflow, and check that all pictures from the server are drawn."""
    before = page.screen()
    end = page.run_to_the_end()
    assert end["event"] == "execution_success", end.get("exception_message")
    assert [answer.get("node_errors") or answer.get("error") for answer in page.prompts()] == [None]
    with_pictures = page.nodes_with_pictures()
    assert with_pictures
    after = page.screen()
    for number in with_pictures:
        drawn = drawn_share(before, after, page.place(int(number)))
        assert drawn > SHOWN, f"node {number} shows nothing: {drawn:.3f} of it changed"
    assert page.errors == []


def check_edits(server, graph):
    """Check every edit of the graph pixel by pixel."""
    probed, probes = with_probes(graph)
    status, answer = server.queue(probed)
    assert status == 200 and not answer.get("node_errors"), answer
    outputs = server.wait(answer["prompt_id"])["outputs"]
    assert probes
    for ids in probes:
        pictures = [[server.pixels(one) for one in outputs[name]["images"]] for name in ids]
        assert len({len(some) for some in pictures}) == 1
        for before, after, mask in zip(*pictures):
            check_edit(before, after, mask)


def test_all_are_there():
    assert len(NAMES) == 9


@pytest.mark.parametrize("name", NAMES)
def test_workflow(name, server, visit, shots):
    page = visit()
    page.open_template(name)
    check_layout(page)
    graph = page.graph()
    run_and_look(page)
    page.save_screen(shots / f"{name}.jpg")
    check_edits(server, graph)

    page.close()
    page = visit()
    page.drop(FOLDER / f"{name}.json")
    check_layout(page)
    assert page.graph() == graph
    run_and_look(page)


DRAW = """card => {
    const picture = card.querySelector('img'), canvas = document.createElement('canvas')
    canvas.width = picture.naturalWidth; canvas.height = picture.naturalHeight
    canvas.getContext('2d').drawImage(picture, 0, 0)
    return canvas.toDataURL('image/png')
}"""


def test_template_list_has_a_picture_of_each(visit, shots):
    page = visit()
    page.open_template_list()
    for name in NAMES:
        card = page.page.get_by_test_id(f"template-workflow-{name}")
        card.scroll_into_view_if_needed()
        page.page.wait_for_function(
            "card => card.querySelector('img')?.complete && card.querySelector('img').naturalWidth",
            arg=card.element_handle(),
        )
        png = base64.b64decode(card.evaluate(DRAW).partition(",")[2])
        shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
        shipped = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("RGB"))
        assert np.abs(shown - shipped).mean() < 2
    page.page.get_by_test_id(f"template-workflow-{NAMES[0]}").scroll_into_view_if_needed()
    page.page.wait_for_timeout(500)
    page.save_screen(shots / "templates.jpg")
    assert page.errors == []
