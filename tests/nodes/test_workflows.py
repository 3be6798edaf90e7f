"""Workflow files against the definitions of the pack's nodes."""

import sys
from functools import lru_cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from comfy_pack import load_pack
from workflow_checks import check_sockets, check_values
from workflow_files import FILES, read

OURS = "X2X"
every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@lru_cache(maxsize=1)
def definitions() -> dict[str, dict]:
    """Return the pack's nodes as in `/object_info`; `make test-comfyui` checks ComfyUI's own nodes too."""
    found = {}
    for name, node in load_pack().items():
        inputs = node.INPUT_TYPES()
        found[name] = {"input": inputs, "output": list(node.RETURN_TYPES or ())}
    return found


def ours(file):
    return [node for node in read(file)["nodes"] if node["type"].startswith(OURS)]


@every
def test_every_node_of_a_workflow_exists(file):
    assert ours(file)
    assert {node["type"] for node in ours(file)} <= set(definitions())


@every
def test_sockets(file):
    for node in ours(file):
        check_sockets(node, definitions()[node["type"]])


@every
def test_values_fit_the_widgets(file):
    for node in ours(file):
        check_values(node, definitions()[node["type"]])


@every
def test_demo_and_sample_are_chosen(file):
    chosen = {node["type"]: node["widgets_values"] for node in read(file)["nodes"]}
    loader = chosen.get("X2XLoadPipeline") or chosen.get("X2XLoadNative")
    assert loader[0] == "demo (bundled)"
    assert chosen.get("X2XLoadRadiograph", ["instructx2x-sample.png"])[0] == "instructx2x-sample.png"
    assert chosen.get("X2XLoadFolder", ["samples (bundled)"])[0] == "samples (bundled)"
    assert chosen.get("LoadImage", ["instructx2x-landscape.jpg"])[0] == "instructx2x-landscape.jpg"


def test_the_pictures_of_the_workflows_are_in_the_input_folder():
    import folder_paths
    from PIL import Image

    load_pack()
    for name in ("instructx2x-sample.png", "instructx2x-landscape.jpg"):
        with Image.open(folder_paths.get_annotated_filepath(name)) as picture:
            assert min(picture.size) == 512


def test_every_node_is_in_a_workflow_or_is_an_extra():
    used = {node["type"] for file in FILES for node in ours(file)}
    extras = {"X2XLoadArchive", "X2XLoadPseudomask", "X2XSaveArchive", "X2XSettings", "X2XCandidates"}
    assert set(definitions()) - used == extras
