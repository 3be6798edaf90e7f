"""The method with tiny random models other than InstructPix2Pix on a real server, and in the real page."""

import json

import numpy as np
import pytest
from any_model_prompt import graph
from comfy_models import MAKERS
from looking import drawn_share
from PIL import Image

ROWS, COLUMNS = 64, 96
BOX = slice(16, 48), slice(16, 56)


@pytest.fixture(scope="module")
def picture(server):
    """Save a picture in the server's input folder, and return its name and pixels `(H, W, 3)`."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    grain = np.random.default_rng(0).integers(0, 40, (ROWS, COLUMNS))
    pixels = np.stack([2 * x + grain, 3 * y + grain, 200 - 2 * x + grain], axis=-1).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(server.folder / "input" / "any.png")
    return "any.png", pixels


@pytest.mark.parametrize("crop", [None, 64])
@pytest.mark.parametrize("model", sorted(MAKERS))
def test_an_edit_stays_within_its_box(server, picture, model, crop):
    name, original = picture
    status, answer = server.queue(graph(model, name, crop=crop))
    assert status == 200 and not answer["node_errors"], answer
    entry = server.wait(answer["prompt_id"])
    assert entry["status"]["status_str"] == "success", entry["status"]
    made = {one: server.pixels(entry["outputs"][one]["images"][0]) for one in ("save", "map", "mask")}
    box = np.zeros((ROWS, COLUMNS), bool)
    box[BOX] = True
    mask = made["mask"][..., 0] >= 128
    assert mask.any() and not mask[~box].any()
    assert made["map"].max() > 200 and made["map"].min() < 50  # the range is that of cells, pixels lie between them
    changed = (made["save"] != original).any(axis=-1)
    assert not changed[~mask].any() and changed[mask].mean() > 0.5


def numbered(nodes):
    """Return a graph whose nodes have numbers for names, as those that the page saves."""
    numbers = {name: str(number) for number, name in enumerate(nodes, 1)}

    def renamed(value):
        return [numbers[value[0]], value[1]] if isinstance(value, list) else value

    return {
        numbers[name]: {**node, "inputs": {key: renamed(value) for key, value in node["inputs"].items()}}
        for name, node in nodes.items()
    }


def test_the_page_runs_flux(server, visit, picture, shots, tmp_path):
    """Dropped on the canvas, drawn, run, and its pictures shown."""
    file = tmp_path / "any-model.json"
    file.write_text(json.dumps(numbered(graph("flux", picture[0], text="make it green"))))
    page = visit()
    page.drop(file)
    assert [one["type"] for one in page.nodes() if not one["known"]] == []
    page.fit()
    before = page.screen()
    end = page.run_to_the_end()
    assert end["event"] == "execution_success", end.get("exception_message")
    after = page.screen()
    for number in page.nodes_with_pictures():
        assert drawn_share(before, after, page.place(int(number))) > 0
    page.save_screen(shots / "any-model.jpg")
    assert page.errors == []
