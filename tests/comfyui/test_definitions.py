"""All nodes of all workflows, including ComfyUI's own, against the server's definitions."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "nodes"))
from workflow_checks import check_sockets, check_values
from workflow_files import FILES, NOTE, read


@pytest.fixture(scope="module")
def definitions(server):
    return server.get("/object_info")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_workflow_fits_the_server(file, definitions):
    for node in read(file)["nodes"]:
        if node["type"] != NOTE:
            assert node["type"] in definitions
            check_sockets(node, definitions[node["type"]])
            check_values(node, definitions[node["type"]])


def test_outputs_have_names_of_their_own(definitions):
    for name, definition in definitions.items():
        if name.startswith("X2X"):
            assert len(set(definition["output_name"])) == len(definition["output_name"]), name
            assert all(label.islower() for label in definition["output_name"]), name


def test_template_list_names_the_workflows(server):
    assert sorted(server.get("/api/workflow_templates")["InstructX2X"]) == [file.stem for file in FILES]
