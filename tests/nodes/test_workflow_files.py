"""Workflow files without ComfyUI: format, links, layout, thumbnails."""

import sys
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from workflow_files import FILES, FOLDER, NOTE, box, meet, nodes_of, read

every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_the_nine_are_there():
    assert [file.stem[0] for file in FILES] == list("123456789")


@pytest.mark.parametrize("name", ["1-plain-edit", "9-any-picture"])
def test_apps_show_widgets_and_results_that_exist(name):
    workflow = read(FOLDER / f"{name}.json")
    nodes, app = nodes_of(workflow), workflow["extra"]["linearData"]
    assert workflow["extra"]["linearMode"] is True
    for number, widget in app["inputs"]:
        assert widget in [one["name"] for one in nodes[number]["inputs"] if "widget" in one]
    assert [nodes[number]["type"] for number in app["outputs"]] == ["X2XCompare", "X2XSave"]


@every
def test_format(file):
    workflow = read(file)
    assert workflow["version"] == 0.4
    assert isinstance(workflow["nodes"], list) and isinstance(workflow["links"], list)
    numbers = [node["id"] for node in workflow["nodes"]]
    assert len(set(numbers)) == len(numbers) and max(numbers) == workflow["last_node_id"]
    links = [link[0] for link in workflow["links"]]
    assert len(set(links)) == len(links) and max(links) == workflow["last_link_id"]
    for node in workflow["nodes"]:
        assert node["mode"] == 0  # nothing is muted or bypassed
        assert isinstance(node["widgets_values"], list)


@every
def test_links_join_what_both_ends_say(file):
    workflow = read(file)
    nodes = nodes_of(workflow)
    for link, source, slot, target, entry, kind in workflow["links"]:
        out, into = nodes[source]["outputs"][slot], nodes[target]["inputs"][entry]
        assert link in out["links"] and into["link"] == link
        assert out["type"] == kind
        assert into["type"] in (kind, "*")
    joined = {link[0] for link in workflow["links"]}
    said = [link for node in nodes.values() for one in node["outputs"] for link in one["links"]]
    taken = [one["link"] for node in nodes.values() for one in node["inputs"] if one["link"] is not None]
    assert sorted(said) == sorted(taken) == sorted(joined)


@every
def test_seeds_are_fixed(file):
    nodes = read(file)["nodes"]
    seeded = [node for node in nodes if {"seed", "noise_seed"} & {one["name"] for one in node["inputs"]}]
    assert seeded
    for node in seeded:
        assert "fixed" in node["widgets_values"]
        assert not {"randomize", "increment", "decrement"} & {str(value) for value in node["widgets_values"]}


@every
def test_layout(file):
    workflow = read(file)
    nodes = list(nodes_of(workflow).values())
    for one, other in combinations(nodes, 2):
        assert not meet(box(one), box(other)), (one["type"], other["type"])
    frames = []
    for group in workflow["groups"]:
        left, top, wide, high = group["bounding"]
        frames.append((left, top, left + wide, top + high))
        assert group["title"]
    for one, other in combinations(frames, 2):
        assert not meet(one, other)
    for node in nodes:
        left, top, right, bottom = box(node)
        inside = [f for f in frames if f[0] <= left and f[1] <= top and f[2] >= right and f[3] >= bottom]
        across = [f for f in frames if meet(f, box(node)) and f not in inside]
        assert across == [] and len(inside) == (0 if node["type"] == NOTE else 1), node["type"]


@every
def test_view_shows_all_of_it_with_its_texts(file):
    workflow = read(file)
    view = workflow["extra"]["ds"]
    assert 0.6 <= view["scale"] <= 1  # below this the page draws nodes without their texts
    for node in workflow["nodes"]:
        left, top, right, bottom = ((edge + view["offset"][i % 2]) * view["scale"] for i, edge in enumerate(box(node)))
        assert 60 < left < right < 1740 and 80 < top < bottom < 925, node["type"]


@every
def test_note_says_what_it_is_for_and_that_it_is_synthetic(file):
    notes = [node["widgets_values"][0] for node in read(file)["nodes"] if node["type"] == NOTE]
    assert len(notes) == 1
    assert notes[0].startswith("# ")
    assert "synthetic, for research" in notes[0]


def test_the_note_of_any_picture_says_where_a_model_that_sees_it_through_its_texts_is_connected():
    nodes = nodes_of(read(FOLDER / "9-any-picture.json"))
    note = next(node["widgets_values"][0] for node in nodes.values() if node["type"] == NOTE)
    for name in ("FLUX.1 Kontext", "Qwen-Image-Edit", "*ReferenceLatent*", "*InpaintModelConditioning*", "twice"):
        assert name in note
    seen = next(node for node in nodes.values() if node.get("title") == "The whole picture")
    assert seen["type"] == "VAEEncode" and "*The whole picture* before *Relevance Map (Native)*" in note


@every
def test_each_workflow_has_a_small_square_thumbnail(file):
    picture = file.with_suffix(".jpg")
    assert picture.stat().st_size < 80_000
    with Image.open(picture) as opened:
        assert opened.size == (512, 512)


def test_no_other_folder_hides_the_workflows():
    """ComfyUI serves the first of these folders as the pack's templates, and lists the files of all."""
    names = ("example_workflows", "example", "examples", "workflow", "workflows")
    served = next(name for name in names if (FOLDER.parent / name).is_dir())
    assert served == FOLDER.name
    others = [path for name in names if name != served for path in (FOLDER.parent / name).glob("*.json")]
    assert others == []
