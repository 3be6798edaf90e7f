"""Subgraph blueprints: links, the ends of the subgraph, and the definitions of the pack's nodes."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from comfy_pack import ROOT, load_pack
from workflow_checks import check_sockets, check_values

FILES = sorted((ROOT / "subgraphs").glob("*.json"))
INPUT_NODE, OUTPUT_NODE = -10, -20
every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def read(file):
    """Return a blueprint, the node that stands for it, and its subgraph."""
    blueprint = json.loads(file.read_text(encoding="ascii"))  # other encodings are read wrongly on some machines
    [node], [subgraph] = blueprint["nodes"], blueprint["definitions"]["subgraphs"]
    return blueprint, node, subgraph


def test_the_four_are_there():
    assert [file.stem for file in FILES] == [
        "Edit Radiograph (InstructX2X)",
        "Edit Region (InstructX2X)",
        "Inpaint in Detail (InstructX2X)",
        "Where Would It Change (InstructX2X)",
    ]


@every
def test_the_node_stands_for_the_subgraph(file):
    blueprint, node, subgraph = read(file)
    assert node["type"] == subgraph["id"] and node["title"] == subgraph["name"] == file.stem
    for side in ("inputs", "outputs"):
        shown, own = ([(one["name"], one["type"]) for one in part[side]] for part in (node, subgraph))
        assert shown == own
        assert len(set(shown)) == len(shown) > 0
    assert blueprint["extra"]["BlueprintDescription"] and len(blueprint["extra"]["BlueprintSearchAliases"]) >= 3


def test_ids_differ():
    ids = [part["id"] for file in FILES for part in (read(file)[0], read(file)[2])]
    assert len(set(ids)) == len(ids)


@every
def test_links_join_what_both_ends_say(file):
    _, _, subgraph = read(file)
    nodes = {node["id"]: node for node in subgraph["nodes"]}
    for link in subgraph["links"]:
        source = subgraph["inputs"] if link["origin_id"] == INPUT_NODE else nodes[link["origin_id"]]["outputs"]
        target = subgraph["outputs"] if link["target_id"] == OUTPUT_NODE else nodes[link["target_id"]]["inputs"]
        out, into = source[link["origin_slot"]], target[link["target_slot"]]
        assert link["id"] in out.get("links", out.get("linkIds"))
        assert link["id"] in (into["linkIds"] if "linkIds" in into else [into["link"]])
        assert out["type"] == into["type"] == link["type"], (file.stem, link)
    for end in (*subgraph["inputs"], *subgraph["outputs"]):
        assert end["linkIds"], end["name"]


@every
def test_widgets_of_the_node_are_those_of_the_inputs_it_feeds(file):
    _, node, subgraph = read(file)
    nodes = {one["id"]: one for one in subgraph["nodes"]}
    for number, shown in enumerate(node["inputs"]):
        links = [one for one in subgraph["links"] if (one["origin_id"], one["origin_slot"]) == (INPUT_NODE, number)]
        fed = [nodes[link["target_id"]]["inputs"][link["target_slot"]] for link in links]
        assert all(("widget" in one) == ("widget" in shown) for one in fed), shown["name"]


@every
def test_our_nodes_fit_their_definitions(file):
    ours = [node for node in read(file)[2]["nodes"] if node["type"].startswith("X2X")]
    assert ours
    for node in ours:
        kind = load_pack()[node["type"]]
        definition = {"input": kind.INPUT_TYPES(), "output": list(kind.RETURN_TYPES or ())}
        check_sockets(node, definition)
        check_values(node, definition)


@every
def test_seeds_are_fixed(file):
    for node in read(file)[2]["nodes"]:
        assert not {"randomize", "increment", "decrement"} & {str(value) for value in node["widgets_values"]}
