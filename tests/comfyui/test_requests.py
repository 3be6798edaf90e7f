"""Graphs sent to the server without a page: rejected graphs, two at once, repeated runs."""

from urllib.parse import quote

import numpy as np
import pytest


def plain_graph(seed=0, **edit):
    """Return a minimal edit in API format."""
    return {
        "pipeline": {"class_type": "X2XLoadPipeline", "inputs": {"checkpoint": "demo (bundled)", "dtype": "auto"}},
        "image": {"class_type": "X2XLoadRadiograph", "inputs": {"image": "instructx2x-sample.png"}},
        "edit": {
            "class_type": "X2XEdit",
            "inputs": {
                "pipeline": ["pipeline", 0],
                "image": ["image", 0],
                "instruction": "Add the finding of moderate right pleural effusion.",
                "preset": "fast",
                "steps": 4,
                "guidance_scale": 0.8,
                "image_guidance_scale": 1.0,
                "mask_rule": "adaptive",
                "threshold": 0.1,
                "solver": "checkpoint's",
                "edit_strength": 1.0,
                "seed": seed,
                **edit,
            },
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["edit", 0]}},
    }


def edited(server, prompt_id):
    entry = server.wait(prompt_id)
    assert entry["status"]["status_str"] == "success", entry["status"]
    return server.pixels(entry["outputs"]["show"]["images"][0])


def test_two_prompts_at_once(server):
    queued = [server.queue(plain_graph(seed)) for seed in (101, 102)]
    assert [status for status, _ in queued] == [200, 200]
    one, other = (edited(server, answer["prompt_id"]) for _, answer in queued)
    assert (one != other).any()


def test_the_same_seed_gives_the_same_bytes(server):
    first = edited(server, server.queue(plain_graph(103))[1]["prompt_id"])
    edited(server, server.queue(plain_graph(104))[1]["prompt_id"])  # the cache holds another one now
    again = plain_graph(103)
    again["edit"]["inputs"]["steps"] = 5  # does not count with this preset, but is computed anew
    np.testing.assert_array_equal(edited(server, server.queue(again)[1]["prompt_id"]), first)


def test_a_single_file_is_the_folder_it_was_made_of(server):
    from x2x_core.common.bundled import bundled_path
    from x2x_core.conversion.convert import convert

    convert(bundled_path("demo"), server.folder / "models" / "checkpoints" / "single.safetensors")
    own = edited(server, server.queue(plain_graph(106, preset="recommended"))[1]["prompt_id"])
    graph = with_value(
        plain_graph(106, preset="recommended"), "pipeline", "checkpoint", "checkpoints/single.safetensors"
    )
    status, answer = server.queue(graph)
    assert status == 200, answer
    np.testing.assert_array_equal(edited(server, answer["prompt_id"]), own)
    shown = [
        server.get(f"/instructx2x/preset?preset=recommended&checkpoint={quote(name)}")
        for name in ("demo (bundled)", "checkpoints/single.safetensors")
    ]
    assert shown[0] == shown[1]


def test_unloading_between_runs_gives_the_same(server):
    first = edited(server, server.queue(plain_graph(107))[1]["prompt_id"])
    server.post("/free", {"unload_models": True, "free_memory": True})
    np.testing.assert_array_equal(edited(server, server.queue(plain_graph(107))[1]["prompt_id"]), first)


@pytest.mark.parametrize("text", ["", "Add the finding of edema. Remove the finding of edema."])
def test_a_text_that_cannot_be_used_stops_with_a_sentence(server, text):
    entry = server.wait(server.queue(plain_graph(108, instruction=text))[1]["prompt_id"])
    [fault] = [told for kind, told in entry["status"]["messages"] if kind == "execution_error"]
    assert fault["exception_message"].startswith("`instruction` must")


def without(graph, node, name):
    del graph[node]["inputs"][name]
    return graph


def with_value(graph, node, name, value):
    graph[node]["inputs"][name] = value
    return graph


INVALID = [
    (with_value(plain_graph(), "pipeline", "checkpoint", "nowhere"), "pipeline", "checkpoint"),
    (with_value(plain_graph(), "image", "image", "nowhere.png"), "image", "image"),
    (without(plain_graph(), "edit", "pipeline"), "edit", "pipeline"),
    (without(plain_graph(), "edit", "image"), "edit", "image"),
    (with_value(plain_graph(), "edit", "preset", "cheapest"), "edit", "preset"),
    (with_value(plain_graph(), "edit", "steps", 0), "edit", "steps"),
    (with_value(plain_graph(), "edit", "threshold", 1.5), "edit", "threshold"),
    (with_value(plain_graph(), "edit", "seed", "many"), "edit", "seed"),
    (with_value(plain_graph(), "edit", "pipeline", ["image", 0]), "edit", "pipeline"),
    (with_value(plain_graph(), "edit", "solver", "magic"), "edit", "solver"),
    (with_value(plain_graph(), "edit", "edit_strength", 2.0), "edit", "edit_strength"),
    (plain_graph(preset="reference", solver="Euler"), "edit", "solver"),
]


@pytest.mark.parametrize(("graph", "node", "name"), INVALID, ids=lambda one: one if isinstance(one, str) else None)
def test_invalid_graphs_are_rejected_by_name(server, graph, node, name):
    status, answer = server.queue(graph)
    assert status == 400
    assert list(answer["node_errors"]) == [node]
    told = " ".join(f"{one['message']} {one['details']}" for one in answer["node_errors"][node]["errors"])
    assert name in told
    assert "Traceback" not in told


def test_unknown_node_is_rejected(server):
    status, answer = server.queue({"1": {"class_type": "X2XNothing", "inputs": {}}})
    assert status == 400
    assert "X2XNothing" in str(answer["error"])


def test_mask_of_another_batch_stops_with_a_sentence(server):
    graph = plain_graph(guidance_mask=["both", 0])
    graph["box"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 64, "height": 64}}
    graph["picture"] = {"class_type": "MaskToImage", "inputs": {"mask": ["box", 0]}}
    graph["pictures"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["picture", 0], "amount": 3}}
    graph["both"] = {"class_type": "ImageToMask", "inputs": {"image": ["pictures", 0], "channel": "red"}}
    status, answer = server.queue(graph)
    assert status == 200, answer
    entry = server.wait(answer["prompt_id"])
    assert entry["status"]["status_str"] == "error"
    [fault] = [told for kind, told in entry["status"]["messages"] if kind == "execution_error"]
    assert fault["node_id"] == "edit"
    assert "`guidance_mask` must hold one mask" in fault["exception_message"]
    assert edited(server, server.queue(plain_graph(105))[1]["prompt_id"]).size  # the server works on


def test_text_that_names_no_finding_is_said(server):
    graph = plain_graph(instruction="Paint it blue.")
    graph["say"] = {"class_type": "PreviewAny", "inputs": {"source": ["edit", 3]}}
    entry = server.wait(server.queue(graph)[1]["prompt_id"])
    assert "Paint it blue." in entry["outputs"]["say"]["text"][0]
    assert "Warning" in entry["outputs"]["say"]["text"][0]
